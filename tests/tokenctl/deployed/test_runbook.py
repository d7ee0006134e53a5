"""The runbook, followed to the letter: cause the trouble of an entry, run the commands of the page, end healthy."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from local.deployment import Deployment
from tests.support.checkout import ROOT
from tests.support.command_line import Done, Tokenctl
from tests.support.deployed_stack import put_secret
from tests.support.events import TICK
from tests.support.windows import EXPIRED, FRESH, MANDATORY

pytestmark = [pytest.mark.xdist_group("deployed"), pytest.mark.usefixtures("schedule", "emptied")]

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()


def entry(heading: str) -> str:
    """Return the text of an entry."""
    _, _, rest = RUNBOOK.partition(f"# {heading}\n")
    assert rest, heading
    return re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0]


@pytest.fixture
def emptied(stack: Deployment) -> None:
    """Forget the dead letters of other tests."""
    stack.cloud.client("sqs").purge_queue(QueueUrl=stack.outputs["DeadLetterQueueUrl"])


class Operator:
    """Follows the page, answering each question with yes."""

    def __init__(self, tokenctl: Tokenctl) -> None:
        self._tokenctl = tokenctl

    def follow(self, heading: str, command: str) -> Done:
        """Run a command that stands in an entry, on the stage `local` instead of `prod`."""
        assert f"tokenctl {command}" in entry(heading), heading
        asks = command.split(maxsplit=1)[0] in {"refresh", "seed"} or command == "dead-letters redrive"
        words = command.replace("--stage prod", "").split()
        return self._tokenctl(*words, *(["--yes"] if asks else []))

    def is_healthy(self) -> bool:
        """Whether the verdict is that nothing needs attention."""
        return self._tokenctl("status").code == 0


@pytest.fixture
def operator(tokenctl: Tokenctl) -> Operator:
    return Operator(tokenctl)


def test_lost_ticks_are_redriven(operator: Operator, stack: Deployment) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
    reason = {"ERROR_CODE": {"DataType": "String", "StringValue": "AccessDenied"}}
    url = stack.outputs["DeadLetterQueueUrl"]
    stack.cloud.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(TICK), MessageAttributes=reason)
    assert not operator.is_healthy()
    assert "AccessDenied" in operator.follow("The dead-letter queue", "dead-letters").out
    assert operator.follow("The dead-letter queue", "dead-letters redrive").code == 0
    assert operator.is_healthy()


def refuse(stack: Deployment) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=EXPIRED)
    stack.cloud.standin.revoke()


NEEDS_A_PAIR: dict[str, Callable[[Deployment], None]] = {
    "SecretMalformedException": lambda stack: put_secret(stack, SecretString='{"accessToken": "a"}'),
    "SecretNotSeededException": lambda stack: put_secret(stack, SecretString="{}"),
    "ReauthorizationRequiredException": refuse,
}
"""Errors that a new pair ends, and how each is caused."""


@pytest.mark.parametrize(("error", "cause"), NEEDS_A_PAIR.items(), ids=NEEDS_A_PAIR)
def test_an_error_leads_to_a_pair(  # noqa: PLR0917 - fixtures and a row
    operator: Operator,
    stack: Deployment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: str,
    cause: Callable[[Deployment], None],
) -> None:
    cause(stack)
    assert stack.invoke(TICK).failed
    assert not operator.is_healthy()
    assert f"docs/runbook.md#{error.lower()}" in operator.follow("FunctionErrors", "errors").out
    assert "(#store-a-pair)" in entry(error)
    grant = stack.cloud.standin.grant()
    monkeypatch.chdir(tmp_path)
    Path("pair.json").write_text(json.dumps({"refreshToken": grant.refresh_token, "clientId": grant.client_id}))
    assert operator.follow("Store a pair", "seed --stage prod --from pair.json").code == 0
    assert operator.follow("Runbook", "tick").out.startswith(("refreshed: ", "fresh: "))
    assert operator.is_healthy()
    assert operator.follow("FunctionErrors", "errors").out.startswith("Nothing failed")


def test_a_token_on_its_last_day_is_refreshed(operator: Operator, stack: Deployment) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=MANDATORY)
    assert not operator.is_healthy()
    assert operator.follow("Runbook", "tick").out.startswith(("refreshed: ", "fresh: "))
    examined = operator.follow("TokenExpires", "doctor")
    assert examined.line("schedule").startswith("OK")
    assert operator.is_healthy()


def test_a_lost_answer_is_made_up_for(operator: Operator, stack: Deployment) -> None:
    version = stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
    stack.cloud.standin.kill()
    assert operator.follow("Runbook", "refresh").code == 0
    current, pair = stack.current()
    assert current != version
    assert stack.cloud.standin.accepts(pair["accessToken"])
    assert operator.is_healthy()


def test_an_outage_of_the_issuer_ends(operator: Operator, stack: Deployment) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=EXPIRED)
    stack.cloud.standin.fail("RefreshToken", status=503, times=None)
    assert stack.invoke(TICK).failed
    assert "docs/runbook.md#issuerunavailableexception" in operator.follow("FunctionErrors", "errors").out
    assert not operator.is_healthy()
    stack.cloud.standin.clear_faults()
    assert operator.follow("Runbook", "tick").out.startswith("refreshed: ")
    assert operator.is_healthy()
