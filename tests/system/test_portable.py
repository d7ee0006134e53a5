"""What a release has for teams without Python: the CDK CLI deploys the assembly, and CloudFormation the templates."""

import json
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.portable import synthesise, write_templates
from local.cdk_cli import CDK
from local.cloud import LocalCloud
from local.deployment import Deployment
from tests.support.aws_cli import AWS, is_version_2
from tests.support.played_demo import PlayedDemo
from tests.support.windows import FRESH

pytestmark = [
    pytest.mark.xdist_group("stack"),
    pytest.mark.skipif(not is_version_2(), reason="needs the AWS CLI version 2: make debian-packages"),
]

ARCHITECTURE = "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"
IN_BUCKET = {"AssetBucket": "artifacts", "AssetPrefix": "refresh-token/"}


def run(cloud: LocalCloud, folder: Path, *command: str | Path) -> None:
    env = {**cloud.env, "HOME": str(folder), "CDK_DISABLE_VERSION_CHECK": "true"}
    done = subprocess.run(command, cwd=folder, env=env, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def outputs(cloud: LocalCloud, stack: str) -> dict[str, str]:
    (found,) = cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def deploy_template(cloud: LocalCloud, folder: Path, **values: str) -> None:
    """Deploy the template for Figma, by the command of docs/infrastructure.md."""
    overrides = [f"{name}={value}" for name, value in {**IN_BUCKET, "Architecture": ARCHITECTURE, **values}.items()]
    words = ("deploy", "--stack-name", "RefreshToken-blue", "--template-file", "figma.template.json")
    end = ("--capabilities", "CAPABILITY_IAM", "--parameter-overrides", *overrides)
    run(cloud, folder, AWS, "--endpoint-url", cloud.url, "cloudformation", *words, *end)


@pytest.fixture(scope="module")
def blue(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the templates, one of which is deployed."""
    folder = tmp_path_factory.mktemp("templates") / "cloudformation"
    write_templates(folder, emulator=True)
    store = cloud.client("s3")
    store.create_bucket(Bucket=IN_BUCKET["AssetBucket"])
    for asset in (folder / "assets").iterdir():
        store.upload_file(str(asset), IN_BUCKET["AssetBucket"], IN_BUCKET["AssetPrefix"] + asset.name)
    deploy_template(cloud, folder)
    return folder


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assembly") / "cdk.out"
    synthesise(folder, emulator=True)
    return folder


@pytest.fixture(scope="module")
def red(cloud: LocalCloud, assembly: Path, played: PlayedDemo) -> Path:  # noqa: ARG001 - it has bootstrapped the account
    """The assembly, one of whose stacks is deployed with another name."""
    copy = shutil.copytree(assembly, assembly.with_name("red.out"))
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    manifest["artifacts"]["RefreshToken-figma"]["properties"]["stackName"] = "RefreshToken-red"
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    words = ("deploy", "--app", "red.out", "RefreshToken-figma", "--require-approval", "never", "--no-notices")
    run(cloud, copy.parent, CDK, *words, "--parameters", f"Architecture={ARCHITECTURE}")
    return copy


def test_each_deployment_serves_its_own_token(cloud: LocalCloud, blue: Path, red: Path) -> None:
    assert blue.exists()
    assert red.exists()
    for stack in ("RefreshToken-blue", "RefreshToken-red"):
        own = Deployment(cloud, outputs(cloud, stack))
        version = own.seed(cloud.standin.grant(user=stack), expires_in=FRESH, provider="figma")
        (published,) = cloud.client("ssm").get_parameters(Names=[f"/{stack}/function-arn"])["Parameters"]
        for event in ({}, {"source": "aws.scheduler", "detail-type": "Scheduled Event"}):
            answer = own.invoke(event, function_name=published["Value"])
            assert answer.payload["versionId"] == version, answer


def test_a_changed_parameter_reaches_the_alias(cloud: LocalCloud, blue: Path) -> None:
    deploy_template(cloud, blue, LogLevel="WARNING", AlarmEmail="on-call@example.com")
    own = outputs(cloud, "RefreshToken-blue")
    live = cloud.client("lambda").get_function_configuration(FunctionName=own["FunctionAliasArn"])
    assert live["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == "WARNING"
    found = cloud.client("sns").list_subscriptions_by_topic(TopicArn=own["AlarmTopicArn"])["Subscriptions"]
    assert [each["Endpoint"] for each in found] == ["on-call@example.com"]


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://h/token?tenant=1", True),
        ("https://h:8443", True),
        ("http://h/token", False),
        ("https://user:password@h/token", False),
        ("https://h/token#x", False),
    ],
)
def test_an_address_is_checked_before_the_deployment(assembly: Path, url: str, *, allowed: bool) -> None:
    template = json.loads((assembly / "RefreshToken-oauth2.template.json").read_text(encoding="utf-8"))
    assert bool(re.fullmatch(template["Parameters"]["Oauth2TokenUrl"]["AllowedPattern"], url)) == allowed


def test_archives_name_no_machine_or_stack(blue: Path, assembly: Path) -> None:
    templates = [*blue.glob("*.template.json"), *assembly.glob("*.template.json")]
    assert len(templates) == 8, "one for each issuer"
    for file in templates:
        text = file.read_text(encoding="utf-8")
        assert "RefreshToken-" not in text
        assert "/RefreshToken" not in text
        assert ("BootstrapVersion" in text) == (file.parent == assembly)
    assert [file for file in assembly.glob("*.json") if "/jsii-kernel" in file.read_text(encoding="utf-8")] == []
