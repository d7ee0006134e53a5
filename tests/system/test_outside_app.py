"""Somebody else's CDK app installs the wheel, deploys the construct twice and one of our stages, then destroys all."""

import json
import platform
import shlex
import shutil
import subprocess
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import certifi
import pytest

from local.cdk_cli import CdkCli, Outputs
from local.cloud import LocalCloud
from local.deployment import pair_of
from tests.support.checkout import ROOT
from tests.support.played_demo import PlayedDemo
from tests.support.wheel import path_with_compiler, python_with
from tests.support.windows import FRESH
from tokenctl.main import run as run_tokenctl

pytestmark = pytest.mark.xdist_group("stack")

APP = """
    import sys
    from pathlib import Path

    import aws_cdk as cdk
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_secretsmanager as secretsmanager
    from aws_cdk import aws_sns as sns
    from aws_cdk import aws_sqs as sqs

    from token_refresher import Issuer, TokenRefresher
    from infra.stage_settings import StageSettings
    from infra.stack import RefreshTokenStack

    architecture, url, ca, *left = sys.argv[1:]
    SIGNING = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0d4518bd353a0a7c6"
    AS_IT_IS = {"restrict_default_security_group": False}
    app = cdk.App()
    stack = cdk.Stack(app, "Somebodys")
    here = {"architecture": architecture, "issuer": Issuer.amplify(endpoint_url=url)}
    lets_destroy = {"removal_policy": cdk.RemovalPolicy.DESTROY}
    key = kms.Key(stack, "TheirKey", **lets_destroy)
    kept = TokenRefresher(stack, "Kept", log_key=key, queue_key=key, topic_key=key, **here)
    gone = TokenRefresher(
        stack,
        "Gone",
        customer_managed_key=True,
        parameter_path="/figma",
        removal_policy=cdk.RemovalPolicy.DESTROY,
        **here,
    )
    private = ec2.SubnetConfiguration(name="private", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    vpc = ec2.Vpc(stack, "Network", max_azs=1, nat_gateways=0, subnet_configuration=[private], **AS_IT_IS)
    role = iam.Role(stack, "TheirRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    locks = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    brought = TokenRefresher(
        stack,
        "Brought",
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnets=vpc.isolated_subnets),
        secret=secretsmanager.Secret(stack, "TheirSecret", encryption_key=key, **lets_destroy),
        lock_table=dynamodb.Table(
            stack,
            "TheirTable",
            partition_key=locks,
            time_to_live_attribute="expiration",
            encryption_key=key,
            **lets_destroy,
        ),
        log_group=logs.LogGroup(stack, "TheirLogs", **lets_destroy),
        dead_letter_queue=sqs.Queue(stack, "TheirQueue"),
        alarm_topic=sns.Topic(stack, "TheirTopic", master_key=key, enforce_ssl=True),
        # The local AWS takes it and does not look at it.
        code_signing_config=lambda_.CodeSigningConfig.from_code_signing_config_arn(stack, "Signing", SIGNING),
        role=role,
        permissions_boundary=iam.ManagedPolicy(
            stack, "Boundary", statements=[iam.PolicyStatement(actions=["*"], resources=["*"])]
        ),
        environment={"TEAM": "design"},
        ca_bundle=Path(ca),
        function_name="brought-by-a-team",
        consumer_accounts=["111122223333"],
        schedule_enabled=False,
        schedule="cron(0 6,18 * * ? *)",
        schedule_time_zone="Europe/Berlin",
        log_level="WARNING",
        tracing=False,
        dashboard=False,
        removal_policy=cdk.RemovalPolicy.DESTROY,
        **here,
    )
    brought.function.add_to_role_policy(iam.PolicyStatement(actions=["s3:ListAllMyBuckets"], resources=["*"]))
    cdk.CfnOutput(stack, "BroughtFunction", value=brought.function.function_name)
    # It does not import the client: the local AWS has no boto3. tests/system/test_consumers.py brings its own.
    FINDS_CLIENT = lambda_.Code.from_inline(
        "from importlib.util import find_spec\\n\\ndef handler(*_):\\n    return find_spec('token_client').origin"
    )
    consumer = lambda_.Function(
        stack,
        "Consumer",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=FINDS_CLIENT,
        layers=[gone.layer],
        log_group=logs.LogGroup(stack, "Logs", removal_policy=cdk.RemovalPolicy.DESTROY),
        environment={"FUNCTION_NAME": gone.alias.function_arn},
    )
    gone.grant_invoke(consumer)
    cdk.CfnOutput(stack, "ConsumerName", value=consumer.function_name)
    readers = cdk.Stack(app, "Readers")
    reader = lambda_.Function(
        readers,
        "Reader",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=FINDS_CLIENT,
        layers=[gone.layer_in(readers)],
        log_group=logs.LogGroup(readers, "Logs", removal_policy=cdk.RemovalPolicy.DESTROY),
    )
    cdk.CfnOutput(readers, "ReaderName", value=reader.function_name)
    TokenRefresher(readers, "Own", alarms=False, dashboard=False, client_layer=False, **lets_destroy, **here)
    for name, refresher in (("Kept", kept), ("Gone", gone), ("Brought", brought)):
        cdk.CfnOutput(stack, f"{name}Alias", value=refresher.alias.function_arn)
        cdk.CfnOutput(stack, f"{name}Secret", value=refresher.secret_arn)
    cdk.CfnOutput(stack, "KeptFunction", value=kept.function.function_name)
    if left:
        pair, table, group = left
        back = cdk.Stack(app, "Back")
        adopted = TokenRefresher(
            back,
            "Adopted",
            secret=secretsmanager.Secret.from_secret_complete_arn(back, "Pair", pair),
            lock_table=dynamodb.Table.from_table_name(back, "Locks", table),
            log_group=logs.LogGroup.from_log_group_name(back, "Logs", group),
            **here,
        )
        cdk.CfnOutput(back, "Alias", value=adopted.alias.function_arn)
    given = {"stages": {"dev": {"architecture": architecture}}, "amplifyuibuilder_endpoint_url": url}
    RefreshTokenStack(app, "RefreshToken-dev", settings=StageSettings.from_context(given))
    app.synth()
"""


