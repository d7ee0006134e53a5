"""`tokenctl status`: text, JSON, watching, and what cannot be read."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from local.deployment import TOKENCTL, Deployment
from refresh_token.signals import Alarm
from tests.support.changed_by_hand import (
    break_the_code,
    delete_the_alias,
    delete_the_log_group,
    delete_the_queue,
    delete_the_schedule,
    delete_the_table,
    end_the_schedule,
    exchange_the_table,
    mix_the_stages,
    move_the_label,
    named,
    throttle,
)
from tests.support.checkout import ROOT
from tests.support.command_line import Tokenctl, check_schema, environment, on_terminal
from tests.support.deployed_stack import AwsAnswers, put_secret
from tests.support.events import TICK
from tests.support.processes import wait_until
from tests.support.windows import FRESH, LEFT
from tokenctl.terminal.status_screen import render

pytestmark = pytest.mark.xdist_group("deployed")

LIFE = {"refreshedAt": "2026-01-01T00:00:00Z"}
DENIED = json.dumps({"message": "no"}), {"x-amzn-errortype": "AccessDeniedException"}


def outcome_of(version: str, tokenctl: Tokenctl) -> Any:
    """Wait until the log shows the outcome of a refresh; return what status says about it."""

    def read() -> Any:
        outcome = tokenctl("status", "--output", "json").json["lastOutcome"]
        return outcome if version in json.dumps(outcome) else None

    return wait_until(read)


@pytest.fixture
def calm(tokenctl: Tokenctl, fresh: str) -> str:
    """Wait until no crash of an earlier test counts: it does so for the rest of its minute, after a success as well."""
    reasons = tokenctl("status", "--output", "json").json["failures"]["byReason"]
    if Alarm.FUNCTION_CRASHES in reasons:
        time.sleep(61 - time.time() % 60)
    return fresh


class TestTheScreen:
    @pytest.mark.usefixtures("calm")
    def test_shows_every_part(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        tokenctl("refresh", "--yes")
        version, _ = stack.current()
        outcome_of(version, tokenctl)
        done = tokenctl("status")
        assert (done.code, done.err) == (0, "")
        shown = "\n".join(line.rstrip() for line in done.out.splitlines())
        for sight in (
            *(
                "RefreshToken-local in us-east-1",
                "\nHEALTHY\n",
                "fresh: nothing to do",
                "life left: 100% of 90 days",
                "(in 90 days)",
            ),
            *("refreshed 20", f"{version[:13]} AWSCURRENT", "AWSPREVIOUS", "ENABLED rate(12 hours)\n"),
            *(" next run about 20", "(in 12 hours)", " TokenExpires", " FunctionErrors", "dead letters"),
        ):
            assert sight in shown, sight

    @pytest.mark.usefixtures("calm", "trouble")
    def test_makes_trouble_stand_out(self, tokenctl: Tokenctl) -> None:
        done = tokenctl("status")
        shown = done.out
        why = "the schedule is DISABLED; in ALARM: FunctionErrors, TokenExpires; 1 message in the dead-letter queue"
        assert f"DEGRADED {why}" in " ".join(shown.split())
        assert done.code == 1
        for sight in ("ALARM FunctionErrors", "The function fails through a fault of this", "ALARM TokenExpires"):
            assert sight in shown
        report = tokenctl("status", "--output", "json").json
        report["versions"] *= 9
        report["alarms"] *= 2  # a stack with a fleet has two of some
        report["lastOutcome"] = {
            "at": "2026-11-26T11:00:00Z",
            "outcome": "failed",
            "reason": "X",
            "detail": "Why. " * 30,
        }
        console = Console(width=80, height=24)
        with console.capture() as watched:
            console.print(render(report, interval=5))
        lines = watched.get().splitlines()
        assert (len(lines) < 24, "1 waiting" in lines[-1]) == (True, True), "it fits a small terminal when watched"
        assert "alarms ALARM FunctionErrors, TokenExpires " in " ".join(watched.get().split())
        assert "1 waiting" in shown
        assert "DISABLED rate(12 hours)" in shown

    def test_shows_a_failed_refresh_until_it_is_mended(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        left = LEFT["advisory"]
        assert left
        version = stack.seed(stack.cloud.standin.grant(), expires_in=left, **LIFE)
        stack.cloud.standin.revoke()
        stack.invoke(TICK)
        outcome = outcome_of(version, tokenctl)
        assert (outcome["outcome"], outcome["reason"]) == ("failed", "ReauthorizationRequiredException")
        done = tokenctl("status")
        shown = " ".join(done.out.split())
        sign_in = "`tokenctl authorize --stage local --client-id <id of the app>`"
        assert f"DEAD: sign in again with {sign_in}. The issuer refused it; consumers get the token until 20" in shown
        assert done.code == 2
        assert "advisory: the issuer refused the grant: consumers get the token until it ends" in shown
        assert "ReauthorizationRequiredException: " in shown
        examined = tokenctl("doctor")
        assert examined.out.splitlines()[-1].startswith(f"DEAD: sign in again with {sign_in}. ")
        grant = examined.line("grant")
        assert grant.startswith("FAIL  grant         the issuer refused the grant ")
        assert "consumers get the token until 20" in grant
        assert f"Fix: {sign_in}." in grant

        stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
        shown = " ".join(tokenctl("status").out.split())
        assert "fresh: nothing to do" in shown
        assert ", for an earlier version)" in shown
        assert "DEAD" not in shown
        assert tokenctl("doctor").line("grant").startswith("OK")

    @pytest.mark.parametrize("words", [("status",), ("doctor", "--before-deployment")], ids=["status", "doctor"])
    @pytest.mark.usefixtures("fresh")
    def test_is_coloured_on_terminals_or_on_request(
        self, tokenctl: Tokenctl, terminal_env: dict[str, str], words: tuple[str, ...]
    ) -> None:
        green, escape = "\x1b[32m", "\x1b["
        env = {**terminal_env, "TERM": "xterm"}
        assert escape not in tokenctl(*words).out
        assert green in tokenctl(*words, "--color", "on").out
        assert green in on_terminal(env, *words, "--stage", "local").out
        assert escape not in on_terminal(env, *words, "--stage", "local", "--color", "off").out


class TestJson:
    @pytest.mark.usefixtures("fresh")
    def test_all_alarms_are_there(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        report = tokenctl("status", "--output", "json").json
        deployed = stack.cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
        assert {alarm["name"] for alarm in report["alarms"]} == {alarm["AlarmName"] for alarm in deployed}


class TestWatch:
    def test_redraws_until_ctrl_c(self, fresh: str, terminal_env: dict[str, str]) -> None:
        sight = "every 0.1 s; Ctrl-C ends"
        words = ("status", "--stage", "local", "--watch", "0.1")
        done = on_terminal(terminal_env, *words, dialogue=[(sight, ""), (sight, signal.SIGINT)])
        assert done.code == 0
        assert "Traceback" not in done.out
        assert fresh not in done.out

    def test_as_json_writes_json_lines(self, stack: Deployment, terminal_env: dict[str, str]) -> None:
        version = stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
        words = [*TOKENCTL, "status", "--stage", "local", "--output", "json", "--watch", "0.1"]
        with subprocess.Popen(
            words, env=environment(terminal_env), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            lines = [process.stdout.readline() for _ in range(2)]
            process.send_signal(signal.SIGINT)
            _, err = process.communicate()
        for line in lines:
            check_schema(words, line)
        assert [json.loads(line)["token"]["versionId"] for line in lines] == [version, version]
        assert (process.returncode, err) == (0, "")


REPAIR = "`tokenctl repair --stage local`"
STOPPED: dict[str, tuple[Callable[[Deployment], None], str]] = {
    "throttled": (throttle, f"run {REPAIR}. The function's reserved concurrency is 0, as the button Throttle sets it,"),
    "alias deleted": (delete_the_alias, f"run {REPAIR}. The function has no alias `live`, which consumers and the"),
    "another stage's": (
        mix_the_stages,
        f"run {REPAIR}. The version that consumers call does not use what is the stack's",
    ),
    "table gone": (delete_the_table, f"run {REPAIR}. RefreshToken-local-LockTable"),
    "another key": (exchange_the_table, "run `aws dynamodb delete-table --table-name RefreshToken-local-LockTable"),
}
"""What keeps the function from working, and what the verdict says then."""


@pytest.mark.parametrize(("spoil", "advice"), STOPPED.values(), ids=STOPPED)
@pytest.mark.usefixtures("calm")
def test_a_function_that_cannot_work_is_dead(
    tokenctl: Tokenctl, stack: Deployment, spoil: Callable[[Deployment], None], advice: str
) -> None:
    spoil(stack)
    done, report = tokenctl("status"), tokenctl("status", "--output", "json")
    examined, findings = tokenctl("doctor"), tokenctl("doctor", "--output", "json")
    if spoil is exchange_the_table:
        stack.cloud.client("dynamodb").delete_table(TableName=named(stack, "LockTable"))
    assert tokenctl("repair", "--yes").code == 0
    verdict = examined.out.splitlines()[-1]
    assert verdict.startswith(f"DEAD: {advice}")
    assert verdict in " ".join(done.out.split())
    assert report.json["verdict"]["health"] == "DEAD"
    assert findings.json[-1]["text"] == verdict
    assert [each.code for each in (done, report, examined, findings)] == [2, 2, 2, 2]
    assert tokenctl("status").code == 0


@pytest.mark.usefixtures("fresh")
def test_a_function_that_fails_every_request_is_dead(tokenctl: Tokenctl, stack: Deployment) -> None:
    break_the_code(stack)
    before = tokenctl("status", "--output", "json").json
    time.sleep(61 - time.time() % 60)  # metrics have whole minutes
    assert [stack.invoke(event).failed for event in ({}, TICK)] == [True, True]
    done, report, examined = tokenctl("status"), tokenctl("status", "--output", "json"), tokenctl("doctor")
    assert tokenctl("repair", "--yes").code in {0, 1, 2}
    assert before["failures"]["allFailed"] is False
    assert (report.json["failures"]["allFailed"], done.code, report.code, examined.code) == (True, 2, 2, 2)
    verdict = "DEAD: see docs/runbook.md#functioncrashes. Every request has failed since "
    assert verdict in " ".join(done.out.split())
    assert examined.out.splitlines()[-1].startswith(verdict)
    assert examined.line("errors").startswith("FAIL  errors        every request has failed since ")
    assert not stack.invoke(TICK).failed
    assert tokenctl("status", "--output", "json").json["failures"]["allFailed"] is False


SILENT: dict[str, tuple[Callable[[Deployment], None], str, str]] = {
    "ended": (end_the_schedule, "the schedule ended 20", "schedule"),
    "gone": (delete_the_schedule, "the schedule is gone", "schedule"),
    "log gone": (delete_the_log_group, "the function's log group is gone", "errors"),
    "queue gone": (delete_the_queue, "the dead-letter queue is gone", "dead letters"),
}
"""What breaks without an effect on consumers yet, how the verdict begins, and which check of the doctor finds it."""


@pytest.mark.parametrize(("spoil", "why", "check"), SILENT.values(), ids=SILENT)
@pytest.mark.usefixtures("calm")
def test_a_part_that_no_longer_works_is_named(
    tokenctl: Tokenctl, stack: Deployment, spoil: Callable[[Deployment], None], why: str, check: str
) -> None:
    spoil(stack)
    done, line = tokenctl("status"), tokenctl("doctor").line(check)
    assert tokenctl("repair", "--yes").code in {0, 1}
    assert done.out.splitlines()[1].startswith(f"DEGRADED {why}"), done.out
    assert (done.code, line[:2] == "OK", "`tokenctl repair --stage local`" in line) == (1, False, True), line
    assert tokenctl("doctor").line("changes").startswith("OK")


def test_a_label_that_somebody_moved_is_named(tokenctl: Tokenctl, stack: Deployment) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
    time.sleep(1)  # versions have whole seconds
    newer = stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
    move_the_label(stack)
    done, line = tokenctl("status"), tokenctl("doctor").line("secret")
    assert done.out.splitlines()[1].startswith("DEGRADED somebody has moved AWSCURRENT to an older version")
    assert line.startswith("WARN  secret        somebody has moved AWSCURRENT to an older version")
    assert newer in tokenctl("status", "--output", "json").json["versions"][0].values()
    assert tokenctl("seed", "--from-version", "AWSPREVIOUS", "--yes").code == 0
    assert tokenctl("doctor").line("secret").startswith("OK")


class TestWhatCannotBeRead:
    def test_a_part_says_why(self, tokenctl: Tokenctl, stack: Deployment, aws_answers: AwsAnswers) -> None:
        put_secret(stack, SecretString="{}")
        for service in ("SCHEDULER", "LAMBDA"):
            aws_answers(service, 403, *DENIED)
        done = tokenctl("status")
        report = tokenctl("status", "--output", "json").json
        assert (done.code, report["verdict"]["health"]) == (2, "DEAD")
        assert "holds no token pair yet" in done.out
        assert "(AccessDeniedException) when calling the ListSchedules operation" in " ".join(done.out.split())
        assert "AWSCURRENT" in done.out
        assert "GetFunctionConfiguration" in report["lastOutcome"]["error"]
        assert report["deadLetterQueue"] == {"messages": 0}

    def test_a_missing_stack_is_253(self, tokenctl: Tokenctl) -> None:
        done = tokenctl("status", "--stage", "nowhere")
        assert (done.code, done.out) == (253, "")
        assert "There is no stack RefreshToken-nowhere" in done.err
