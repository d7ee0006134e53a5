"""What an app brings along. tests/system/test_outside_app.py deploys some of it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Fn, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Annotations, Match, Template

from refresh_token.signals import Alarm
from tests.support.checkout import ROOT
from token_refresher.construct import TokenRefresher
from token_refresher.issuers import Issuer
from token_refresher.props import Props
from token_refresher.settings.reader import SettingsError
from token_refresher.settings.refresher_settings import checked

pytestmark = pytest.mark.xdist_group("synth")

ACCOUNT, REGION = "123456789012", "eu-central-1"
TEXT = dynamodb.AttributeType.STRING
ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:old-AbCdEf"
APP_ARN = ARN.replace("old", "app")


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Somebodys", env=Environment(account=ACCOUNT, region=REGION))


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\n")
    return file


def properties(stack: Stack, kind: str) -> list[dict[str, Any]]:
    return [one.get("Properties", {}) for one in Template.from_stack(stack).find_resources(kind).values()]


def function(stack: Stack) -> dict[str, Any]:
    (found,) = properties(stack, "AWS::Lambda::Function")
    return found


def allowed(stack: Stack) -> dict[str, Any]:
    """Return the statements of the function's role by Sid."""
    roles = properties(stack, "AWS::IAM::Role")
    (role,) = [role for role in roles if "lambda.amazonaws.com" in json.dumps(role["AssumeRolePolicyDocument"])]
    return {one["Sid"]: one for one in role["Policies"][0]["PolicyDocument"]["Statement"]}


