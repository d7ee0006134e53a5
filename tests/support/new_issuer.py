"""Takes an issuer from the settings of a stage to a sign-in, by its name alone, and prints what each part says.

It runs in a process of its own, where the package has one issuer more than the checkout.
"""

import json
import os
from typing import Any

import boto3
from moto import mock_aws

from infra.settings_table import table
from infra.stage_settings import StageSettings
from refresh_token.issuers.registry import issuer_from
from refresh_token.oauth.issuers import ALL_SETTINGS
from tests.support.bare_stack import EMPTY_ZIP
from tests.support.http_server import answering
from tests.support.stage_settings import read
from token_refresher.issuers import Issuer
from token_refresher.settings.reader import SettingsError
from token_refresher.settings.refresher_settings import checked
from tokenctl.sign_in.options import SignInOptions
from tokenctl.sign_in.plan import SignInPlan, plan_sign_in
from tokenctl.stack.aws_access import AwsAccess
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.target import Target

NAME = "studio"
CONTEXT: dict[str, Any] = {"stages": {"dev": {}}, "issuer": NAME}
STACK = "<R><DescribeStacksResult><Stacks><member><Outputs>{}</Outputs></member></Stacks></DescribeStacksResult></R>"
OUTPUT = "<member><OutputKey>{}</OutputKey><OutputValue>{}</OutputValue></member>"
OPTIONS = SignInOptions(issuer=None, client_id=None, scopes=(), authorize_url=None, token_url=None, yes=False)


def fault(**overrides: str) -> str:
    try:
        read(CONTEXT, **overrides)
    except SettingsError as error:
        return str(error)
    return ""


def margin(given: str) -> int | None:
    """Return the margin that the construct uses."""
    settings = read(CONTEXT, refresh_margin_seconds=given)
    return checked(settings.refresher, settings.issuer)["refresh_margin_seconds"]


def plan(settings: StageSettings) -> SignInPlan:
    role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    function: dict[str, Any] = {"FunctionName": "f", "Runtime": "python3.13", "Role": role, "Handler": "x.y"}
    boto3.client("lambda").create_function(
        **function, Code={"ZipFile": EMPTY_ZIP}, Environment={"Variables": dict(settings.issuer.variables)}
    )
    app = json.dumps({"clientId": "id", "clientSecret": "secret"})
    secret = boto3.client("secretsmanager").create_secret(Name="app", SecretString=app)["ARN"]
    outputs = {"FunctionName": "f", "AppSecretArn": secret}
    with answering(200, STACK.format("".join(OUTPUT.format(*output) for output in outputs.items()))) as url:
        os.environ["AWS_ENDPOINT_URL_CLOUDFORMATION"] = url  # moto's CloudFormation needs packages that we do not have
        return plan_sign_in(DeployedStack(Target(aws=AwsAccess())), OPTIONS)


def main() -> None:
    settings = read(CONTEXT, studio_scope="files:write")
    with mock_aws():
        issuer = issuer_from({**settings.issuer.variables, "APP_SECRET_ARN": "arn"})
        planned = plan(settings)
    found = {
        "construct": settings.issuer == Issuer.of(ALL_SETTINGS[NAME], scope="files:write"),
        "variables": settings.issuer.variables,
        "faults": [fault(studio_base_url="http://x"), fault(issuer="figma", studio_scope="a")],
        "margins": [margin(given) for given in ("", "0", "90")],
        "rows": [row.split("`")[1] for row in table().splitlines() if row.startswith("| `studio")],
        "function": [str(issuer.issued_by), issuer.rotates],
        "sign-in": [planned.issuer_label, planned.consent_page, list(planned.scopes)],
    }
    print(json.dumps(found))  # noqa: T201 - for the test


if __name__ == "__main__":
    main()
