"""How long the commands take that ask AWS for many things: as long as the longest chain of calls."""

import pytest

from tests.support.call_rounds import counted_rounds
from tests.support.command_line import Tokenctl
from tests.support.http_server import hanging
from tokenctl.main import run
from tokenctl.stack import side_by_side

pytestmark = pytest.mark.xdist_group("deployed")

MAX_ROUNDS = 6
"""At 150 ms a call, no command takes more than a second."""


@pytest.mark.parametrize("command", ["status", "doctor", "errors"])
@pytest.mark.usefixtures("tokenctl", "fresh")
def test_few_calls_wait_for_others(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    for _ in range(3):  # a busy machine can part calls that belong together, but never joins others
        with counted_rounds(monkeypatch) as rounds:
            run([command, "--stage", "local"])
        if len(rounds.operations) <= MAX_ROUNDS:
            break
    assert len(rounds.operations) <= MAX_ROUNDS, "\n".join(map(str, rounds.operations))
    assert sum(map(len, rounds.operations)) > 5, "nothing was counted"


@pytest.mark.parametrize("service", ["LAMBDA", "CLOUDFORMATION", "SECRETS_MANAGER", "CLOUDWATCH_LOGS", "SCHEDULER"])
@pytest.mark.parametrize("command", ["status", "doctor", "repair"])
@pytest.mark.usefixtures("fresh")
def test_a_service_that_hangs_delays_only_itself(
    tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch, service: str, command: str
) -> None:
    monkeypatch.setattr(side_by_side, "LIMIT", 2.0)
    with hanging() as url:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        done = tokenctl(command)
    assert done.code == 255 or ("could not be compared" if command == "repair" else "DEGRADED ") in done.out
    assert "o answer within 2 seconds" in done.out + done.err
