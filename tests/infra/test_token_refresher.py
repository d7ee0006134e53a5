"""The construct in an app that is not ours: no context, no feature flags, a stack of any name."""

import inspect
import json
import re
import subprocess
import sys
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, NestedStack, Stack, Tags
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from tests.infra import test_least_privilege
from tests.infra.test_mutations import POLICY_TESTS, notice
from tests.support.checkout import ROOT
from tests.support.synthesised import Synthesised, by_type
from token_refresher.construct import TokenRefresher
from token_refresher.constructs.refresh_metrics import RefreshMetrics
from token_refresher.settings.reader import SettingsError
from token_refresher.settings.refresher_settings import RefresherSettings

pytestmark = pytest.mark.xdist_group("synth")


def a_stack(name: str = "Somebodys") -> Stack:
    return Stack(App(), name)


def template_of(stack: Stack) -> dict[str, Any]:
    """Return the template, and fail on what a deployment of it would."""
    template: dict[str, Any] = App.of(stack).synth().get_stack_by_name(stack.stack_name).template  # type: ignore[union-attr]
    return template


def test_its_props_are_the_settings_with_the_same_defaults() -> None:
    parameters = inspect.signature(TokenRefresher.__init__).parameters.values()
    props = {prop.name: prop.default for prop in parameters if prop.kind is inspect.Parameter.KEYWORD_ONLY}
    of_its_own = {"service_name", "parameter_path", "removal_policy", "asset", "allow_http_issuer"}
    settings = {field.name: field.default for field in fields(RefresherSettings)}
    assert {name: default for name, default in props.items() if name not in of_its_own} == settings


def test_wrong_props_are_refused_all_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        TokenRefresher(a_stack(), "Figma", schedule="rate(1 hours)", memory_mb=1)
    assert [fault.partition("=")[0] for fault in refused.value.faults] == ["schedule", "memory_mb"]


def test_a_prop_may_be_text_as_context_gives_it_and_means_the_same(asset: Path) -> None:
    text: dict[str, Any] = {
        "customer_managed_key": "false",
        "memory_mb": "1024",
        "alarm_email": "",
        "snap_start": "true",
    }
    text |= {"advisory_window_hours": "100", "mandatory_window_hours": "10", "reserved_concurrency": ""}
    typed: dict[str, Any] = {"memory_mb": 1024, "snap_start": True}
    typed |= {"advisory_window_hours": 100, "mandatory_window_hours": 10}
    templates = []
    for props in (text, typed):
        stack = a_stack()
        TokenRefresher(stack, "Figma", asset=asset, **props)
        templates.append(template_of(stack))
    assert templates[0] == templates[1]


@pytest.mark.parametrize("name", ["", "a" * 256, 'a"b', "a'b", "a\\b", ":a", " a", "a ", "ä", "a\n"])
def test_a_service_name_that_no_metric_can_have_is_refused(name: str) -> None:
    # An empty one means the default, which here has the construct's id in it.
    with pytest.raises(SettingsError) as refused:
        TokenRefresher(a_stack(), "Its 'id'", service_name=name)
    assert [fault.partition("=")[0] for fault in refused.value.faults] == ["service_name"]


@pytest.mark.parametrize("module", ["token_refresher", "token_refresher.construct"])
def test_it_is_found_where_one_looks_for_it(module: str) -> None:
    assert import_module(module).TokenRefresher is TokenRefresher


def test_the_package_has_nothing_else_and_starts_no_cdk_by_itself() -> None:
    with pytest.raises(ImportError, match="no_such"):
        exec("from token_refresher import no_such", {})  # noqa: S102 - a type checker would refuse it
    code = "import sys, token_refresher.settings.refresher_settings; assert 'aws_cdk' not in sys.modules, 'the CDK'"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("issuer", ["amplify", "figma"])
@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_its_policies_are_those_of_our_own_stack_without_any_feature_flag(asset: Path, stage: str, issuer: str) -> None:
    stack = a_stack()
    Tags.of(stack).add("whose", "somebody's")
    TokenRefresher(stack, "Figma", asset=asset, issuer=issuer, customer_managed_key=stage == "prod")
    foreign = Synthesised(stage=stage, issuer=issuer, template=by_type(template_of(stack)))
    assert notice(POLICY_TESTS, foreign) == []


