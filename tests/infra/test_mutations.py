"""The tests of the templates can fail: they notice each of many broken stacks."""

import copy
import inspect
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.infra import test_encryption, test_monitoring, test_stack
from tests.support import policies
from tests.support.synthesised import APP_SECRET, VARIANTS, Resource, Synthesised

pytestmark = pytest.mark.xdist_group("synth")

Test = Callable[[Synthesised], None]
Break = Callable[[dict[str, Any]], None]


def on_a_stage(*modules: Any) -> list[Test]:
    """Return the tests that take a stage's template and nothing else."""
    tests = [test for module in modules for place in (module, *classes(module)) for test in members(place, "test_")]
    return [test for test in tests if list(inspect.signature(test).parameters) == ["every_stage"]]


def classes(module: Any) -> list[Any]:
    return [kind() for kind in members(module, "Test") if inspect.isclass(kind)]


def members(place: Any, prefix: str) -> list[Any]:
    return [getattr(place, name) for name in dir(place) if name.startswith(prefix)]


ALL_TESTS = [*policies.CHECKS, *on_a_stage(test_monitoring, test_encryption, test_stack)]


def notice(tests: Iterable[Test], broken: Synthesised) -> list[str]:
    """Return the names of the tests that fail."""
    found = []
    for test in tests:
        try:
            test(broken)
        except (AssertionError, KeyError, ValueError):
            found.append(getattr(test, "__name__", ""))
    return found


def documents(node: Any) -> Iterator[dict[str, Any]]:
    """Find every policy document in a template."""
    if isinstance(node, dict):
        if "Statement" in node:
            yield node
        for value in node.values():
            yield from documents(value)
    elif isinstance(node, list):
        for value in node:
            yield from documents(value)


