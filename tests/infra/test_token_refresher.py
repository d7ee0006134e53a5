"""The construct in somebody else's app: no context, no feature flags, a stack of any name."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from aws_cdk import App, Duration, Environment, NestedStack, Stack, Tags
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Annotations, Match, Matcher
from constructs import Construct

import token_refresher
from tests.support.somebodys_stack import of_type, template_of
from tests.support.synthesised import Synthesised, by_type
from token_refresher.construct import TokenRefresher
from token_refresher.constructs.notices import UI_BUILDER_REGIONS
from token_refresher.constructs.refresh_metrics import RefreshMetrics
from token_refresher.issuers import Issuer
from token_refresher.settings.reader import SettingsError

pytestmark = pytest.mark.xdist_group("synth")

SECRET_ARN = {"Fn::GetAtt": ["AWS::SecretsManager::Secret", "Id"]}
ALIAS_ARN = {"Ref": "AWS::Lambda::Alias"}
ISSUERS = {"amplify": Issuer.amplify(), "figma": Issuer.figma(), "static": Issuer.static()}


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Somebodys")


class TestImport:
    def test_the_package_offers_construct_and_issuers(self) -> None:
        assert (token_refresher.TokenRefresher, token_refresher.Issuer) == (TokenRefresher, Issuer)
        with pytest.raises(ImportError, match="no_such"):
            exec("from token_refresher import no_such", {})  # noqa: S102 - a type checker would refuse it

    def test_settings_issuers_and_bundling_start_no_cdk(self, tmp_path: Path) -> None:
        modules = "token_refresher.settings.refresher_settings, token_refresher.bundling.bundle"
        code = f"import sys, {modules}; from token_refresher import Issuer; assert 'aws_cdk' not in sys.modules, 'CDK'"
        subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


class TestProps:
    def test_all_wrong_ones_are_named_at_once(self, stack: Stack) -> None:
        with pytest.raises(SettingsError) as refused:
            TokenRefresher(stack, "Figma", schedule="rate(1 hours)", memory_mb=1, memry=1)  # type: ignore[call-arg]
        assert [fault.partition("=")[0] for fault in refused.value.faults] == ["memry", "schedule", "memory_mb"]

    def test_text_means_the_same_as_a_value(self, asset: Path) -> None:
        text: dict[str, Any] = {"customer_managed_key": "false", "memory_mb": "1024", "alarm_email": ""}
        text |= {"snap_start": "true", "advisory_window_hours": "100", "reserved_concurrency": ""}
        typed: dict[str, Any] = {"memory_mb": 1024, "snap_start": True, "advisory_window_hours": 100}
        templates = []
        for props in (text, typed):
            stack = Stack(App(), "Somebodys")
            TokenRefresher(stack, "Figma", asset=asset, **props)
            templates.append(template_of(stack))
        assert templates[0] == templates[1]

    @pytest.mark.parametrize("name", ["", "a" * 256, 'a"b', "a'b", "a\\b", ":a", " a", "a ", "ä", "a\n"])
    def test_no_metric_could_have_this_service_name(self, stack: Stack, name: str) -> None:
        # An empty one means the default, which has the construct's id in it here.
        with pytest.raises(SettingsError, match=r"\Aservice_name="):
            TokenRefresher(stack, "Its 'id'", service_name=name)

    def test_an_issuer_is_not_a_name(self, stack: Stack) -> None:
        with pytest.raises(SettingsError, match=r"issuer=figma: must be an Issuer, such as Issuer.figma\(\)"):
            TokenRefresher(stack, "Figma", issuer="figma")  # type: ignore[arg-type]

    def test_an_issuer_over_http(self, asset: Path, stack: Stack) -> None:
        url = "http://localhost:9999"
        with pytest.raises(
            SettingsError, match="base_url=http://localhost:9999: must be an address with https, without"
        ):
            Issuer.figma(base_url=url)
        TokenRefresher(stack, "Figma", asset=asset, issuer=Issuer.figma(base_url=url, allow_http=True))
        assert '"ALLOW_HTTP_ISSUER": "true"' in json.dumps(template_of(stack))


OURS = {
    "dev": ("amplify", False),
    "prod": ("amplify", True),
    "prod-static": ("static", True),
    "dev-oauth2": ("figma", False),
    "prod-figma": ("figma", True),
}
"""Issuer, and whether the secrets have a key of their own, as on prod, of a construct with our stack's policies."""


