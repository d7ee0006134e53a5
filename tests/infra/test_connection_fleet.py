"""The fleet in somebody else's app: alone, and beside a refresher."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from aws_cdk import App, Environment, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Annotations, Match

from tests.support.checkout import ROOT
from tests.support.somebodys_stack import of_type, template_of
from tests.support.synthesised import Synthesised, by_type
from token_refresher import ConnectionFleet, Issuer, TokenRefresher
from token_refresher.props import FleetProps
from token_refresher.settings.reader import SettingsError

pytestmark = pytest.mark.xdist_group("synth")

LINEAR, HUBSPOT = Issuer.profile("linear"), Issuer.profile("hubspot")
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app"


def app(stack: Stack, region: str = "eu-west-1") -> secretsmanager.ISecret:
    arn = f"{SECRET}-aBcDeF".replace("eu-west-1", region)
    return secretsmanager.Secret.from_secret_complete_arn(stack, "Existing", arn)


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Somebodys")


class TestAlone:
    def test_each_role_may_do_what_ours_may(
        self, stack: Stack, asset: Path, synthesised: Callable[[str], Synthesised]
    ) -> None:
        ConnectionFleet(stack, "Fleet", providers=[Issuer.figma(), LINEAR], asset=asset)
        foreign = Synthesised(stage="dev", template=by_type(template_of(stack)))
        ours = synthesised("prod-fleet").policies
        (dispatcher,) = [one for one in foreign.policies if "LeaseConnections" in one]
        assert dispatcher in ours
        assert len([one for one in foreign.policies if "SealTokens" in one]) == 2, "ask function and worker"

    def test_it_has_a_client_and_a_topic(self, stack: Stack, asset: Path) -> None:
        fleet = ConnectionFleet(
            stack, "Fleet", providers=[LINEAR], asset=asset, parameter_path="/x", alarm_email="a@b.example"
        )
        template = template_of(stack)
        assert fleet.layer
        assert {one["Name"] for one in of_type(template, "AWS::SSM::Parameter")} == {
            "/x/connections-function-arn",
            "/x/client-layer-arn",
        }
        assert [one["Endpoint"] for one in of_type(template, "AWS::SNS::Subscription")] == ["a@b.example"]
        assert all(one["AlarmActions"] for one in of_type(template, "AWS::CloudWatch::Alarm"))

    @pytest.mark.parametrize(
        ("settings", "warned"),
        [
            ({}, None),
            ({"refreshes_per_second": 100, "max_workers": 50}, None),
            ({"refreshes_per_second": 300, "max_workers": 150}, "memory_mb=512 .* 177 .* Raise memory_mb"),
            ({"refreshes_per_second": 300, "max_workers": 150, "memory_mb": 1024}, None),
            ({"refreshes_per_second": 700, "max_workers": 1000, "memory_mb": 2048}, "611 .* use several fleets"),
            ({"refreshes_per_second": 100}, "max_workers=10 .* 20 .* Raise max_workers"),
        ],
    )
    def test_a_bottleneck_is_warned_of(
        self, stack: Stack, asset: Path, settings: dict[str, Any], warned: str | None
    ) -> None:
        ConnectionFleet(stack, "Fleet", providers=[LINEAR], asset=asset, **settings)
        annotations = Annotations.from_stack(stack)
        (annotations.has_warning if warned else annotations.has_no_warning)(
            "*", Match.string_like_regexp(warned or "refreshes_per_second=")
        )

    def test_props_reach_each_function(self, stack: Stack, asset: Path) -> None:
        key = kms.Key(stack, "TheirKey")
        ConnectionFleet(
            stack,
            "Fleet",
            providers=[LINEAR],
            asset=asset,
            vpc=ec2.Vpc(stack, "Network", max_azs=2),
            encryption_key=key,
            queue_key=key,
            environment={"HTTPS_PROXY": "http://proxy.example:3128"},
            permissions_boundary=iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "team"),
            consumer_accounts=["123456789012"],
            removal_policy=RemovalPolicy.DESTROY,
        )
        template = template_of(stack)
        functions = [one for one in of_type(template, "AWS::Lambda::Function") if "refresh_token." in str(one)]
        assert len(functions) == 3
        for function in functions:
            assert function["VpcConfig"]
            assert function["Environment"]["Variables"]["HTTPS_PROXY"] == "http://proxy.example:3128"
        assert all("PermissionsBoundary" in role for role in of_type(template, "AWS::IAM::Role") if "Policies" in role)
        assert len(of_type(template, "AWS::KMS::Key")) == 2, "the table's own key is theirs, the topic has one"
        (secret,) = of_type(template, "AWS::SecretsManager::Secret")
        assert secret["KmsKeyId"] == stack.resolve(key.key_arn)
        assert "123456789012" in json.dumps(of_type(template, "AWS::Lambda::Permission"))

    def test_an_app_secret_that_exists_is_used(self, stack: Stack, asset: Path) -> None:
        key = kms.Key.from_key_arn(stack, "AppKey", "arn:aws:kms:eu-west-1:111111111111:key/app")
        linear = secretsmanager.Secret.from_secret_attributes(
            stack, "App", secret_complete_arn=f"{SECRET}-aBcDeF", encryption_key=key
        )
        fleet = ConnectionFleet(
            stack, "Fleet", providers=[LINEAR, HUBSPOT], asset=asset, app_secrets={"linear": linear}
        )
        template = template_of(stack)
        assert fleet.app_secret_arns["linear"] == f"{SECRET}-aBcDeF"
        assert len(of_type(template, "AWS::SecretsManager::Secret")) == 1, "that of hubspot"
        readers = [role for role in of_type(template, "AWS::IAM::Role") if "ReadAppCredentials" in json.dumps(role)]
        assert len(readers) == 2
        assert all(f"{SECRET}-aBcDeF" in json.dumps(role) and key.key_arn in json.dumps(role) for role in readers)

    @pytest.mark.parametrize(
        ("given", "fault"),
        [
            (lambda stack: {"hubspot": app(stack)}, "app_secrets=hubspot: must be a provider whose app needs a secret"),
            (lambda stack: {"figma": app(stack)}, "app_secrets=figma: is the refresher's own issuer. Give"),
            (lambda _: {"linear": "client-secret"}, "app_secrets=str: must be an aws_secretsmanager.ISecret"),
            (lambda _: ["linear"], "app_secrets: must be a dictionary"),
            (lambda stack: {"linear": app(stack, "us-east-1")}, "app_secrets: is in us-east-1. The function is in"),
            (
                lambda stack: {"linear": secretsmanager.Secret.from_secret_name_v2(stack, "X", "old")},
                "app_secrets: must have its complete ARN",
            ),
        ],
    )
    def test_an_unfit_app_secret_is_refused(self, asset: Path, given: Callable[[Stack], Any], fault: str) -> None:
        stack = Stack(App(), "Somebodys", env=Environment(region="eu-west-1", account="123456789012"))
        figma = TokenRefresher(stack, "Figma", issuer=Issuer.figma(), asset=asset)
        with pytest.raises(SettingsError) as refused:
            figma.add_fleet(providers=[Issuer.figma(), LINEAR], app_secrets=given(stack))
        (found,) = refused.value.faults
        assert found.startswith(fault)

    def test_it_takes_the_settings_of_a_fleet(self, stack: Stack) -> None:
        with pytest.raises(SettingsError) as refused:
            ConnectionFleet(stack, "Fleet", providers=[LINEAR], max_workers=1, schedule="rate(1 hour)")  # type: ignore[call-arg]
        assert [fault.partition("=")[0] for fault in refused.value.faults] == ["schedule", "max_workers"]
        with pytest.raises(SettingsError, match="mandatory_window_hours=200: must be less"):
            ConnectionFleet(stack, "Windows", providers=[LINEAR], mandatory_window_hours=200)

    @pytest.mark.parametrize(
        ("providers", "fault"),
        [
            ([], "providers=: must name at least one provider"),
            (["linear"], "providers=linear: must be an Issuer"),
            ([LINEAR, LINEAR], "providers=linear: is there twice"),
            ([Issuer.static()], "providers=static: has tokens that a person renews"),
        ],
    )
    def test_a_provider_that_does_not_fit_is_refused(self, stack: Stack, providers: list[Any], fault: str) -> None:
        with pytest.raises(SettingsError) as refused:
            ConnectionFleet(stack, "Fleet", providers=providers)
        (found,) = refused.value.faults
        assert found.startswith(fault)


class TestBesideARefresher:
    def test_its_consumers_get_the_alias_alone(self, stack: Stack, asset: Path) -> None:
        fleet = TokenRefresher(stack, "Figma", issuer=Issuer.figma(), asset=asset).add_fleet()
        fleet.grant_invoke(iam.Role(stack, "Consumer", assumed_by=iam.AccountRootPrincipal()))
        alias = stack.resolve(fleet.alias.function_arn)
        (policy,) = of_type(template_of(stack), "AWS::IAM::Policy")
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Action"], statement["Resource"]) == ("lambda:InvokeFunction", alias)

    def test_it_shares_topic_client_and_app(self, stack: Stack, asset: Path) -> None:
        figma = TokenRefresher(stack, "Figma", issuer=Issuer.figma(), asset=asset, alarm_email="a@b.example")
        fleet = figma.add_fleet(providers=[Issuer.figma(), LINEAR])
        assert (fleet.topic, fleet.layer) == (figma.topic, figma.layer)
        assert fleet.app_secret_arns["figma"] == figma.app_secret_arn != fleet.app_secret_arns["linear"]
        template = template_of(stack)
        assert len(of_type(template, "AWS::SNS::Topic")) == 1
        assert len(of_type(template, "AWS::Lambda::LayerVersion")) == 1
        assert "Somebodys/Figma-connections" in json.dumps(template)


class TestPage:
    """docs/fleet.md."""

    page = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8")

    def test_it_names_every_shared_prop(self) -> None:
        assert [name for name in get_type_hints(FleetProps) if f"`{name}`" not in self.page] == []

    def test_its_examples_synthesise(self, stack: Stack, asset: Path, tmp_path: Path) -> None:
        beside, alone = re.findall(r"```python\n(.*?)```", self.page, re.DOTALL)
        figma = TokenRefresher(stack, "Figma", issuer=Issuer.figma(), asset=asset)
        consumer = iam.Role(stack, "Consumer", assumed_by=iam.AccountRootPrincipal())
        exec(beside, {"figma": figma, "consumer": consumer, "Issuer": Issuer})  # noqa: S102 - our own page
        exec(alone.replace("cdk.App()", f"cdk.App(outdir={str(tmp_path)!r})"), {})  # noqa: S102 - as above
        assert '"BatchSize": 1' in (tmp_path / "Users.template.json").read_text(encoding="utf-8")