def arn(service: str, resource: str, *, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def at_deployment(stack: Stack) -> str:
    return CfnParameter(stack, "AtDeployment").value_as_string


def two_kinds_of_subnets(stack: Stack) -> ec2.Vpc:
    kinds = (ec2.SubnetType.PUBLIC, ec2.SubnetType.PRIVATE_ISOLATED)
    configuration = [ec2.SubnetConfiguration(name=kind.name, subnet_type=kind) for kind in kinds]
    return ec2.Vpc(stack, "Two", max_azs=1, nat_gateways=0, subnet_configuration=configuration)


class TestValues:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"vpc_subnets": ec2.SubnetSelection()}, "vpc_subnets: needs vpc"),
            ({"security_groups": []}, "security_groups: needs vpc"),
            ({"vpcs": 1}, "vpcs: is not a setting or a prop; did you mean vpc?"),
            (
                {"alarms": False, "alarm_subscriptions": [subscriptions.UrlSubscription("https://a.example/")]},
                "alarm_subscriptions: has no effect without alarms. Remove it",
            ),
            # types
            ({"vpc": "vpc-1"}, "vpc=vpc-1: must be an aws_ec2.IVpc"),
            ({"app_secret": "app-secret"}, "app_secret=str: must be an aws_secretsmanager.ISecret"),
            ({"encryption_key": kms.Key}, "encryption_key=Key: must be an aws_kms.IKey"),
            ({"alarm_topic": ec2.SubnetSelection()}, "alarm_topic=SubnetSelection: must be an aws_sns.ITopic"),
            ({"layers": "arn"}, "layers=arn: must be a list"),
            ({"layers": ["arn"]}, "layers=arn: must be an aws_lambda.ILayerVersion"),
            ({"alarm_subscriptions": [None]}, "alarm_subscriptions=: must be an aws_sns.ITopicSubscription"),
            ({"environment": "A=password"}, "environment: must be a dictionary of text"),
            ({"ca_bundle": 5}, "ca_bundle=5: must be the path of a file"),
            ({"issuer": {"client_secret": "x"}}, "issuer=dict: must be an Issuer, such as Issuer.figma()"),
            ({"service_name": ["figma"]}, "service_name=list: must be text"),
            ({"emulator": "no"}, "emulator=no: must be True or False"),
            ({"asset": "/nowhere"}, "asset=/nowhere: must be the Path of a folder"),
            ({"removal_policy": RemovalPolicy.SNAPSHOT}, "removal_policy=RemovalPolicy.SNAPSHOT: must be"),
            # text
            ({"environment": {"SECRET_ARN": "x"}}, "environment=SECRET_ARN: belongs to the function. Use the setting"),
            ({"environment": {"OAUTH2_SCOPE": "x"}}, "environment=OAUTH2_SCOPE: belongs to the function"),
            ({"environment": {"POWERTOOLS_IDEMPOTENCY_DISABLED": "1"}}, "environment=POWERTOOLS_IDEMPOTENCY_DISABLED:"),
            ({"environment": {"AWS_REGION": "x"}}, "environment=AWS_REGION: belongs to Lambda"),
            ({"environment": {"TEAM": 1}}, "environment=TEAM: must have a text as its value"),
            ({"environment": {"A-B": "x"}}, "environment=A-B: must be a letter"),
            ({"consumer_accounts": ["1"]}, "consumer_accounts=1: must be an account's 12 digits"),
            ({"consumer_accounts": "111122223333"}, "consumer_accounts=111122223333: must be a list"),
            (
                {"consumer_accounts": ["dummy-value-for-/team"]},
                "consumer_accounts=dummy-value-for-/team: is not looked",
            ),
            ({"function_name": "x" * 65}, f"function_name={'x' * 60}...: must be 1 to 64 letters"),
            ({"secret_name": "figma-AbCdEf"}, "secret_name=figma-AbCdEf: must be 1 to 512 letters"),
            ({"parameter_path": "figma"}, "parameter_path=figma: must be a path such as /teams/figma:"),
            ({"parameter_path": "/x" * 15}, f"parameter_path={'/x' * 15}: must be a path such as /teams/figma:"),
            ({"parameter_path": "/Aws/x"}, "parameter_path=/Aws/x: must be a path such as /teams/figma:"),
            ({"ca_bundle": Path("/nowhere.pem")}, "ca_bundle=/nowhere.pem: must be the path of a file"),
            ({"ca_bundle": ROOT / "LICENSE"}, f"ca_bundle={ROOT / 'LICENSE'}: must hold certificates in PEM format"),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_a_wrong_prop_says_what_to_do(self, stack: Stack, given: dict[str, Any], expected: str) -> None:
        with pytest.raises(SettingsError) as refused:
            TokenRefresher(stack, "Figma", **given)
        assert str(refused.value).startswith(expected)

    @pytest.mark.parametrize(
        ("name", "made", "expected"),
        [
            ("memory_mb", at_deployment, "=${Token[TOKEN."),
            ("consumer_accounts", lambda stack: Fn.split(",", at_deployment(stack)), "=#{Token[TOKEN."),
            ("memory_mb", lambda stack: CfnParameter(stack, "P", type="Number").value_as_number, "=-1.88"),
            (
                "secret",
                lambda stack: secretsmanager.Secret.from_secret_name_v2(stack, "X", "old"),
                ": must have its comp",
            ),
            (
                "secret",
                lambda stack: secretsmanager.Secret.from_secret_complete_arn(
                    stack, "X", ARN.replace(ACCOUNT, "1" * 12)
                ),
                ": is of account 111111111111, so it has a key. Import both",
            ),
            ("app_secret", lambda stack: secretsmanager.Secret(stack, "X"), ": has no effect with issuer=amplify"),
            (
                "encryption_key",
                lambda stack: kms.Key.from_key_arn(stack, "X", arn("kms", "key/k", region="us-east-1")),
                ": is in us-east-1. The function is in eu-central-1 and needs one there",
            ),
            (
                "lock_table",
                lambda stack: dynamodb.Table.from_table_arn(stack, "X", arn("dynamodb", "table/t", account="1" * 12)),
                ": is of account 111111111111. The function is of 123456789012",
            ),
            (
                "role",
                lambda stack: iam.Role.from_role_arn(stack, "X", arn("iam", "role/x", region="", account="1" * 12)),
                ": is of account 111111111111. The function is of 123456789012",
            ),
            (
                "lock_table",
                lambda stack: dynamodb.Table(stack, "X", partition_key=dynamodb.Attribute(name="key", type=TEXT)),
                ": must have the partition key id, a text, and no sort key",
            ),
            (
                "log_group",
                lambda stack: logs.LogGroup(stack, "X", log_group_class=logs.LogGroupClass.INFREQUENT_ACCESS),
                ": must be of the class STANDARD",
            ),
            ("dead_letter_queue", lambda stack: sqs.Queue(stack, "X", fifo=True), ": must not be a FIFO queue"),
            ("topic_key", lambda stack: kms.Key(stack, "X").add_alias("alias/x"), ": is an alias, which no policy"),
        ],
    )
    def test_what_the_function_cannot_use(
        self, asset: Path, stack: Stack, name: str, made: Callable[[Stack], object], expected: str
    ) -> None:
        given: dict[str, Any] = {name: made(stack)}
        with pytest.raises(SettingsError) as refused:
            TokenRefresher(stack, "Figma", asset=asset, **given)
        assert str(refused.value).startswith(name + expected)

    @pytest.mark.parametrize(
        ("kind", "fault"),
        [
            (ec2.SubnetType.PUBLIC, "must be private ones with a way out"),
            (ec2.SubnetType.PRIVATE_WITH_EGRESS, "There are no 'Private' subnet groups"),
        ],
    )
    def test_subnets_without_a_way_out(self, stack: Stack, kind: ec2.SubnetType, fault: str) -> None:
        with pytest.raises(SettingsError, match=f"vpc_subnets: .*{fault}"):
            TokenRefresher(
                stack, "Figma", vpc=two_kinds_of_subnets(stack), vpc_subnets=ec2.SubnetSelection(subnet_type=kind)
            )

    def test_none_means_the_default(self, asset: Path, stack: Stack) -> None:
        none = dict.fromkeys(("schedule", "dashboard", "vpc", "consumer_accounts"))
        assert TokenRefresher(stack, "Figma", asset=asset, **none).dashboard  # type: ignore[arg-type]

    def test_names_that_only_the_deployment_knows(self, asset: Path, stack: Stack) -> None:
        later = at_deployment(stack)
        names = {"function_name": later, "secret_name": later, "service_name": later, "parameter_path": f"/{later}"}
        accounts = ["111122223333", "111122223333"]
        TokenRefresher(stack, "Figma", asset=asset, consumer_accounts=accounts, **names)  # type: ignore[arg-type]
        assert function(stack)["FunctionName"] == {"Ref": "AtDeployment"}
        assert "AtDeployment" in json.dumps(properties(stack, "AWS::SSM::Parameter")[0]["Name"])
        assert len(properties(stack, "AWS::Lambda::LayerVersionPermission")) == 1

    def test_two_props_for_one_thing(self, stack: Stack) -> None:
        key, queue = kms.Key(stack, "Key"), sqs.Queue(stack, "Queue")
        with pytest.raises(SettingsError) as refused:
            TokenRefresher(
                stack,
                "Figma",
                encryption_key=key,
                customer_managed_key=True,
                dead_letter_queue=queue,
                queue_key=key,
            )
        assert refused.value.faults == (
            "customer_managed_key: has no effect beside encryption_key. Remove one of the two",
            "queue_key: has no effect beside dead_letter_queue. Remove one of the two",
        )