@pytest.mark.parametrize(("variant", "issuer", "own_key"), [(name, *row) for name, row in OURS.items()], ids=OURS)
def test_its_policies_are_those_of_our_stack(
    asset: Path, stack: Stack, synthesised: Callable[[str], Synthesised], variant: str, issuer: str, *, own_key: bool
) -> None:
    Tags.of(stack).add("whose", "somebody")
    settings: dict[str, Any] = {"customer_managed_key": own_key, "canary": own_key}
    TokenRefresher(stack, "Figma", asset=asset, issuer=ISSUERS[issuer], **settings)
    foreign = Synthesised(stage="dev", issuer=issuer, template=by_type(template_of(stack)))
    assert foreign.policies == synthesised(variant).policies


@pytest.mark.parametrize("issuer", ISSUERS)
def test_synthesis_says_when_amplify_ends(asset: Path, stack: Stack, issuer: str) -> None:
    TokenRefresher(stack, "Figma", asset=asset, issuer=ISSUERS[issuer])
    annotations = Annotations.from_stack(stack)
    check = annotations.has_info if issuer == "amplify" else annotations.has_no_info
    check("*", Match.string_like_regexp("1 May 2027"))


@pytest.mark.parametrize(
    ("emulator", "protected", "told"), [(False, None, "warning"), (False, True, "error"), (True, True, None)]
)
def test_a_bundle_without_byte_code_is_told(
    tmp_path: Path, *, emulator: bool, protected: bool | None, told: str | None
) -> None:
    (tmp_path / "handler.py").touch()
    stack = Stack(App(), "Somebodys", termination_protection=protected)
    TokenRefresher(stack, "Figma", asset=tmp_path, issuer=ISSUERS["figma"], emulator=emulator)
    annotations = Annotations.from_stack(stack)
    for kind, absent in (("warning", annotations.has_no_warning), ("error", annotations.has_no_error)):
        check = getattr(annotations, f"has_{kind}") if kind == told else absent
        check("*", Match.string_like_regexp("set REFRESH_TOKEN_PYTHON"))


class TestAmplifyRegions:
    def test_they_are_those_of_botocore(self) -> None:
        session = botocore.session.get_session()
        partitions = session.get_available_partitions()
        found = {region for name in partitions for region in session.get_available_regions("amplifyuibuilder", name)}
        assert found == UI_BUILDER_REGIONS

    @pytest.mark.parametrize(
        ("issuer", "region", "check"),
        [
            ("amplify", "eu-south-2", Annotations.has_warning),
            ("amplify", "eu-west-1", Annotations.has_no_warning),
            ("amplify", None, Annotations.has_no_warning),
            ("figma", "eu-south-2", Annotations.has_no_warning),
        ],
    )
    def test_another_region_is_warned_of(
        self, asset: Path, issuer: str, region: str | None, check: Callable[[Annotations, str, Matcher], None]
    ) -> None:
        stack = Stack(App(), "Somebodys", env=Environment(region=region))
        TokenRefresher(stack, "Figma", asset=asset, issuer=ISSUERS[issuer])
        check(Annotations.from_stack(stack), "*", Match.string_like_regexp("has no Amplify UI Builder"))


