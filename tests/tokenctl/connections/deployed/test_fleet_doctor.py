"""What `tokenctl doctor` finds of a fleet, and what mends it. The walks of the runbook break the other parts."""

import json
import re
from collections.abc import Callable, Iterator

import pytest

from local.standin.grants import CLIENT_ID, CLIENT_SECRET
from tests.support.command_line import Tokenctl
from tests.support.deployed_fleet import DeployedFleet
from tests.support.events import TICK
from tests.support.windows import FRESH
from tokenctl.stack.target import LIVE

pytestmark = pytest.mark.xdist_group("connections-deployed")

CHECKS = (
    *("fleet table", "fleet key", "ask", "worker", "dispatcher", "mapping", "dispatches", "queues", "app secrets"),
    *("connections", "brake"),
)


@pytest.fixture
def app_secret(fleet: DeployedFleet) -> Iterator[Callable[[str], object]]:
    """Yield what stores a text as the app of the second provider; put the right one back."""

    def put(text: str) -> object:
        client = fleet.cloud.client("secretsmanager")
        return client.put_secret_value(SecretId=fleet.outputs["AppSecretArnOauth2"], SecretString=text)

    yield put
    put(json.dumps({"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}))


def test_every_part_is_fine(fleet: DeployedFleet, tokenctl: Tokenctl) -> None:
    fleet.connect({"acme/u1": fleet.cloud.standin.grant()}, expires_in=FRESH)
    assert not fleet.deployment.invoke(TICK).failed, "the schedule of the pair that nobody has stored"
    done = tokenctl("doctor")
    assert [done.line(check)[:4] for check in CHECKS] == ["OK  "] * len(CHECKS), done.out
    assert done.line("connections").endswith("1 active.")
    for check in ("secret", "last run"):
        assert done.line(check).startswith("SKIP")
        assert "the stack keeps connections only" in done.line(check)
    assert done.out.splitlines()[-1] == "HEALTHY"


def test_a_provider_without_its_app(
    tokenctl: Tokenctl, app_secret: Callable[[str], object], fleet: DeployedFleet
) -> None:
    app_secret("{}")
    line = tokenctl("doctor").line("app secrets")
    assert line.startswith("FAIL  app secrets   oauth2: ")
    (fix,) = re.findall(r"Fix: `tokenctl (.*)`", line)
    assert fix == "app-credentials --stage local --provider oauth2"
    app = json.dumps({"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET})
    done = tokenctl("app-credentials", "--provider", "oauth2", "--yes", stdin=app)
    assert (done.code, fleet.outputs["AppSecretArnOauth2"] in done.out) == (0, True), done.err
    assert "`tokenctl connections authorize <connection> --stage local --provider oauth2`" in done.out
    assert tokenctl("doctor").line("app secrets").startswith("OK")


def test_a_gone_alias_is_dead_and_restored(fleet: DeployedFleet, tokenctl: Tokenctl) -> None:
    fleet.cloud.client("lambda").delete_alias(FunctionName=fleet.function("Ask"), Name=LIVE)
    done = tokenctl("status")
    assert (done.code, "has no alias `live`: no consumer gets a token" in " ".join(done.out.split())) == (2, True)
    assert "Fix: `tokenctl repair --stage local`" in tokenctl("doctor").line("ask")
    tokenctl("repair", "--yes")
    assert tokenctl("doctor").line("ask").startswith("OK")