@pytest.fixture(scope="module")
def cdk(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> CdkCli:
    """The CDK CLI in the folder of an app that has the installed wheel and a copy of our stack."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.py").write_text(textwrap.dedent(APP))
    shutil.copytree(ROOT / "infra", folder / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    architecture = "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"
    return CdkCli(
        # The checkout's bundles fit if the wheel brings the same sources.
        env={**cloud.env, "PIP_NO_INDEX": "1", "PATH": path_with_compiler()},
        folder=tmp_path_factory.mktemp("out"),
        app_folder=folder,
        app=f"{python_with('cdk', tmp_path_factory)} app.py {architecture} {cloud.standin.url} {certifi.where()}",
    )


@pytest.fixture(scope="module")
def outputs(cdk: CdkCli, played: PlayedDemo) -> Outputs:  # noqa: ARG001 - it has bootstrapped the account
    return cdk.deploy()


def invoke(cloud: LocalCloud, name: str, event: object = None) -> Any:
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}))
    payload = json.load(answer["Payload"])
    assert "FunctionError" not in answer, payload
    return payload


def test_each_refresher_serves_its_own_token(cloud: LocalCloud, outputs: Outputs) -> None:
    secrets = cloud.client("secretsmanager")
    own = outputs["Somebodys"]
    versions = {}
    for name in ("Kept", "Gone", "Brought"):
        pair = pair_of(cloud.standin.grant(user=name), expires_in=FRESH)
        versions[name] = secrets.put_secret_value(SecretId=own[f"{name}Secret"], SecretString=pair)["VersionId"]
    assert {name: invoke(cloud, own[f"{name}Alias"])["versionId"] for name in versions} == versions


def test_a_key_of_the_app_has_the_statements(cloud: LocalCloud, outputs: Outputs) -> None:
    found = cloud.client("lambda").get_function_configuration(FunctionName=outputs["Somebodys"]["KeptAlias"])
    (group,) = cloud.client("logs").describe_log_groups(logGroupNamePrefix=found["LoggingConfig"]["LogGroup"])[
        "logGroups"
    ]
    policy = cloud.client("kms").get_key_policy(KeyId=group["kmsKeyId"], PolicyName="default")["Policy"]
    assert {"LetLogsEncrypt", "LetAlarmsEncrypt"} <= {one.get("Sid") for one in json.loads(policy)["Statement"]}
    (theirs,) = [one for one in cloud.client("sns").list_topics()["Topics"] if "TheirTopic" in one["TopicArn"]]
    attributes = cloud.client("sns").get_topic_attributes(TopicArn=theirs["TopicArn"])["Attributes"]
    assert "LetAlarmsPublish" in attributes["Policy"]


def test_the_layer_brings_the_client(cloud: LocalCloud, outputs: Outputs) -> None:
    assert invoke(cloud, outputs["Somebodys"]["ConsumerName"]).endswith("/python/token_client/__init__.py")
    parameters = cloud.client("ssm").get_parameters_by_path(Path="/figma")["Parameters"]
    assert {one["Name"]: one["Value"] for one in parameters}["/figma/function-arn"] == outputs["Somebodys"]["GoneAlias"]


OPTIONS = {
    "Kept": ("--function-name", "KeptFunction"),
    "Gone": ("--parameter-path", "/figma"),
    "Own": ("--stack-name", "Readers"),
}
"""How tokenctl finds the refreshers of the app: an option, and its value or the output that has it."""


@pytest.mark.parametrize("name", OPTIONS)
def test_an_operator_needs_only_tokenctl(
    cloud: LocalCloud, outputs: Outputs, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    option, value = OPTIONS[name]
    command = python_with("cli", tmp_path_factory).with_name("tokenctl")

    def tokenctl(*words: str, stdin: str = "") -> str:
        target = (option, outputs["Somebodys"].get(value, value))
        done = subprocess.run(
            [command, *words, *target], env=cloud.env, input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode in {0, 1, 2}, done.stderr
        assert "stage" not in done.stdout, "the advice fits this deployment"
        return done.stdout

    grant = cloud.standin.grant(user=f"of {name}")
    tokenctl("seed", "--yes", stdin=pair_of(grant, expires_in=FRESH))
    assert tokenctl("token").strip() == grant.access_token
    assert "HEALTHY" in tokenctl("status")
    shown = tokenctl("doctor")
    assert "FAIL" not in shown
    assert ("aws sns subscribe --topic-arn" in shown) == (name != "Own")


def test_several_refreshers_need_a_name(
    cloud: LocalCloud, outputs: Outputs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable, value in cloud.exports.items():
        monkeypatch.setenv(variable, value)
    assert run_tokenctl(["status", "--stack-name", "Somebodys"]) == 253
    assert "holds 3 refresh functions. Give one of Somebodys-" in (told := capsys.readouterr().err)
    assert outputs["Somebodys"]["KeptFunction"] in told


def test_another_stack_blocks_no_release(cloud: LocalCloud, cdk: CdkCli, outputs: Outputs, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "lambda_src" / "token_client", tmp_path / "token_client")
    (tmp_path / "token_client" / "newer.py").touch()
    before = used_layer(cloud, outputs["Readers"]["ReaderName"])
    replace(cdk, app=f"PYTHONPATH={tmp_path} {cdk.app}").deploy("Somebodys")
    assert used_layer(cloud, outputs["Somebodys"]["ConsumerName"]).endswith(":2")
    assert used_layer(cloud, outputs["Readers"]["ReaderName"]) == before
    assert invoke(cloud, outputs["Readers"]["ReaderName"]).endswith("/python/token_client/__init__.py")
    exported = [export["Value"] for export in cloud.client("cloudformation").list_exports()["Exports"]]
    assert [value for value in exported if ":layer:" in value] == []


def used_layer(cloud: LocalCloud, function: str) -> str:
    (layer,) = cloud.client("lambda").get_function_configuration(FunctionName=function)["Layers"]
    return str(layer["Arn"])


def test_two_stages_live_in_one_account(played: PlayedDemo, outputs: Outputs) -> None:
    ours, other = played.deployment.outputs, outputs["RefreshToken-dev"]
    assert set(ours) == set(other)
    assert set(ours.values()).isdisjoint(other.values())


def stays(cloud: LocalCloud, stack: str) -> dict[str, list[str]]:
    """Return everything in the account whose name contains the stack's, by kind."""
    names = {
        "secrets": [one["Name"] for one in cloud.client("secretsmanager").list_secrets()["SecretList"]],
        "tables": cloud.client("dynamodb").list_tables()["TableNames"],
        "logs": [one["logGroupName"] for one in cloud.client("logs").describe_log_groups()["logGroups"]],
        "queues": cloud.client("sqs").list_queues().get("QueueUrls", []),
        "functions": [one["FunctionName"] for one in cloud.client("lambda").list_functions()["Functions"]],
        "layers": [one["LayerName"] for one in cloud.client("lambda").list_layers()["Layers"]],
        "topics": [one["TopicArn"] for one in cloud.client("sns").list_topics()["Topics"]],
        "alarms": [one["AlarmName"] for one in cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "dashboards": [
            one["DashboardName"] for one in cloud.client("cloudwatch").list_dashboards()["DashboardEntries"]
        ],
        "schedules": [one["GroupName"] for one in cloud.client("scheduler").list_schedules()["Schedules"]],
        "roles": [one["RoleName"] for one in cloud.client("iam").list_roles()["Roles"]],
        "parameters": [one["Name"] for one in cloud.client("ssm").describe_parameters()["Parameters"]],
    }
    words = (f"{stack}-", f"{stack}/", "/figma/" if stack == "Somebodys" else f"/{stack.replace('-', '/')}/")
    found = {kind: [name for name in listed if any(word in name for word in words)] for kind, listed in names.items()}
    return {kind: listed for kind, listed in found.items() if listed}


def test_destroying_leaves_retained_data(cloud: LocalCloud, cdk: CdkCli, outputs: Outputs, played: PlayedDemo) -> None:
    assert set(stays(cloud, "RefreshToken-dev")) == {
        *("secrets", "tables", "logs", "queues", "functions", "layers", "topics", "alarms", "dashboards", "schedules"),
        *("roles", "parameters"),
    }
    cdk.destroy()
    assert set(stays(cloud, "RefreshToken-dev")) == {"layers"}, "consumers may still use them"
    left = stays(cloud, "Somebodys")
    assert [name for name in left.pop("layers") if "Gone" in name], "consumers may still use them"
    assert all("Kept" in name for names in left.values() for name in names), left
    assert {"secrets", "tables", "logs"} <= set(left)
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=outputs["Somebodys"]["KeptSecret"])
    assert "accessToken" in secret["SecretString"]
    assert played.deployment.outputs["FunctionName"] in stays(cloud, "RefreshToken-local")["functions"]
    before = json.loads(secret["SecretString"])
    returned = replace(
        cdk, app=shlex.join([*shlex.split(cdk.app or ""), secret["ARN"], *left["tables"], *left["logs"]])
    )
    alias = returned.deploy("Back")["Back"]["Alias"]
    assert invoke(cloud, alias)["versionId"] == secret["VersionId"]
    assert invoke(cloud, alias, {"force": True})["accessToken"] != before["accessToken"]
    returned.destroy()
    assert stays(cloud, "Somebodys") == {**left, "layers": stays(cloud, "Somebodys")["layers"]}
