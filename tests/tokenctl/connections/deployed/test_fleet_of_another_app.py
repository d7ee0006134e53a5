"""A fleet that stands alone in the stack of another app: what tokenctl sees of it. Its functions have no code."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from aws_cdk import App, Stack

from local.cloud import LocalCloud
from tests.support.command_line import Done, Tokenctl
from tests.support.in_this_process import call_with, run_tokenctl
from tests.support.somebodys_stack import template_of
from token_refresher import ConnectionFleet, Issuer

pytestmark = pytest.mark.xdist_group("connections-deployed")

STACK, PATH = "Somebodys", "/somebodys"
CHECKS = (
    *("stack", "alarms", "fleet table", "fleet indexes", "fleet key", "ask", "worker", "dispatcher", "mapping"),
    *("dispatches", "queues", "app secrets", "connections", "brake"),
)


@dataclass(frozen=True)
class Theirs:
    cloud: LocalCloud
    resources: dict[str, list[str]]

    @property
    def ask(self) -> str:
        (found,) = [name for name in self.resources["AWS::Lambda::Function"] if "AskFunction" in name]
        return found


@pytest.fixture(scope="module")
def theirs(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theirs]:
    asset = tmp_path_factory.mktemp("bundle") / ("0" * 64)
    asset.mkdir()
    stack = Stack(App(), STACK)
    ConnectionFleet(
        stack,
        "Fleet",
        providers=[Issuer.profile("linear")],
        asset=asset,
        emulator=True,
        client_layer=False,
        parameter_path=PATH,
    )
    template = template_of(stack)
    del template["Rules"], template["Parameters"]
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"] = {"ZipFile": "pass"}
    client = cloud.client("cloudformation")
    client.create_stack(StackName=STACK, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    client.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    resources: dict[str, list[str]] = {}
    for page in client.get_paginator("list_stack_resources").paginate(StackName=STACK):
        for found in page["StackResourceSummaries"]:
            resources.setdefault(found["ResourceType"], []).append(found["PhysicalResourceId"])
    (app,) = resources["AWS::SecretsManager::Secret"]
    credentials = json.dumps({"clientId": "id", "clientSecret": "secret"})
    cloud.client("secretsmanager").put_secret_value(SecretId=app, SecretString=credentials)
    yield Theirs(cloud, resources)
    client.delete_stack(StackName=STACK)


@pytest.fixture
def command(theirs: Theirs, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Tokenctl:
    call_with(monkeypatch, theirs.cloud.exports | {"COLUMNS": "120"})

    def run(*words: str, stdin: str | bytes = "") -> Done:
        return run_tokenctl(list(words), stdin, monkeypatch, capfd)

    return run


NAMES: dict[str, Callable[[Theirs], tuple[str, str]]] = {
    "stack": lambda _: ("--stack-name", STACK),
    "path": lambda _: ("--parameter-path", PATH),
    "function": lambda theirs: ("--function-name", theirs.ask),
}


@pytest.mark.parametrize("named", NAMES.values(), ids=NAMES)
def test_every_part_is_seen(theirs: Theirs, command: Tokenctl, named: Callable[[Theirs], tuple[str, str]]) -> None:
    option = named(theirs)
    status = command("status", *option)
    shown = " ".join(status.out.split())
    assert (status.code, "HEALTHY connections 0 active none is due" in shown) == (0, True), status.out + status.err
    assert command("status", *option, "--output", "json").json["stack"] == STACK
    doctor = command("doctor", *option)
    assert [doctor.line(check)[:4] for check in CHECKS] == ["OK  "] * len(CHECKS), doctor.out
    assert doctor.out.splitlines()[-1] == "HEALTHY"
    assert command("errors", *option).out == "Nothing failed in the last day.\n"
    assert command("dead-letters", *option).out == "The dead-letter queue is empty.\n"
    assert command("logs", *option, "--part", "ask").code == 0
    assert "Give one of ask, worker, dispatcher with --part" in command("logs", *option).err


def test_a_stopped_schedule_is_told(theirs: Theirs, command: Tokenctl) -> None:
    client = theirs.cloud.client("scheduler")
    (group,) = theirs.resources["AWS::Scheduler::ScheduleGroup"]
    (found,) = client.list_schedules(GroupName=group)["Schedules"]
    schedule = client.get_schedule(Name=found["Name"], GroupName=group)
    kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    settings: dict[str, Any] = {key: schedule[key] for key in kept}
    client.update_schedule(**settings, State="DISABLED")
    status, line = command("status", "--stack-name", STACK), command("doctor", "--stack-name", STACK).line("dispatches")
    client.update_schedule(**settings, State="ENABLED")
    assert (status.code, "the dispatcher's rate(1 minute) is DISABLED" in " ".join(status.out.split())) == (1, True)
    assert line.startswith("FAIL")
    assert "Fix: deploy it again and revert its drift" in line