class TestTwoRefreshers:
    @pytest.mark.parametrize("prop", ["service_name", "secret"])
    def test_what_they_must_not_share(self, asset: Path, prop: str) -> None:
        app = App()
        stack, near, far = (
            Stack(app, name, env=Environment(account=ACCOUNT, region=region))
            for name, region in (("Here", REGION), ("Near", REGION), ("Far", "us-east-1"))
        )
        TokenRefresher(near, "One", asset=asset)
        TokenRefresher(far, "One", asset=asset, service_name="figma")
        pair = secretsmanager.Secret.from_secret_complete_arn(stack, "Pair", ARN)
        shared: dict[str, Any] = {prop: pair if prop == "secret" else "figma"}
        TokenRefresher(stack, "One", asset=asset, **shared)
        with pytest.raises(SettingsError, match=f"{prop}: another refresher uses the same one"):
            TokenRefresher(stack, "Two", asset=asset, **shared)

    def test_what_they_may_share(self, asset: Path, stack: Stack) -> None:
        key, locks = kms.Key(stack, "Key"), dynamodb.Attribute(name="id", type=TEXT)
        shared: dict[str, Any] = {
            "alarm_topic": sns.Topic(stack, "Topic", enforce_ssl=True),
            "dead_letter_queue": sqs.Queue(stack, "Queue", encryption_master_key=key),
            "lock_table": dynamodb.Table(stack, "Table", partition_key=locks),
            "log_group": logs.LogGroup(stack, "Logs"),
            "role": iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")),
            "encryption_key": key,
            "consumer_accounts": ["111122223333"],
        }
        for name in ("One", "Two"):
            TokenRefresher(stack, name, asset=asset, **shared)
        policies = [json.dumps(one) for one in properties(stack, "AWS::IAM::Policy")]
        assert ["KeepTokenPair" in policy for policy in policies] == [True, True]


