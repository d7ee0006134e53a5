"""`tokenctl status`: text, JSON, watching, and what cannot be read."""

import json
import signal
import subprocess
import time
from datetime import timedelta

import pytest

from local.deployment import TOKENCTL, Deployment
from tests.support.checkout import ROOT
from tests.support.command_line import Tokenctl, environment, on_terminal
from tests.support.http_server import answering

pytestmark = pytest.mark.xdist_group("stack")

DAYS_30 = timedelta(days=30)
LIFE = {"refreshedAt": "2026-01-01T00:00:00Z"}
DENIED = json.dumps({"message": "no"}), {"x-amzn-errortype": "AccessDeniedException"}


@pytest.mark.usefixtures("schedule")
def test_the_screen_shows_window_life_versions_outcome_schedule_alarms_and_queue(
    tokenctl: Tokenctl, stack: Deployment
) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    tokenctl("refresh", "--yes")
    version, _ = stack.current()
    deadline = time.monotonic() + 10
    while version not in json.dumps(tokenctl("status", "--output", "json").json["lastOutcome"]):
        assert time.monotonic() < deadline
    done = tokenctl("status")
    assert (done.code, done.err) == (0, "")
    shown = "\n".join(line.rstrip() for line in done.out.splitlines())
    for sight in (
        *("RefreshToken-local in us-east-1", "fresh: nothing to do", "0% of 90 days", "(in 90 days)", "refreshed 20"),
        *(
            f"{version[:13]} AWSCURRENT",
            "AWSPREVIOUS",
            "ENABLED rate(12 hours)\n",
            " next run about 20",
            "(in 12 hours)",
        ),
        *(" TokenExpires", " FunctionErrors", "dead letters"),
    ):
        assert sight in shown, sight


@pytest.mark.parametrize(
    ("left", "window"),
    [(DAYS_30, "fresh"), (timedelta(days=3), "advisory"), (timedelta(hours=3), "mandatory"), (-DAYS_30, "expired")],
    ids=["fresh", "advisory", "mandatory", "expired"],
)
def test_json_tells_the_window_that_the_function_acts_on(
    tokenctl: Tokenctl, stack: Deployment, left: timedelta, window: str
) -> None:
    version = stack.seed(stack.cloud.standin.grant(), expires_in=left, **LIFE)
    report = tokenctl("status", "--output", "json").json
    token = report["token"]
    assert (token["versionId"], token["window"]) == (version, window)
    assert token["secondsLeft"] == pytest.approx(left.total_seconds(), abs=20)
    assert 0 < token["lifeUsed"] <= 1
    assert report["versions"][0]["versionId"] == version
    assert report["versions"][0]["stages"] == ["AWSCURRENT"]


def test_the_keys_of_the_json_are_the_documented_ones(tokenctl: Tokenctl, stack: Deployment) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    report = tokenctl("status", "--output", "json").json
    documented = (ROOT / "docs" / "cli.md").read_text()
    keys = {*report, *report["token"], *report["versions"][0], *report["schedule"], *report["alarms"][0]}
    keys |= {*report["deadLetterQueue"], *(report["lastOutcome"] or {})}
    assert [key for key in sorted(keys) if f"`{key}`" not in documented] == []
    deployed = stack.cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {alarm["name"] for alarm in report["alarms"]} == {alarm["AlarmName"] for alarm in deployed}


@pytest.mark.parametrize("words", [("status",), ("doctor", "--before-deployment")], ids=["status", "doctor"])
def test_colours_are_shown_on_a_terminal_or_as_asked(
    tokenctl: Tokenctl, stack: Deployment, terminal_env: dict[str, str], words: tuple[str, ...]
) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    green, escape = "\x1b[32m", "\x1b["
    env = {**terminal_env, "TERM": "xterm"}
    assert escape not in tokenctl(*words).out
    assert green in tokenctl(*words, "--color", "on").out
    assert green in on_terminal(env, *words, "--stage", "local").out
    assert escape not in on_terminal(env, *words, "--stage", "local", "--color", "off").out


