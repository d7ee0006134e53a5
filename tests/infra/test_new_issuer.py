"""The profile in docs/issuers.md is all that a new provider needs: every part then knows it."""

import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from refresh_token.issuers.registry import issuer_from
from tests.support.bare_stack import EMPTY_ZIP
from tests.support.checkout import ROOT
from tests.support.http_server import answering
from tests.support.stage_settings import read
from token_refresher.settings.refresher_settings import checked
from tokenctl.sign_in.options import SignInOptions
from tokenctl.sign_in.plan import plan_sign_in
from tokenctl.stack.aws_access import AwsAccess
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import issuer_title
from tokenctl.stack.target import Target

STACK = "<R><DescribeStacksResult><Stacks><member><Outputs>{}</Outputs></member></Stacks></DescribeStacksResult></R>"
OUTPUT = "<member><OutputKey>{}</OutputKey><OutputValue>{}</OutputValue></member>"
OPTIONS = SignInOptions(issuer=None, client_id=None, scopes=(), authorize_url=None, token_url=None, yes=False)


def _profiles() -> list[str]:
    return re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "issuers.md").read_text(), re.DOTALL)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    """Return the context that the page describes."""
    profile, _ = _profiles()
    (tmp_path / "studio.toml").write_text(profile)
    params = {"workspace": "ada"}
    return {"stages": {"dev": {}}, "issuer": str(tmp_path / "studio.toml"), "issuer_params": params}


@pytest.fixture
def deployed(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Yield a stack with the function's variables and an app's credentials."""
    aws = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in aws.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        variables = dict(read(settings).issuer.variables)
        boto3.client("lambda").create_function(
            FunctionName="f",
            Runtime="python3.13",
            Role=role,
            Handler="x.y",
            Code={"ZipFile": EMPTY_ZIP},
            Environment={"Variables": variables},
        )
        app = json.dumps({"clientId": "id", "clientSecret": "secret"})
        secret = boto3.client("secretsmanager").create_secret(Name="app", SecretString=app)["ARN"]
        outputs = {"FunctionName": "f", "AppSecretArn": secret}
        with answering(200, STACK.format("".join(OUTPUT.format(*output) for output in outputs.items()))) as url:
            # moto's CloudFormation needs packages that we do not have
            monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
            yield DeployedStack(Target(aws=AwsAccess()))


def test_the_settings_have_what_the_profile_says(settings: dict[str, Any]) -> None:
    stage = read(settings)
    values = checked(stage.refresher, stage.issuer)
    assert (values["refresh_margin_seconds"], values["grant_idle_days"]) == (60, 60)
    assert (stage.issuer.title, stage.issuer.has_app) == ("Studio", True)


def test_an_app_of_its_own_needs_less(tmp_path: Path) -> None:
    file = tmp_path / "keycloak-app.toml"
    file.write_text(_profiles()[1])
    issuer = read({"stages": {"dev": {}}, "issuer": str(file)}).issuer
    assert (issuer.has_app, issuer.variables["ISSUER_GRANT"]) == (True, "client_credentials")


def test_the_function_refreshes_with_it(settings: dict[str, Any]) -> None:
    issuer = issuer_from({**read(settings).issuer.variables, "APP_SECRET_ARN": "arn"})
    assert (str(issuer.issued_by), issuer.rotates) == ("studio (ada.studio.example)", True)


def test_a_person_signs_in_there(deployed: DeployedStack) -> None:
    assert issuer_title(deployed) == "Studio (studio)"
    plan = plan_sign_in(deployed, OPTIONS)
    assert (plan.issuer_label, plan.scopes) == ("Studio", ("files:read", "offline"))
    assert plan.consent_page == "https://ada.studio.example/oauth/authorize"