def test_two_of_them_fit_into_one_stack_and_share_nothing(asset: Path) -> None:
    stack = a_stack()
    one, other = (
        TokenRefresher(stack, name, asset=asset, parameter_path=f"/figma/{name}") for name in ("One", "Other")
    )
    template = template_of(stack)
    assert (one.service_name, other.service_name) == ("Somebodys/One", "Somebodys/Other")
    names = [value["Properties"]["Name"] for value in template["Resources"].values() if "SSM" in value["Type"]]
    assert len(names) == len(set(names)) == 4
    functions = [one for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
    assert len({json.dumps(function["Properties"]["Role"]) for function in functions}) == 2


def test_a_stack_with_a_name_of_its_own_has_metrics_of_its_own(asset: Path) -> None:
    app = App()
    stages = [Stack(app, f"Main-{stage}", stack_name=f"figma-{stage}") for stage in ("a", "b")]
    names = [TokenRefresher(Construct(stack, "Tokens"), "Figma", asset=asset).service_name for stack in stages]
    assert names == ["figma-a/Tokens/Figma", "figma-b/Tokens/Figma"]


def test_it_works_in_a_nested_stack(asset: Path) -> None:
    outer = a_stack()
    TokenRefresher(NestedStack(outer, "Inner"), "Figma", asset=asset)
    assert "AWS::CloudFormation::Stack" in {one["Type"] for one in template_of(outer)["Resources"].values()}


def test_without_a_path_nothing_has_a_fixed_name(asset: Path) -> None:
    stack = a_stack()
    TokenRefresher(stack, "Figma", asset=asset)
    resources = template_of(stack)["Resources"].values()
    named = ("FunctionName", "RoleName", "QueueName", "TopicName", "TableName", "AlarmName", "DashboardName")
    own = [one for one in resources if one["Type"] not in ("AWS::Lambda::Version", "AWS::Lambda::Alias")]
    own = [one for one in own if one["Type"] != "AWS::Lambda::EventInvokeConfig"]
    assert [one["Type"] for one in own if set(named) & set(one.get("Properties", {}))] == []
    assert "AWS::SSM::Parameter" not in {one["Type"] for one in resources}


def grants(stack: Stack, role: iam.Role) -> list[dict[str, Any]]:
    """Return the statements that a role was given after it was made."""
    name = stack.get_logical_id(role.node.default_child)  # type: ignore[arg-type]
    template = template_of(stack)
    renamed = by_type(template)["Resources"]
    return [
        statement
        for key, one in template["Resources"].items()
        if one["Type"] == "AWS::IAM::Policy" and {"Ref": name} in one["Properties"]["Roles"]
        for statement in renamed[key]["Properties"]["PolicyDocument"]["Statement"]
    ]


def a_role(scope: Construct) -> iam.Role:
    return iam.Role(scope, "Consumer", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))


def test_who_may_invoke_may_invoke_the_alias_and_nothing_else(asset: Path) -> None:
    stack = a_stack()
    role = a_role(stack)
    assert TokenRefresher(stack, "Figma", asset=asset).grant_invoke(role).success
    assert grants(stack, role) == [
        {"Action": "lambda:InvokeFunction", "Effect": "Allow", "Resource": test_least_privilege.ALIAS_ARN}
    ]


@pytest.mark.parametrize("issuer", ["amplify", "figma"])
@pytest.mark.parametrize("own_key", [False, True])
def test_who_may_read_may_read_the_pair_and_decrypt_it_and_not_the_apps_credentials(
    asset: Path, issuer: str, *, own_key: bool
) -> None:
    stack = a_stack()
    role = a_role(stack)
    refresher = TokenRefresher(stack, "Figma", asset=asset, issuer=issuer, customer_managed_key=own_key)
    assert (refresher.app_secret_arn is None) == (issuer == "amplify")
    assert refresher.grant_read(role).success
    read = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    expected: list[dict[str, Any]] = [{"Action": read, "Effect": "Allow", "Resource": test_least_privilege.SECRET_ARN}]
    if own_key:
        assert isinstance(refresher.encryption_key, kms.Key)
        (use,) = test_least_privilege.use_key("prod")
        key = {"Action": "kms:Decrypt", "Effect": "Allow", "Resource": use["Resource"], "Condition": use["Condition"]}
        expected.append(key)
    assert sorted(grants(stack, role), key=str) == sorted(expected, key=str)


def elsewhere(app: App) -> tuple[Stack, Stack]:
    """Return two stacks of one account, in two regions, that may refer to each other."""
    here, there = (
        Stack(app, name, env=Environment(account="123456789012", region=region), cross_region_references=True)
        for name, region in (("Here", "eu-central-1"), ("There", "eu-west-1"))
    )
    return here, there