class TestFunction:
    def test_more_permissions_take_effect(self, asset: Path, stack: Stack) -> None:
        refresher = TokenRefresher(stack, "Figma", asset=asset)
        bucket = iam.PolicyStatement(actions=["s3:GetObject"], resources=["arn:aws:s3:::somebodys/*"])
        refresher.function.add_to_role_policy(bucket)
        (policy,) = Template.from_stack(stack).find_resources("AWS::IAM::Policy").items()
        assert policy[1]["Properties"]["PolicyDocument"]["Statement"][0]["Action"] == "s3:GetObject"
        (resource,) = Template.from_stack(stack).find_resources("AWS::Lambda::Function").values()
        assert policy[0] in resource["DependsOn"], "the function would start without it"

    def test_it_joins_a_network(self, asset: Path, stack: Stack) -> None:
        vpc = ec2.Vpc(stack, "Network", max_azs=2)
        group = ec2.SecurityGroup(stack, "Group", vpc=vpc)
        TokenRefresher(stack, "Figma", asset=asset, vpc=vpc, security_groups=[group])
        network = function(stack)["VpcConfig"]
        assert (len(network["SubnetIds"]), len(network["SecurityGroupIds"])) == (2, 1)
        assert "ec2:CreateNetworkInterface" in allowed(stack)["UseNetwork"]["Action"]

    def test_it_works_behind_a_proxy(self, asset: Path, stack: Stack, ca: Path) -> None:
        TokenRefresher(stack, "Figma", asset=asset, environment={"HTTPS_PROXY": "http://proxy:3128"}, ca_bundle=ca)
        found = function(stack)
        variables = found["Environment"]["Variables"]
        assert (variables["HTTPS_PROXY"], variables["AWS_CA_BUNDLE"]) == (
            "http://proxy:3128",
            f"/opt/{'refresh-token-ca.pem'}",
        )
        assert len(found["Layers"]) == 1

    def test_it_has_a_name_and_signed_code(self, asset: Path, stack: Stack) -> None:
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-0"
        signing = lambda_.CodeSigningConfig.from_code_signing_config_arn(stack, "Signing", arn)
        layer = lambda_.LayerVersion.from_layer_version_arn(
            stack, "Layer", f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:l:1"
        )
        TokenRefresher(
            stack,
            "Figma",
            asset=asset,
            function_name="keeper",
            code_signing_config=signing,
            layers=[layer],
            secret_name="pair",
        )
        found = function(stack)
        assert (found["FunctionName"], found["CodeSigningConfigArn"]) == ("keeper", arn)
        assert found["Layers"] == [layer.layer_version_arn]
        assert properties(stack, "AWS::SecretsManager::Secret")[0]["Name"] == "pair"

    def test_tracing_and_log_level(self, asset: Path, stack: Stack) -> None:
        TokenRefresher(stack, "Figma", asset=asset, tracing=False, log_level="WARNING")
        found = function(stack)
        assert "TracingConfig" not in found
        assert found["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == "WARNING"
        assert "Trace" not in allowed(stack)


class TestRoles:
    def test_an_existing_role_gets_the_permissions(self, asset: Path, stack: Stack) -> None:
        role = iam.Role.from_role_arn(stack, "Theirs", f"arn:aws:iam::{ACCOUNT}:role/theirs")
        TokenRefresher(stack, "Figma", asset=asset, role=role)
        (policy,) = Template.from_stack(stack).find_resources("AWS::IAM::Policy").items()
        assert policy[1]["Properties"]["Roles"] == ["theirs"]
        sids = [one["Sid"] for one in policy[1]["Properties"]["PolicyDocument"]["Statement"]]
        assert {"KeepTokenPair", "ClaimRefresh", "WriteOwnLogs"} < set(sids)
        (resource,) = Template.from_stack(stack).find_resources("AWS::Lambda::Function").values()
        assert policy[0] in resource["DependsOn"]

    def test_an_immutable_role_stays_as_it_is(self, asset: Path, stack: Stack) -> None:
        role = iam.Role.from_role_arn(stack, "Theirs", f"arn:aws:iam::{ACCOUNT}:role/theirs", mutable=False)
        TokenRefresher(stack, "Figma", asset=asset, role=role)
        assert properties(stack, "AWS::IAM::Policy") == []
        assert function(stack)["Role"] == role.role_arn

    def test_the_boundary_is_that_of_every_role(self, asset: Path, stack: Stack) -> None:
        boundary = iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "boundary")
        TokenRefresher(stack, "Figma", asset=asset, permissions_boundary=boundary)
        roles = properties(stack, "AWS::IAM::Role")
        assert len(roles) == 2
        assert all("boundary" in json.dumps(role["PermissionsBoundary"]) for role in roles)


