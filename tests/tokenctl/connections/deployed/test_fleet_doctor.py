"""What `tokenctl doctor` finds of a fleet, and what mends it. The walks of the runbook break the other parts."""

import json
import re
from collections.abc import Callable, Iterator

import pytest

from local.standin.grants import CLIENT_ID, CLIENT_SECRET
from refresh_token.fleet.attributes import encode
from refresh_token.fleet.names import slots_of
from tests.support.changed_by_hand import settings_in
from tests.support.command_line import Tokenctl
from tests.support.deployed_fleet import DeployedFleet
from tests.support.events import TICK
from tests.support.fleet_changed_by_hand import (
    break_the_worker,
    delete_an_app,
    delete_the_indexes,
    delete_the_queues,
    delete_the_schedule_group,
    give_the_worker_another_table,
    let_connections_expire,
    misdirect_the_mapping,
    slow_the_schedule,
)
from tests.support.http_server import answering
from tests.support.windows import FRESH
from tokenctl.stack.target import LIVE

pytestmark = pytest.mark.xdist_group("connections-deployed")

CHECKS = (
    *(
        "fleet table",
        "fleet indexes",
        "fleet key",
        "ask",
        "worker",
        "dispatcher",
        "mapping",
        "dispatches",
        "queues",
        "app secrets",
    ),
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


def test_a_provider_that_somebody_has_taken_out(fleet: DeployedFleet, tokenctl: Tokenctl) -> None:
    fleet.connect({"acme/u1": fleet.cloud.standin.grant()}, expires_in=FRESH)
    (slot, *_) = slots_of("linear")
    fleet.table.change("acme/u1", provider=encode("linear"), slot=encode(slot))
    line = tokenctl("doctor").line("connections")
    assert line.startswith("WARN")
    assert "does not have the providers of some connections (1 of linear)" in line
    assert "acme/u1" in tokenctl("connections", "list", "--provider", "linear").out


def test_a_gone_alias_is_dead_and_restored(fleet: DeployedFleet, tokenctl: Tokenctl) -> None:
    fleet.cloud.client("lambda").delete_alias(FunctionName=fleet.function("Ask"), Name=LIVE)
    done = tokenctl("status")
    assert (done.code, "has no alias `live`: no consumer gets a token" in " ".join(done.out.split())) == (2, True)
    assert "Fix: `tokenctl repair --stage local`" in tokenctl("doctor").line("ask")
    tokenctl("repair", "--yes")
    assert tokenctl("doctor").line("ask").startswith("OK")


Break = Callable[[DeployedFleet], None]
MAPPING = "the queue's event source mapping is Disabled, calls another function, has a filter"
SCHEDULE = "the dispatcher's rate(7 days) does not run each minute, has another role than the stack's"
BROKEN: dict[str, tuple[tuple[Break, ...], dict[str, str], set[str], str]] = {
    "changed": (
        (misdirect_the_mapping, let_connections_expire, slow_the_schedule, break_the_worker),
        {
            "worker": "FAIL  worker        the worker is gone, or has another handler",
            "fleet indexes": "FAIL  fleet indexes DynamoDB deletes connections of",
            "dispatches": f"FAIL  dispatches    {SCHEDULE}",
        },
        {
            *(
                "ConnectionsStoreTable.SSESpecification.SSEEnabled",
                "ConnectionsStoreTable.SSESpecification.KMSMasterKeyId",
            ),
            *("ConnectionsStoreTable.TimeToLiveSpecification.Enabled", "ConnectionsStoreKey.EnableKeyRotation"),
            *("ConnectionsMapping.ScalingConfig.MaximumConcurrency", "ConnectionsMapping.FilterCriteria"),
        },
        SCHEDULE,
    ),
    "deleted": (
        (
            *(delete_the_indexes, delete_the_queues, delete_the_schedule_group, give_the_worker_another_table),
            *(misdirect_the_mapping, delete_an_app),
        ),
        {
            "app secrets": "FAIL  app secrets   The secret ",
            "mapping": f"FAIL  mapping       {MAPPING}",
            "fleet indexes": "FAIL  fleet indexes ",
            "queues": "FAIL  queues        The queue of the connections is gone",
            "dispatches": "FAIL  dispatches    the dispatcher's schedule is gone",
            "worker": "FAIL  worker        the worker does not use what is the stack's: see its CONNECTIONS_TABLE",
        },
        {"ConnectionsStoreTable.GlobalSecondaryIndexes.due", "ConnectionsStoreTable.GlobalSecondaryIndexes.trouble"},
        "the dispatcher's schedule is gone",
    ),
}
"""What somebody does by hand, what doctor says then, some of the settings that differ, and what status says."""


@pytest.mark.parametrize(("breaks", "found", "settings", "says"), BROKEN.values(), ids=BROKEN)
def test_one_command_restores_everything(  # noqa: PLR0917 - a row
    fleet: DeployedFleet,
    tokenctl: Tokenctl,
    breaks: tuple[Break, ...],
    found: dict[str, str],
    settings: set[str],
    says: str,
) -> None:
    fleet.connect({"acme/u1": fleet.cloud.standin.grant()}, expires_in=FRESH)
    for spoil in breaks:
        spoil(fleet)
    status = tokenctl("status")
    assert (status.code, says in " ".join(status.out.split())) == (1, True), status.out
    examined = tokenctl("doctor")
    for check, line in found.items():
        assert examined.line(check).startswith(line), examined.out
        assert "`tokenctl repair --stage local`" in examined.line(check)
    assert settings <= settings_in(tokenctl("repair", "--dry-run", "--output", "json").json)
    done = tokenctl("repair", "--yes")
    assert done.code == 0, done.out + done.err
    assert tokenctl("repair").out == "Everything is as the stack deployed it.\n"
    mended = tokenctl("doctor")
    assert [mended.line(check)[:2] for check in found] == ["OK"] * len(found), mended.out
    assert mended.out.splitlines()[-1] == "HEALTHY", mended.out
    assert not fleet.ask("acme/u1").failed
    fleet.tick()


def test_no_empty_table_replaces_a_lost_one(tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(400, '{"__type": "ResourceNotFoundException", "message": "gone"}') as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        done = tokenctl("repair", "--dry-run", "--only", "ConnectionsStoreTable")
    assert (done.code, "Only its backup brings ConnectionsStoreTable back" in done.out) == (1, True), done.out