def test_who_may_read_from_another_region_decrypts_in_that_of_the_secret(asset: Path) -> None:
    here, there = elsewhere(App())
    role = a_role(there)
    TokenRefresher(here, "Figma", asset=asset, customer_managed_key=True).grant_read(role)
    (decrypt,) = [one for one in grants(there, role) if one["Action"] == "kms:Decrypt"]
    service = decrypt["Condition"]["StringEquals"]["kms:ViaService"]
    assert service == {"Fn::Join": ["", ["secretsmanager.eu-central-1.", {"Ref": "AWS::URLSuffix"}]]}


def test_a_metric_is_that_of_its_own_region_wherever_it_is_drawn(asset: Path) -> None:
    here, there = elsewhere(App())
    refresher = TokenRefresher(here, "Figma", asset=asset)
    widget = cloudwatch.GraphWidget(left=[refresher.metric_refreshed(), refresher.metric_degraded(region="eu-north-1")])
    drawn = there.resolve(widget.to_json())[0]["properties"]["metrics"]
    assert [metric[-1]["region"] for metric in drawn] == ["eu-central-1", "eu-north-1"]
    with pytest.raises(RuntimeError, match="eu-central-1"):
        refresher.metric_refreshed().create_alarm(there, "Alarm", threshold=1, evaluation_periods=1)


def test_each_metric_helper_names_a_metric_and_takes_what_cdk_metrics_take(asset: Path) -> None:
    refresher = TokenRefresher(a_stack(), "Figma", asset=asset, service_name="figma")
    helpers = [name for name in vars(RefreshMetrics) if name.startswith("metric_")]
    assert len(helpers) == 9
    for helper in helpers:
        metric = getattr(refresher, helper)(period=Duration.hours(1), label="it", statistic="p90")
        assert (metric.namespace, metric.dimensions) == ("RefreshToken", {"service": "figma"})
        assert metric.metric_name == "".join(word.capitalize() for word in helper.split("_")[1:])
        assert (metric.period.to_hours(), metric.label, metric.statistic) == (1, "it", "p90")
    assert refresher.metric_seconds_until_expiry().statistic == "Minimum"
    assert refresher.metric_refreshed().statistic == "Sum"
    by_reason = refresher.metric_refresh_failed(reason="IssuerUnavailableException")
    assert by_reason.dimensions == {"service": "figma", "reason": "IssuerUnavailableException"}


def test_only_who_says_so_may_have_an_issuer_over_http(asset: Path) -> None:
    url = "http://localhost:9999"
    with pytest.raises(SettingsError, match="must be an address with https, without"):
        TokenRefresher(a_stack(), "Figma", asset=asset, issuer="figma", figma_base_url=url)
    stack = a_stack()
    TokenRefresher(stack, "Figma", asset=asset, issuer="figma", figma_base_url=url, allow_http_issuer=True)
    assert '"ALLOW_HTTP_ISSUER": "true"' in json.dumps(template_of(stack))


def test_its_parts_are_at_hand(asset: Path) -> None:
    stack = a_stack()
    refresher = TokenRefresher(stack, "Figma", asset=asset)
    assert refresher.alias.alias_name == "live"
    assert stack.resolve(refresher.queue.queue_url)
    assert stack.resolve(refresher.topic.topic_arn)
    assert len(refresher.alarms) == 7
    assert refresher.encryption_key is None


def test_the_documented_app_synthesises(asset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = (ROOT / "docs" / "infrastructure.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    monkeypatch.setattr("token_refresher.construct.function_bundle", lambda _: asset)
    monkeypatch.setattr("aws_cdk.App", lambda: App(outdir=str(tmp_path)))
    exec(compile(block, "docs/infrastructure.md", "exec"), {})  # noqa: S102 - it is ours, and meant to be run
    resources = json.loads((tmp_path / "Design.template.json").read_text(encoding="utf-8"))["Resources"]
    assert "AWS::SNS::Subscription" in {one["Type"] for one in resources.values()}


def test_the_documents_name_every_metric_helper_and_part() -> None:
    document = (ROOT / "docs" / "infrastructure.md").read_text(encoding="utf-8")
    helpers = [name for name in vars(RefreshMetrics) if name.startswith("metric")]
    parts = re.findall(r"self\.(\w+): ", inspect.getsource(TokenRefresher))
    assert len(parts) == 11
    for name in (*helpers, *parts, "grant_invoke", "grant_read"):
        assert re.search(rf"`{name}[`(]", document), name
