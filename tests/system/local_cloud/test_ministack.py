"""MiniStack comes up on a free port with a clean environment, and goes with everything that it started."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from local import child, ministack_start
from local.child import Child, LogInUseError
from local.cloud import LocalCloud
from local.ministack import PYTHON, MiniStack, MiniStackError
from local.standin import StandinControl
from tests.support.checkout import ROOT

pytestmark = pytest.mark.xdist_group("ministack")

PATIENCE = 30
"""Seconds to wait for what comes at once on any machine that is not stuck."""

SHOW_ENVIRONMENT = "import os\ndef handler(event, context):\n    return {**os.environ, 'pid': os.getpid()}\n"

FAIL = """
import os, time
class OutOfInkException(Exception):
    pass
def handler(event, context):
    if event == "exit":
        os._exit(1)
    if event == "sleep":
        time.sleep(60)
    raise OutOfInkException("Buy ink.")
"""


def wait_until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def exists(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def cloud_at(ministack: MiniStack, folder: Path) -> LocalCloud:
    return LocalCloud(ministack.url, StandinControl("http://127.0.0.1:1"), folder)


def create_function(cloud: LocalCloud, name: str, source: str) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", source)
    client = cloud.client("lambda")
    client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="index.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"SETTING": "1"}},
        Timeout=2,
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name)


def answer_of(cloud: LocalCloud, name: str, event: object = None) -> dict[str, Any]:
    answer: dict[str, Any] = json.load(
        cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))["Payload"]
    )
    return answer


def invoke_a_function(cloud: LocalCloud) -> dict[str, Any]:
    """Run a function in the emulator; its environment and process id."""
    create_function(cloud, "show", SHOW_ENVIRONMENT)
    return answer_of(cloud, "show")


def test_it_answers_on_localhost_as_the_local_account(tmp_path: Path) -> None:
    with MiniStack.start(tmp_path) as ministack:
        assert ministack.url == f"http://localhost:{ministack.port}"
        identity = cloud_at(ministack, tmp_path).client("sts").get_caller_identity()
    assert identity["Account"] == "000000000000"


def test_a_caller_sees_the_functions_own_error(tmp_path: Path) -> None:
    with MiniStack.start(tmp_path) as ministack:
        cloud = cloud_at(ministack, tmp_path)
        sqs = cloud.client("sqs")
        queue = sqs.create_queue(QueueName="failures")["QueueUrl"]
        create_function(cloud, "fail", FAIL)
        create_function(cloud, "broken", "import ink")
        answers = {event: answer_of(cloud, "fail", event) for event in ("raise", "exit", "sleep")}
        broken = answer_of(cloud, "broken")
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        cloud.client("lambda").put_function_event_invoke_config(
            FunctionName="fail", MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
        )
        cloud.client("lambda").invoke(FunctionName="fail", InvocationType="Event", Payload=b"{}")
        (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    raised = answers["raise"]
    assert raised.keys() == {"errorMessage", "errorType", "requestId", "stackTrace"}
    assert (raised["errorType"], raised["errorMessage"]) == ("OutOfInkException", "Buy ink.")
    assert "in handler\n" in raised["stackTrace"][0]
    assert answers["exit"]["errorType"] == "Runtime.ExitError"
    assert answers["sleep"]["errorType"] == "Sandbox.Timedout"
    assert broken["errorType"] == "Runtime.ImportModuleError"
    assert json.loads(message["Body"])["responsePayload"]["errorType"] == "OutOfInkException"


def test_another_version_of_ministack_is_found_out() -> None:
    changed = ModuleType("changed")
    changed._PYTHON_WORKER_SCRIPT, changed._execute_function_warm = "another script", print  # type: ignore[attr-defined]
    with pytest.raises(ministack_start.MiniStackChangedError, match="local/ministack_start"):
        ministack_start.fix(changed, changed)


def test_nothing_is_left_of_it_nor_of_its_functions_after_the_block(tmp_path: Path) -> None:
    with MiniStack.start(tmp_path) as ministack:
        worker = invoke_a_function(cloud_at(ministack, tmp_path))["pid"]
        assert exists(worker)
        assert list((tmp_path / "ministack").iterdir())
    wait_until(lambda: not exists(worker))
    assert not exists(ministack.child.pid)
    assert not is_listening(ministack.port)
    assert [path.name for path in tmp_path.iterdir()] == ["ministack.log"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_of_it_when_the_block_raises(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), MiniStack.start(tmp_path) as ministack:
        raise error
    assert not exists(ministack.child.pid)
    assert not is_listening(ministack.port)


def test_nothing_is_left_of_it_when_its_start_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("local.ministack._edition", interrupt)
    with pytest.raises(KeyboardInterrupt):
        MiniStack.start(tmp_path)
    assert (tmp_path / "ministack.log").exists()
    assert not child.in_use(tmp_path / "ministack.log")


def test_a_port_that_is_taken_is_left_alone_and_another_one_used(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with MiniStack.start(tmp_path, port=port) as ministack:
            assert ministack.port != port
            assert is_listening(ministack.port)


def test_a_port_that_is_free_is_the_one_it_gets(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with MiniStack.start(tmp_path, port=port) as ministack:
        assert ministack.port == port


def test_two_of_them_run_side_by_side(tmp_path: Path) -> None:
    with MiniStack.start(tmp_path / "a") as first, MiniStack.start(tmp_path / "b", port=first.port) as second:
        assert first.port != second.port
        cloud_at(first, tmp_path).client("sqs").create_queue(QueueName="only-here")
        assert len(cloud_at(first, tmp_path).client("sqs").list_queues()["QueueUrls"]) == 1
        assert not cloud_at(second, tmp_path).client("sqs").list_queues().get("QueueUrls")


def test_a_port_that_is_lost_between_the_look_and_the_start_is_no_problem(tmp_path: Path) -> None:
    """An interpreter that does what MiniStack does when another program was quicker, but only the first time."""
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\n[ -e {tmp_path}/again ] && exec {PYTHON} "$@"\n'
        f"touch {tmp_path}/again\necho 'ERROR: the port is already in use.'\nexit 1\n"
    )
    python.chmod(0o755)
    with MiniStack.start(tmp_path, python=python) as ministack:
        assert is_listening(ministack.port)


def test_one_that_is_not_installed_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(MiniStackError, match=r"nowhere/python does not exist.*make setup"):
        MiniStack.start(tmp_path, python=tmp_path / "nowhere" / "python")


def test_one_that_does_not_come_up_shows_the_end_of_its_log(tmp_path: Path) -> None:
    # This interpreter has no MiniStack.
    with pytest.raises(MiniStackError, match="No module named"):
        MiniStack.start(tmp_path, python=Path(sys.executable))


def test_no_function_sees_anything_of_the_operators_own_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {
        "AWS_PROFILE": "work",
        "AWS_SESSION_TOKEN": "canary",
        "AWS_ENDPOINT_URL_SECRETSMANAGER": "https://secretsmanager.us-east-1.amazonaws.com",
        "AWS_ENDPOINT_URL": "https://example.com",
        "AWS_ACCESS_KEY_ID": "AKIACANARY",
        "AWS_ROLE_ARN": "arn:aws:iam::111111111111:role/work",
        "DATABASE_PASSWORD": "canary",
    }
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    with MiniStack.start(tmp_path) as ministack:
        seen = invoke_a_function(cloud_at(ministack, tmp_path))
    assert seen["SETTING"] == "1"
    assert seen["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{ministack.port}"
    assert seen["AWS_CONFIG_FILE"] == seen["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert [name for name, value in own.items() if seen.get(name) == value] == []
    assert "AWS_PROFILE" not in seen


def test_it_goes_with_its_owner_even_when_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from local.ministack import MiniStack\n"
        "with MiniStack.start(Path(sys.argv[1])) as m: print(m.child.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    owner = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    assert exists(pid)
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    try:
        wait_until(lambda: not exists(pid))
    except AssertionError:
        os.killpg(pid, signal.SIGKILL)
        raise


def test_a_child_that_ignores_a_polite_end_is_ended_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "POLITE_SECONDS", 0.2)
    script = "trap '' TERM; echo up; while :; do sleep 1; done"
    log = tmp_path / "stubborn.log"
    with Child(["/bin/sh", "-c", script], env={}, log=log) as stubborn:
        wait_until(lambda: "up" in log.read_text())
    assert not exists(stubborn.pid)


def test_a_child_leaves_no_grandchild_behind(tmp_path: Path) -> None:
    log = tmp_path / "parent.log"
    with Child(["/bin/sh", "-c", "sleep 600 & echo $!; wait"], env={}, log=log):
        wait_until(lambda: log.read_text().endswith("\n"))
        grandchild = int(log.read_text())
        assert exists(grandchild)
    wait_until(lambda: not exists(grandchild))


def test_two_children_cannot_write_one_log(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    with Child(["/bin/sleep", "600"], env={}, log=log) as first:
        with pytest.raises(LogInUseError, match=r"still writes .*one\.log"):
            Child(["/bin/sleep", "600"], env={}, log=log)
        assert first.alive()


def test_a_log_that_is_long_or_missing_has_a_short_end(tmp_path: Path) -> None:
    log = tmp_path / "long.log"
    assert child.tail(log) == "(the log is empty)"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    assert child.tail(log).splitlines() == [f"line {number}" for number in range(80, 100)]