class TestNames:
    def test_two_refreshers_in_a_stack_share_nothing(self, asset: Path, stack: Stack) -> None:
        one, other = (
            TokenRefresher(stack, name, asset=asset, parameter_path=f"/figma/{name}") for name in ("One", "Other")
        )
        template = template_of(stack)
        assert (one.service_name, other.service_name) == ("Somebodys/One", "Somebodys/Other")
        names = [parameter["Name"] for parameter in of_type(template, "AWS::SSM::Parameter")]
        assert len(names) == len(set(names)) == 4
        roles = [json.dumps(function["Role"]) for function in of_type(template, "AWS::Lambda::Function")]
        assert len(set(roles)) == 2

    def test_metrics_follow_the_stacks_own_name(self, asset: Path) -> None:
        app = App()
        stages = [Stack(app, f"Main-{stage}", stack_name=f"figma-{stage}") for stage in ("a", "b")]
        names = [TokenRefresher(Construct(stack, "Tokens"), "Figma", asset=asset).service_name for stack in stages]
        assert names == ["figma-a/Tokens/Figma", "figma-b/Tokens/Figma"]

    def test_it_works_in_a_nested_stack(self, asset: Path, stack: Stack) -> None:
        nested = TokenRefresher(NestedStack(stack, "Inner"), "Figma", asset=asset)
        assert nested.service_name == f"{stack.stack_name}/Inner/Figma"
        assert of_type(template_of(stack), "AWS::CloudFormation::Stack")

    def test_nothing_has_a_fixed_name(self, asset: Path, stack: Stack) -> None:
        TokenRefresher(stack, "Figma", asset=asset)
        resources = template_of(stack)["Resources"].values()
        named = {"FunctionName", "RoleName", "QueueName", "TopicName", "TableName", "AlarmName", "DashboardName"}
        refers = ("AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig")
        own = [one for one in resources if one["Type"] not in refers]
        assert [one["Type"] for one in own if named & set(one.get("Properties", {}))] == []
        assert "AWS::SSM::Parameter" not in {one["Type"] for one in resources}


def grants(stack: Stack, role: iam.Role) -> list[dict[str, Any]]:
    """Return the statements that a role got after it was made."""
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


def two_regions() -> tuple[Stack, Stack]:
    app = App()
    here, there = (
        Stack(app, name, env=Environment(account="123456789012", region=region), cross_region_references=True)
        for name, region in (("Here", "eu-central-1"), ("There", "eu-west-1"))
    )
    return here, there


class TestGrants:
    def test_invoking_is_for_the_alias_only(self, asset: Path, stack: Stack) -> None:
        role = a_role(stack)
        assert TokenRefresher(stack, "Figma", asset=asset).grant_invoke(role).success
        assert grants(stack, role) == [{"Action": "lambda:InvokeFunction", "Effect": "Allow", "Resource": ALIAS_ARN}]

    @pytest.mark.parametrize("issuer", ISSUERS)
    @pytest.mark.parametrize("own_key", [False, True])
    def test_reading_is_for_the_pair_only(self, asset: Path, stack: Stack, issuer: str, *, own_key: bool) -> None:
        role = a_role(stack)
        refresher = TokenRefresher(stack, "Figma", asset=asset, issuer=ISSUERS[issuer], customer_managed_key=own_key)
        assert (refresher.app_secret_arn is None) == (issuer != "figma")
        assert refresher.grant_read(role).success
        read = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
        expected: list[dict[str, Any]] = [{"Action": read, "Effect": "Allow", "Resource": SECRET_ARN}]
        if own_key:
            assert isinstance(refresher.encryption_key, kms.Key)
            roles = of_type(by_type(template_of(stack)), "AWS::IAM::Role")
            policies = [policy["PolicyDocument"] for role in roles for policy in role.get("Policies", [])]
            found = [one for policy in policies for one in policy["Statement"]]
            (use,) = [one for one in found if one["Sid"].startswith("UseKeyForToken")]
            same = {"Effect": "Allow", "Condition": use["Condition"]}
            expected.append({"Action": "kms:Decrypt", "Resource": {"Fn::GetAtt": ["AWS::KMS::Key", "Arn"]}, **same})
        assert sorted(grants(stack, role), key=str) == sorted(expected, key=str)

    def test_another_region_decrypts_in_the_secrets_region(self, asset: Path) -> None:
        here, there = two_regions()
        role = a_role(there)
        TokenRefresher(here, "Figma", asset=asset, customer_managed_key=True).grant_read(role)
        (decrypt,) = [one for one in grants(there, role) if one["Action"] == "kms:Decrypt"]
        service = decrypt["Condition"]["StringEquals"]["kms:ViaService"]
        assert service == {"Fn::Join": ["", ["secretsmanager.eu-central-1.", {"Ref": "AWS::URLSuffix"}]]}