def test_a_failed_refresh_is_the_last_outcome(tokenctl: Tokenctl, stack: Deployment) -> None:
    version = stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    stack.cloud.standin.revoke()
    tokenctl("refresh", "--yes")
    deadline = time.monotonic() + 10
    while (outcome := tokenctl("status", "--output", "json").json["lastOutcome"])["versionId"] != version:
        assert time.monotonic() < deadline
    assert (outcome["outcome"], outcome["reason"]) == ("failed", "ReauthorizationRequiredException")
    done = tokenctl("status")
    assert "ReauthorizationRequiredException: " in done.out


def test_an_alarm_that_rings_and_a_queue_that_is_not_empty_stand_out(tokenctl: Tokenctl, stack: Deployment) -> None:
    cloudwatch, sqs = stack.cloud.client("cloudwatch"), stack.cloud.client("sqs")
    stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    name = next(
        alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"] if "Errors" in alarm["AlarmName"]
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    sqs.send_message(QueueUrl=stack.outputs["DeadLetterQueueUrl"], MessageBody="a test")
    try:
        done = tokenctl("status")
    finally:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")
        sqs.purge_queue(QueueUrl=stack.outputs["DeadLetterQueueUrl"])
    assert "ALARM FunctionErrors" in done.out
    assert "The refresh function raised an error." in done.out
    assert "1 waiting" in done.out
    assert "DISABLED rate(1 minute)" in done.out


def test_what_cannot_be_read_says_why_and_the_rest_is_shown(
    tokenctl: Tokenctl, stack: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.cloud.client("secretsmanager").put_secret_value(SecretId=stack.outputs["SecretArn"], SecretString="{}")
    with answering(403, *DENIED) as url:
        for service in ("SCHEDULER", "LAMBDA"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        done = tokenctl("status")
        report = tokenctl("status", "--output", "json").json
    assert done.code == 0
    assert "holds no token pair yet" in done.out
    assert "(AccessDeniedException) when calling the ListSchedules operation" in " ".join(done.out.split())
    assert "AWSCURRENT" in done.out
    assert "GetFunctionConfiguration" in report["lastOutcome"]["error"]
    assert report["deadLetterQueue"] == {"messages": 0}


def test_without_a_stack_there_is_one_line_and_exit_code_253(tokenctl: Tokenctl) -> None:
    done = tokenctl("status", "--stage", "nowhere")
    assert (done.code, done.out) == (253, "")
    assert "There is no stack RefreshToken-nowhere" in done.err


def test_watching_redraws_until_ctrl_c_and_ends_cleanly(stack: Deployment, terminal_env: dict[str, str]) -> None:
    grant = stack.cloud.standin.grant()
    stack.seed(grant, expires_in=DAYS_30)
    sight = "every 0.1 s; Ctrl-C ends"
    words = ("status", "--stage", "local", "--watch", "0.1")
    done = on_terminal(terminal_env, *words, dialogue=[(sight, ""), (sight, signal.SIGINT)])
    assert done.code == 0
    assert "Traceback" not in done.out
    assert grant.access_token not in done.out


def test_watching_as_json_is_one_line_each_time(stack: Deployment, terminal_env: dict[str, str]) -> None:
    version = stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    words = [*TOKENCTL, "status", "--stage", "local", "--output", "json", "--watch", "0.1"]
    with subprocess.Popen(
        words, env=environment(terminal_env), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert [json.loads(line)["token"]["versionId"] for line in lines] == [version, version]
    assert (process.returncode, err) == (0, "")


def test_the_demo_seeds_and_looks_with_tokenctl(played: object) -> None:
    printed = played.printed  # type: ignore[attr-defined]
    for sight in ("tokenctl seed", "Output of `tokenctl status`", "0% of 90 days", "last outcome  refreshed"):
        assert sight in printed