def widenings(statement: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the statement in every way that allows more or denies less."""
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    service = actions[0].partition(":")[0]
    for action in (f"{service}:*", "*", "iam:PassRole"):
        yield f"and may {action}", {**statement, "Action": [*actions, action]}
    if statement.get("Resource", "*") != "*":
        yield "on everything", {**statement, "Resource": "*"}
        yield "on one thing more", {**statement, "Resource": [statement["Resource"], "arn:aws:s3:::other"]}
    if "Condition" in statement:
        yield "on no condition", {key: value for key, value in statement.items() if key != "Condition"}
        for operator, conditions in statement["Condition"].items():
            for key in conditions:
                left = {name: value for name, value in conditions.items() if name != key}
                yield f"without {key}", {**statement, "Condition": {operator: left}}
    if "Principal" in statement:
        yield "by anybody", {**statement, "Principal": "*"}
        yield "by another account", {**statement, "Principal": {"AWS": "arn:aws:iam::999999999999:root"}}


@pytest.mark.parametrize("variant", VARIANTS)
def test_any_wider_statement_is_noticed(synthesised: Callable[[str], Synthesised], variant: str) -> None:
    whole = synthesised(variant)
    template = whole.template
    assert notice(policies.CHECKS, whole) == []
    unnoticed, tried = [], 0
    for number, document in enumerate(documents(template)):
        for place, statement in enumerate(document["Statement"]):
            variants = [*widenings(statement), ("not at all", None)] if statement["Effect"] == "Deny" else []
            for what, wider in variants or widenings(statement):
                broken = copy.deepcopy(template)
                statements = list(documents(broken))[number]["Statement"]
                statements[place : place + 1] = [] if wider is None else [wider]
                tried += 1
                if wider != statement and not notice(policies.CHECKS, replace(whole, template=broken)):
                    unnoticed.append((statement, what))
        broken = copy.deepcopy(template)
        list(documents(broken))[number]["Statement"].append({"Effect": "Allow", "Action": "*", "Resource": "*"})
        if not notice(policies.CHECKS, replace(whole, template=broken)):
            unnoticed.append((document, "one statement more"))
    assert unnoticed == []
    assert tried > 60


def every(kind: str, change: Callable[[Resource], object]) -> Break:
    """Change the properties of all resources of a type."""

    def apply(template: dict[str, Any]) -> None:
        found = [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]
        assert found
        for properties in found:
            change(properties)

    return apply


def without(kind: str, *keys: str) -> Break:
    return every(kind, lambda properties: [properties.pop(key, None) for key in keys])


def having(kind: str, **values: object) -> Break:
    return every(kind, lambda properties: properties.update(values))


def added(kind: str, **properties: object) -> Break:
    return lambda template: template["Resources"].update(New={"Type": kind, "Properties": properties})


def removed(kind: str) -> Break:
    def apply(template: dict[str, Any]) -> None:
        for name in [name for name, one in template["Resources"].items() if one["Type"] == kind]:
            del template["Resources"][name]

    return apply


def kept(kind: str, policy: str) -> Break:
    def apply(template: dict[str, Any]) -> None:
        for one in template["Resources"].values():
            if one["Type"] == kind:
                one["DeletionPolicy"] = one["UpdateReplacePolicy"] = policy

    return apply


def one_alarm_less(template: dict[str, Any]) -> None:
    name = next(name for name, one in template["Resources"].items() if one["Type"] == "AWS::CloudWatch::Alarm")
    del template["Resources"][name]


def environment(**variables: object) -> Break:
    """Change variables of the function's environment; None removes one."""

    def change(function: Resource) -> None:
        changed = {**function["Environment"]["Variables"], **variables}
        function["Environment"]["Variables"] = {key: value for key, value in changed.items() if value is not None}

    return every(FUNCTION, change)


def renamed_dimension(properties: Resource) -> None:
    properties["Dimensions"] = [{**one, "Name": one["Name"].lower() + "s"} for one in properties["Dimensions"]]


ALARM, QUEUE, TABLE = "AWS::CloudWatch::Alarm", "AWS::SQS::Queue", "AWS::DynamoDB::Table"
FUNCTION, SECRET, SCHEDULE = "AWS::Lambda::Function", "AWS::SecretsManager::Secret", "AWS::Scheduler::Schedule"
BREAKS: dict[str, tuple[str, Break]] = {
    "alarms publish nowhere": ("dev", without(ALARM, "AlarmActions")),
    "alarms do not publish that they are over": ("dev", without(ALARM, "OKActions")),
    "alarms are switched off": ("dev", having(ALARM, ActionsEnabled=False)),
    "alarms watch a missing resource": ("dev", every(ALARM, renamed_dimension)),
    "alarms take silence for health": ("dev", having(ALARM, TreatMissingData="notBreaching")),
    "alarms wait for more": ("dev", having(ALARM, Threshold=2)),
    "alarms need three periods": ("dev", having(ALARM, EvaluationPeriods=3)),
    "alarms name no runbook entry": ("dev", having(ALARM, AlarmDescription="Something is wrong.")),
    "an alarm is missing": ("dev", one_alarm_less),
    "the topic is not encrypted": ("dev", without("AWS::SNS::Topic", "KmsMasterKeyId")),
    "the topic takes plain HTTP": ("dev", removed("AWS::SNS::TopicPolicy")),
    "keys are not rotated": ("prod", having("AWS::KMS::Key", EnableKeyRotation=False)),
    "the secret lacks its own key": ("prod", without(SECRET, "KmsKeyId")),
    "the secret is filled by the template": ("dev", having(SECRET, SecretString="{}")),
    "the secret is deleted with the stack": ("prod", kept(SECRET, "Delete")),
    "the secret stays": ("dev", kept(SECRET, "Retain")),
    "the app's secret lacks its own key": ("prod-figma", without(APP_SECRET, "KmsKeyId")),
    "the app's secret is filled by the template": ("dev-oauth2", having(APP_SECRET, SecretString="{}")),
    "the app's secret is deleted with the stack": ("prod-figma", kept(APP_SECRET, "Delete")),
    "the app's secret stays": ("dev-oauth2", kept(APP_SECRET, "Retain")),
    "there is no secret of the app": ("prod-figma", removed(APP_SECRET)),
    "there is an unused secret of an app": ("dev", added(APP_SECRET)),
    "the function reads the pair for the app's credentials": (
        "prod-figma",
        environment(APP_SECRET_ARN={"Fn::GetAtt": [SECRET, "Id"]}),
    ),
    "the function asks another issuer": ("prod-figma", environment(ISSUER=None)),
    "the function asks over http": ("prod-figma", environment(ALLOW_HTTP_ISSUER="true")),
    "the app's credentials are in the environment": ("dev-oauth2", environment(OAUTH2_CLIENT_SECRET="x")),
    "nobody finds the app's secret": ("prod-figma", lambda template: template["Outputs"].pop("AppSecretArn")),
    "the queue is not encrypted": ("dev", without(QUEUE, "SqsManagedSseEnabled")),
    "the queue forgets": ("dev", without(QUEUE, "MessageRetentionPeriod")),
    "the queue takes plain HTTP": ("dev", removed("AWS::SQS::QueuePolicy")),
    "claims never end": ("dev", without(TABLE, "TimeToLiveSpecification")),
    "the table cannot be recovered": ("dev", without(TABLE, "PointInTimeRecoverySpecification")),
    "logs are kept forever": ("dev", without("AWS::Logs::LogGroup", "RetentionInDays")),
    "failed events are retried": ("dev", having("AWS::Lambda::EventInvokeConfig", MaximumRetryAttempts=2)),
    "failed events are lost": ("dev", without("AWS::Lambda::EventInvokeConfig", "DestinationConfig")),
    "the alias stays where it was": ("dev", having("AWS::Lambda::Alias", FunctionVersion="1")),
    "the schedule is late": ("dev", having(SCHEDULE, FlexibleTimeWindow={"Mode": "FLEXIBLE"})),
    "the layer misses a Python": ("dev", having("AWS::Lambda::LayerVersion", CompatibleRuntimes=["python3.13"])),
    "anybody may call the function": ("dev", added("AWS::Lambda::Permission", Principal="*")),
    "the function has an address": ("dev", added("AWS::Lambda::Url", AuthType="NONE")),
    "anybody may use the layer": ("dev", added("AWS::Lambda::LayerVersionPermission", Principal="*")),
    "there is another role": ("dev", added("AWS::IAM::Role", AssumeRolePolicyDocument={})),
    "a role has a managed policy": ("dev", having("AWS::IAM::Role", ManagedPolicyArns=["arn:aws:iam::aws:policy/X"])),
    "the secret has a policy": ("dev", added("AWS::SecretsManager::ResourcePolicy", ResourcePolicy={})),
    "a token is in the environment": ("dev", having(FUNCTION, Environment={"Variables": {"T": "figd_1"}})),
    "an output is missing": ("dev", lambda template: template["Outputs"].pop("FunctionAliasArn")),
    "a parameter is somewhere else": ("dev", having("AWS::SSM::Parameter", Name="/elsewhere")),
    "the dashboard is empty": (
        "dev",
        having("AWS::CloudWatch::Dashboard", DashboardBody={"Fn::Join": ["", [json.dumps({"widgets": []})]]}),
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_stack_is_noticed(synthesised: Callable[[str], Synthesised], what: str) -> None:
    variant, apply = BREAKS[what]
    whole = synthesised(variant)
    broken = copy.deepcopy(whole.template)
    apply(broken)
    assert notice(ALL_TESTS, replace(whole, template=broken)), f"no test notices that {what}"


def test_a_whole_stack_passes(every_stage: Synthesised) -> None:
    assert len(ALL_TESTS) > 15
    assert notice(ALL_TESTS, every_stage) == []
