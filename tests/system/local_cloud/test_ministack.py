"""MiniStack starts on a free port with a clean environment, and ends with everything that it started."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from local import child, ministack_start
from local.child import Child, LogInUseError
from local.cloud import LocalCloud
from local.ministack import PYTHON, MiniStack, MiniStackError
from local.standin import StandinControl
from tests.support.checkout import ROOT
from tests.support.emulated_function import SHOW_ENVIRONMENT, create_function, invoke
from tests.support.processes import exists, wait_until

pytestmark = pytest.mark.xdist_group("ministack")

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


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def cloud_at(ministack: MiniStack, folder: Path) -> LocalCloud:
    return LocalCloud(ministack.url, StandinControl("http://127.0.0.1:1"), folder)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("ministack")
    with MiniStack.start(folder) as ministack:
        yield cloud_at(ministack, folder)


class TestErrors:
    def test_callers_see_the_functions_own_error(self, running: LocalCloud) -> None:
        create_function(running, "fail", FAIL)
        create_function(running, "broken", "import ink")
        raised = invoke(running, "fail", "raise")
        create_function(running, "empty", "ink = 0")
        create_function(running, "spilt", "ink =")
        others = [invoke(running, "fail", "exit"), invoke(running, "fail", "sleep")]
        others += [invoke(running, name) for name in ("broken", "empty", "spilt")]
        sqs, lambda_ = running.client("sqs"), running.client("lambda")
        queue = sqs.create_queue(QueueName="failures")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        lambda_.put_function_event_invoke_config(
            FunctionName="fail", MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
        )
        lambda_.invoke(FunctionName="fail", InvocationType="Event", Payload=b"{}")
        (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
        assert raised.keys() == {"errorMessage", "errorType", "requestId", "stackTrace"}
        assert (raised["errorType"], raised["errorMessage"]) == ("OutOfInkException", "Buy ink.")
        assert "in handler\n" in raised["stackTrace"][0]
        runtime = ["ExitError", "ImportModuleError", "HandlerNotFound", "UserCodeSyntaxError"]
        types = [f"Runtime.{name}" for name in runtime]
        types.insert(1, "Sandbox.Timedout")
        assert [answer["errorType"] for answer in others] == types
        assert others[2]["errorMessage"] == "Unable to import module 'index': No module named 'ink'"
        assert others[3]["errorMessage"] == "Handler 'handler' missing on module 'index'"
        assert json.loads(message["Body"])["responsePayload"]["errorType"] == "OutOfInkException"

    def test_another_version_of_ministack_is_refused(self) -> None:
        changed = ModuleType("changed")
        vars(changed).update(_PYTHON_WORKER_SCRIPT="another script", _execute_function_warm=print)
        with pytest.raises(ministack_start.MiniStackChangedError, match="local/ministack_start"):
            ministack_start.fix_errors(changed, changed)
        with pytest.raises(ministack_start.MiniStackChangedError, match="label a secret's versions"):
            ministack_start.fix_labels(changed)
        with pytest.raises(ministack_start.MiniStackChangedError, match="evaluate alarms"):
            ministack_start.fix_alarms(changed)
        with pytest.raises(ministack_start.MiniStackChangedError, match="create alarms"):
            ministack_start.add_alarms(changed, changed)
        with pytest.raises(ministack_start.MiniStackChangedError, match="create resources"):
            ministack_start.fix_resources(changed, changed, changed)


def test_an_alarm_watches_its_own_dimensions(running: LocalCloud) -> None:
    metrics = running.client("cloudwatch")
    for name in ("ours", "theirs"):
        rule = {"Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1}
        above = {"ComparisonOperator": "GreaterThanOrEqualToThreshold"}
        dimensions = [{"Name": "FunctionName", "Value": name}]
        metric = {"Namespace": "Test", "MetricName": "Errors", "Dimensions": dimensions}
        metrics.put_metric_alarm(AlarmName=name, **metric, **rule, **above)
    metrics.put_metric_data(
        Namespace="Test", MetricData=[{"MetricName": "Errors", "Dimensions": dimensions, "Value": 1}]
    )
    states = {alarm["AlarmName"]: alarm["StateValue"] for alarm in metrics.describe_alarms()["MetricAlarms"]}
    assert states == {"ours": "INSUFFICIENT_DATA", "theirs": "ALARM"}


def test_a_composite_alarm_follows_its_parts(running: LocalCloud) -> None:
    stacks, metrics = running.client("cloudformation"), running.client("cloudwatch")
    rule = {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}
    metric = {"Namespace": "Test", "MetricName": "State", "Statistic": "Maximum", "Period": 60}
    maths = {"Metrics": [{"Id": "m", "Expression": "FILL(n, 0)", "ReturnData": True}]}
    resources = {
        "Part": {"Type": "AWS::CloudWatch::Alarm", "Properties": rule | metric},
        "Maths": {"Type": "AWS::CloudWatch::Alarm", "Properties": rule | maths},
        "All": {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {"AlarmRule": {"Fn::Sub": 'ALARM("${Part.Arn}") OR ALARM("${Maths.Arn}")'}},
        },
    }

    def states() -> dict[str, str]:
        answer = metrics.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"], AlarmNamePrefix="Alarms-")
        both = [*answer["MetricAlarms"], *answer["CompositeAlarms"]]
        return {alarm["AlarmName"].split("-")[1]: alarm["StateValue"] for alarm in both}

    stacks.create_stack(StackName="Alarms", TemplateBody=json.dumps({"Resources": resources}))
    stacks.get_waiter("stack_create_complete").wait(StackName="Alarms")
    assert states() == {"Part": "INSUFFICIENT_DATA", "Maths": "INSUFFICIENT_DATA", "All": "OK"}
    metrics.put_metric_data(Namespace="Test", MetricData=[{"MetricName": "State", "Value": 1}])
    assert states() == {"Part": "ALARM", "Maths": "INSUFFICIENT_DATA", "All": "ALARM"}
    stacks.delete_stack(StackName="Alarms")
    stacks.get_waiter("stack_delete_complete").wait(StackName="Alarms")
    assert states() == {}


def test_a_label_belongs_to_one_version(running: LocalCloud) -> None:
    secrets = running.client("secretsmanager")
    secrets.create_secret(Name="pair", SecretString="0")

    def put(version: int, text: str, label: str = "AWSPENDING") -> list[str]:
        token = f"{version:032}"
        put = secrets.put_secret_value(
            SecretId="pair", ClientRequestToken=token, SecretString=text, VersionStages=[label]
        )
        assert put["VersionId"] == token
        return list(put["VersionStages"])

    assert [put(version, str(version)) for version in (1, 2)] == [["AWSPENDING"]] * 2
    assert secrets.get_secret_value(SecretId="pair", VersionStage="AWSPENDING")["SecretString"] == "2"
    assert put(3, "3", "AWSCURRENT") == ["AWSCURRENT"]
    assert put(3, "3") == ["AWSCURRENT"], "the version exists: nothing is done"
    with pytest.raises(secrets.exceptions.ResourceExistsException):
        put(3, "another")
    stages = secrets.describe_secret(SecretId="pair")["VersionIdsToStages"].values()
    assert sorted(stages) == [["AWSCURRENT"], ["AWSPENDING"], ["AWSPREVIOUS"]]


class TestLife:
    def test_nothing_is_left_after_the_block(self, tmp_path: Path) -> None:
        with MiniStack.start(tmp_path) as ministack:
            assert ministack.url == f"http://localhost:{ministack.port}"
            cloud = cloud_at(ministack, tmp_path)
            assert cloud.client("sts").get_caller_identity()["Account"] == "000000000000"
            create_function(cloud, "show", SHOW_ENVIRONMENT)
            worker = invoke(cloud, "show")["pid"]
            assert exists(worker)
            assert list((tmp_path / "ministack").iterdir())
        wait_until(lambda: not exists(worker))
        assert not exists(ministack.child.pid)
        assert not is_listening(ministack.port)
        assert [path.name for path in tmp_path.iterdir()] == ["ministack.log"]

    def test_nothing_is_left_after_an_interruption(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(KeyboardInterrupt), MiniStack.start(tmp_path) as ministack:
            raise KeyboardInterrupt
        assert not exists(ministack.child.pid)

        def interrupt(_: int) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("local.ministack._edition", interrupt)
        with pytest.raises(KeyboardInterrupt):
            MiniStack.start(tmp_path)
        assert not child.in_use(tmp_path / "ministack.log")

    def test_it_ends_when_its_owner_is_killed(self, tmp_path: Path) -> None:
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


class TestStart:
    def test_it_avoids_a_taken_port(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with MiniStack.start(tmp_path / "a", port=port) as first:
                assert first.port != port
                assert is_listening(port)
        with MiniStack.start(tmp_path / "a", port=port) as first, MiniStack.start(tmp_path / "b", port=port) as second:
            assert first.port == port != second.port
            cloud_at(first, tmp_path).client("sqs").create_queue(QueueName="only-here")
            assert not cloud_at(second, tmp_path).client("sqs").list_queues().get("QueueUrls")
            assert len(cloud_at(first, tmp_path).client("sqs").list_queues()["QueueUrls"]) == 1

    def test_it_survives_losing_its_port(self, tmp_path: Path) -> None:
        """The first time this interpreter does what MiniStack does if another process takes the port."""
        python = tmp_path / "python"
        python.write_text(
            f'#!/bin/sh\n[ -e {tmp_path}/again ] && exec {PYTHON} "$@"\n'
            f"touch {tmp_path}/again\necho 'ERROR: the port is already in use.'\nexit 1\n"
        )
        python.chmod(0o755)
        with MiniStack.start(tmp_path, python=python) as ministack:
            assert is_listening(ministack.port)

    @pytest.mark.parametrize(
        ("python", "message"),
        [
            (Path("nowhere/python"), r"nowhere/python does not exist.*make setup"),
            (Path(sys.executable), "No module named 'ministack'"),  # this interpreter does not have it
        ],
    )
    def test_a_failed_start_says_why(self, tmp_path: Path, python: Path, message: str) -> None:
        with pytest.raises(MiniStackError, match=message):
            MiniStack.start(tmp_path, python=python)


class TestChild:
    def test_it_ends_even_if_it_ignores_sigterm(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(child, "POLITE_SECONDS", 0.2)
        script = "trap '' TERM; echo up; while :; do sleep 1; done"
        log = tmp_path / "stubborn.log"
        with Child(["/bin/sh", "-c", script], env={}, log=log) as stubborn:
            wait_until(lambda: "up" in log.read_text())
        assert not exists(stubborn.pid)

    def test_it_leaves_no_grandchild_behind(self, tmp_path: Path) -> None:
        log = tmp_path / "parent.log"
        with Child(["/bin/sh", "-c", "sleep 600 & echo $!; wait"], env={}, log=log):
            wait_until(lambda: log.read_text().endswith("\n"))
            grandchild = int(log.read_text())
            assert exists(grandchild)
        wait_until(lambda: not exists(grandchild))

    def test_two_children_cannot_share_a_log(self, tmp_path: Path) -> None:
        log = tmp_path / "one.log"
        with Child(["/bin/sleep", "600"], env={}, log=log) as first:
            with pytest.raises(LogInUseError, match=r"still writes .*one\.log"):
                Child(["/bin/sleep", "600"], env={}, log=log)
            assert first.alive()