class TestExistingResources:
    def test_nothing_of_these_is_made_anew(self, asset: Path, stack: Stack) -> None:
        TokenRefresher(
            stack,
            "Figma",
            asset=asset,
            issuer=Issuer.figma(),
            secret=secretsmanager.Secret.from_secret_complete_arn(stack, "Pair", ARN),
            app_secret=secretsmanager.Secret.from_secret_complete_arn(stack, "App", APP_ARN),
            lock_table=dynamodb.Table.from_table_name(stack, "Locks", "locks"),
            log_group=logs.LogGroup.from_log_group_name(stack, "Logs", "/somebodys"),
            dead_letter_queue=sqs.Queue.from_queue_arn(stack, "Dead", f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"),
        )
        for kind in ("SecretsManager::Secret", "DynamoDB::Table", "Logs::LogGroup", "SQS::Queue"):
            assert properties(stack, f"AWS::{kind}") == []
        found = function(stack)
        variables = found["Environment"]["Variables"]
        assert (variables["SECRET_ARN"], variables["APP_SECRET_ARN"], variables["LOCK_TABLE"]) == (
            ARN,
            APP_ARN,
            "locks",
        )
        assert found["LoggingConfig"] == {"LogGroup": "/somebodys"}
        statements = allowed(stack)
        assert statements["KeepTokenPair"]["Resource"] == ARN
        assert statements["ReadAppCredentials"]["Resource"] == APP_ARN
        assert ":table/locks" in json.dumps(statements["ClaimRefresh"]["Resource"])

    def test_a_key_encrypts_what_it_is_for(self, asset: Path, stack: Stack) -> None:
        key = kms.Key(stack, "Key")
        name = dynamodb.Attribute(name="id", type=TEXT)
        table = dynamodb.Table(stack, "Locks", partition_key=name, encryption_key=key)
        TokenRefresher(stack, "Figma", asset=asset, encryption_key=key, log_key=key, queue_key=key, lock_table=table)
        for kind in ("SecretsManager::Secret", "Logs::LogGroup"):
            assert "KmsKeyId" in properties(stack, f"AWS::{kind}")[0]
        assert "KmsMasterKeyId" in properties(stack, "AWS::SQS::Queue")[0]
        statements = json.dumps(properties(stack, "AWS::KMS::Key"))
        assert "LetLogsEncrypt" in statements
        assert "kms:Decrypt" in allowed(stack)["UseKeyForClaims"]["Action"]

    def test_no_change_of_the_key_changes_the_role(self, asset: Path) -> None:
        """So the function may read its secret before, while and after CloudFormation gives it another key, or back."""
        roles = []
        for names, own in (((), False), ((), True), (("One",), False), (("Other",), False)):
            stack = Stack(App(), "Somebodys")
            given = Props(encryption_key=kms.Key(stack, *names)) if names else Props()
            issuer = Issuer.figma()
            TokenRefresher(stack, "Figma", asset=asset, issuer=issuer, customer_managed_key=own, **given)
            roles.append(allowed(stack))
        assert all(role == roles[0] for role in roles)
        assert "kms:GenerateDataKey" in roles[0]["UseKeyForTokenPair"]["Action"]

    def test_a_key_of_another_account_is_named(self, asset: Path, stack: Stack) -> None:
        arn_there = f"arn:aws:kms:{REGION}:999988887777:key/k"
        TokenRefresher(stack, "Figma", asset=asset, encryption_key=kms.Key.from_key_arn(stack, "Key", arn_there))
        assert arn_there in allowed(stack)["UseKeyForTokenPair"]["Resource"]

    def test_synthesis_says_what_an_imported_key_needs(self, asset: Path, stack: Stack) -> None:
        key = kms.Key.from_key_arn(stack, "Key", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k")
        TokenRefresher(stack, "Figma", asset=asset, log_key=key)
        Annotations.from_stack(stack).has_warning("*", Match.string_like_regexp("statement LetLogsEncrypt"))


class TestAccounts:
    def test_consumers_of_an_account_are_let_in(self, asset: Path, stack: Stack) -> None:
        TokenRefresher(stack, "Figma", asset=asset, consumer_accounts=["111122223333"], parameter_path="/figma")
        (invoke,) = properties(stack, "AWS::Lambda::Permission")
        (layer,) = properties(stack, "AWS::Lambda::LayerVersionPermission")
        assert (invoke["Principal"], layer["Principal"]) == ("111122223333", "111122223333")
        (share,) = properties(stack, "AWS::RAM::ResourceShare")
        assert (share["Principals"], len(share["ResourceArns"])) == (["111122223333"], 2)
        assert {one["Tier"] for one in properties(stack, "AWS::SSM::Parameter")} == {"Advanced"}

    def test_a_reader_of_another_account(self, asset: Path, stack: Stack) -> None:
        reader = iam.Role.from_role_arn(stack, "Reader", "arn:aws:iam::999988887777:role/reader")
        with pytest.raises(SettingsError, match="the key aws/secretsmanager serves this account only"):
            TokenRefresher(stack, "Plain", asset=asset).grant_read(reader)
        imported = kms.Key.from_key_arn(stack, "Key", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k")
        with pytest.raises(SettingsError, match="policy of an imported key cannot be changed"):
            TokenRefresher(stack, "Imported", asset=asset, encryption_key=imported).grant_read(reader)
        secret = secretsmanager.Secret.from_secret_attributes(
            stack, "Pair", secret_complete_arn=ARN, encryption_key=kms.Key(stack, "Own")
        )
        with pytest.raises(SettingsError, match="policy of an imported secret cannot be changed"):
            TokenRefresher(stack, "Adopted", asset=asset, secret=secret).grant_read(reader)

    def test_a_reader_named_by_its_arn(self, asset: Path, stack: Stack) -> None:
        reader = arn("iam", "role/reader", region="")
        assert TokenRefresher(stack, "Figma", asset=asset).grant_read(iam.ArnPrincipal(reader)).success
        assert reader in json.dumps(properties(stack, "AWS::SecretsManager::ResourcePolicy"))

    @pytest.mark.parametrize("method", ["grant_invoke", "grant_read", "layer_in"])
    @pytest.mark.parametrize("given", ["orders", None, iam.Role, iam.AnyPrincipal(), iam.StarPrincipal()])
    def test_a_grantee_is_somebody(self, asset: Path, stack: Stack, method: str, given: object) -> None:
        refresher = TokenRefresher(stack, "Figma", asset=asset, customer_managed_key=True)
        with pytest.raises(SettingsError, match=r"\A(grantee|scope)=\w*: must (not be everybody|be an \w+\.I\w+)\Z"):
            getattr(refresher, method)(given)

    def test_the_policies_let_the_reader_in(self, asset: Path, stack: Stack) -> None:
        reader = iam.Role.from_role_arn(stack, "Reader", "arn:aws:iam::999988887777:role/reader")
        assert TokenRefresher(stack, "Figma", asset=asset, customer_managed_key=True).grant_read(reader).success
        (policy,) = properties(stack, "AWS::SecretsManager::ResourcePolicy")
        keys = json.dumps(properties(stack, "AWS::KMS::Key"))
        assert "999988887777" in json.dumps(policy)
        assert "999988887777" in keys


class TestSchedule:
    def test_zone_and_state(self, asset: Path, stack: Stack) -> None:
        zone = {"schedule": "cron(0 6,18 * * ? *)", "schedule_time_zone": "Europe/Berlin"}
        TokenRefresher(stack, "Figma", asset=asset, schedule_enabled=False, **zone)  # type: ignore[arg-type]
        (schedule,) = properties(stack, "AWS::Scheduler::Schedule")
        assert (schedule["ScheduleExpressionTimezone"], schedule["State"]) == ("Europe/Berlin", "DISABLED")

    @pytest.mark.parametrize(("zone", "faults"), [("UTC", 0), ("Europe/Berlin", 1), ("Middle/Earth", 1)])
    def test_the_change_of_clocks_counts(self, zone: str, faults: int) -> None:
        given = {"schedule": "cron(0 6 * * ? *)", "schedule_time_zone": zone, "advisory_window_hours": 48}
        found: tuple[str, ...] = ()
        try:
            checked(given)
        except SettingsError as error:
            found = error.faults
        assert len(found) == faults
        assert all("two ticks can take 49 hours" in fault or "must be a time zone" in fault for fault in found)


class TestAlarms:
    def test_they_go_to_the_topic_of_the_app(self, asset: Path, stack: Stack) -> None:
        topic = sns.Topic(stack, "Theirs", enforce_ssl=True, master_key=kms.Key(stack, "TheirKey"))
        others = [subscriptions.UrlSubscription(f"https://{name}.example/") for name in ("one", "two")]
        refresher = TokenRefresher(stack, "Figma", asset=asset, alarm_topic=topic, alarm_subscriptions=others)
        assert refresher.topic is topic
        assert len(properties(stack, "AWS::SNS::Topic")) == 1
        assert len(properties(stack, "AWS::SNS::Subscription")) == 2
        assert "LetAlarmsPublish" in json.dumps(properties(stack, "AWS::SNS::TopicPolicy"))
        assert "LetAlarmsEncrypt" in json.dumps(properties(stack, "AWS::KMS::Key"))
        target = stack.resolve(topic.topic_arn)
        alarms = properties(stack, "AWS::CloudWatch::Alarm")
        assert len(alarms) > 5
        assert all(alarm["AlarmActions"] == [target] for alarm in alarms)

    def test_a_later_policy_lets_them_publish_too(self, asset: Path, stack: Stack) -> None:
        topic = sns.Topic(stack, "Theirs")
        TokenRefresher(stack, "Figma", asset=asset, alarm_topic=topic)
        topic.add_to_resource_policy(
            iam.PolicyStatement(principals=[iam.AccountRootPrincipal()], actions=["sns:Publish"], resources=["*"])
        )
        (policy,) = properties(stack, "AWS::SNS::TopicPolicy")
        sids = [one.get("Sid") for one in policy["PolicyDocument"]["Statement"]]
        assert sids.count("LetAlarmsPublish") == 1

    def test_a_key_of_the_app_encrypts_their_topic(self, asset: Path, stack: Stack) -> None:
        TokenRefresher(stack, "Figma", asset=asset, topic_key=kms.Key(stack, "Key"))
        (key,) = properties(stack, "AWS::KMS::Key")
        assert "LetAlarmsEncrypt" in json.dumps(key)
        assert "KmsMasterKeyId" in properties(stack, "AWS::SNS::Topic")[0]

    def test_a_disabled_schedule_is_not_missed(self, asset: Path, stack: Stack) -> None:
        refresher = TokenRefresher(stack, "Figma", asset=asset, schedule_enabled=False)
        assert Alarm.NO_HEARTBEAT not in [alarm.node.id for alarm in refresher.alarms]


def test_what_an_app_does_without(asset: Path, stack: Stack) -> None:
    off: dict[str, Any] = dict.fromkeys(("client_layer", "alarms", "dashboard"), False)
    refresher = TokenRefresher(stack, "Figma", asset=asset, parameter_path="/figma", **off)
    assert (refresher.layer, refresher.topic, refresher.dashboard, refresher.alarms) == (None, None, None, [])
    for kind in ("Lambda::LayerVersion", "CloudWatch::Alarm", "CloudWatch::CompositeAlarm", "CloudWatch::Dashboard"):
        assert properties(stack, f"AWS::{kind}") == []
    assert properties(stack, "AWS::SNS::Topic") == []
    assert [one["Name"] for one in properties(stack, "AWS::SSM::Parameter")] == ["/figma/function-arn"]


class TestPage:
    """docs/infrastructure.md."""

    page = (ROOT / "docs" / "infrastructure.md").read_text(encoding="utf-8")

    def test_it_names_every_prop(self) -> None:
        assert [name for name in Props.__annotations__ if f"`{name}`" not in self.page] == []

    def test_its_example_synthesises(self, tmp_path: Path) -> None:
        example = re.findall(r"```python\n(.*?)```", self.page, re.DOTALL)[1]
        exec(example.replace("cdk.App()", f"cdk.App(outdir={str(tmp_path)!r})"), {})  # noqa: S102 - our own page
        assert ARN.replace("old", "figma") in (tmp_path / "Design.template.json").read_text(encoding="utf-8")