class TestMetrics:
    def test_each_method_takes_what_cdk_metrics_take(self, asset: Path, stack: Stack) -> None:
        refresher = TokenRefresher(stack, "Figma", asset=asset, service_name="figma")
        methods = [name for name in vars(RefreshMetrics) if name.startswith("metric_")]
        assert len(methods) == 16
        for method in methods:
            metric = getattr(refresher, method)(period=Duration.hours(1), label="it", statistic="p90")
            assert (metric.namespace, metric.dimensions) == ("RefreshToken", {"service": "figma"})
            assert metric.metric_name == "".join(word.capitalize() for word in method.split("_")[1:])
            assert (metric.period.to_hours(), metric.label, metric.statistic) == (1, "it", "p90")
        assert refresher.metric_seconds_until_expiry().statistic == "Minimum"
        assert refresher.metric_refreshed().statistic == "Sum"
        by_reason = refresher.metric_refresh_failed(reason="IssuerUnavailableException")
        assert by_reason.dimensions == {"service": "figma", "reason": "IssuerUnavailableException"}

    def test_a_metric_keeps_its_own_region(self, asset: Path) -> None:
        here, there = two_regions()
        refresher = TokenRefresher(here, "Figma", asset=asset)
        metrics: list[cloudwatch.IMetric] = [refresher.metric_refreshed()]
        metrics.append(refresher.metric_degraded(region="eu-north-1"))
        drawn = there.resolve(cloudwatch.GraphWidget(left=metrics).to_json())[0]["properties"]["metrics"]
        assert [metric[-1]["region"] for metric in drawn] == ["eu-central-1", "eu-north-1"]
        with pytest.raises(RuntimeError, match="eu-central-1"):
            refresher.metric_refreshed().create_alarm(there, "Alarm", threshold=1, evaluation_periods=1)


def test_its_parts_are_public(asset: Path, stack: Stack) -> None:
    refresher = TokenRefresher(stack, "Figma", asset=asset)
    assert refresher.alias.alias_name == "live"
    assert stack.resolve(refresher.dead_letter_queue.queue_url)
    assert refresher.topic
    assert stack.resolve(refresher.topic.topic_arn)
    assert len(refresher.alarms) == 10
    assert refresher.composite_alarms
    assert refresher.encryption_key is None


class TestLayer:
    def test_another_stack_imports_no_version(self, asset: Path, stack: Stack) -> None:
        refresher = TokenRefresher(stack, "Figma", asset=asset)
        other = Stack(App.of(stack), "Consumers")
        layers = [refresher.layer_in(Construct(other, name)) for name in ("One", "Two")]
        for name, layer in zip(("OneFunction", "TwoFunction"), layers, strict=True):
            lambda_.Function(
                other,
                name,
                runtime=lambda_.Runtime.PYTHON_3_13,
                handler="index.handler",
                code=lambda_.Code.from_inline("def handler(event, context): ..."),
                layers=[layer],
            )
        assert refresher.layer_in(stack) is refresher.layer
        ours, theirs = template_of(stack), template_of(other)
        assert [one for one in ours.get("Outputs", {}).values() if "Export" in one] == []
        ((own, version),) = [
            (name, one) for name, one in theirs["Resources"].items() if one["Type"] == "AWS::Lambda::LayerVersion"
        ]
        assert [one["Layers"] for one in of_type(theirs, "AWS::Lambda::Function")] == [[{"Ref": own}]] * 2
        assert version["DeletionPolicy"] == "Retain"
        assert version["Properties"]["Content"] == of_type(ours, "AWS::Lambda::LayerVersion")[0]["Content"]
