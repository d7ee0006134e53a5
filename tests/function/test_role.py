"""The role that the stack gives the function: it is enough, and the function needs all of it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
import pytest

from refresh_token.adapters import aws_clients
from refresh_token.errors import ConfigurationException, RefreshTokenError
from refresh_token.oauth import catalogue
from refresh_token.oauth.profile_file import to_compact_json
from tests.support.enforced_role import enforced
from tests.support.events import TICK
from tests.support.function_environment import AppSecret
from tests.support.iam import Role
from tests.support.lambda_context import LambdaContext
from tests.support.moto_function import ACCESS, MotoFunction
from tests.support.synthesised import VARIANTS
from tests.support.template import environment
from tests.support.token_server import TokenServer, http, issued, ui_builder_error, ui_builder_issued

OF_LAMBDA = {
    *("logs:CreateLogStream", "logs:PutLogEvents"),
    *("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
}
"""What Lambda does with the role by itself: logs and traces."""

OF_THE_FLEET = {"KeepConnections", "UseKeyForTable", "SealTokens"}
"""Statements for a pair that has moved to the fleet. tests/infra/test_fleet_roles.py has what they allow."""

GOOGLE = "google-service-account"

pytestmark = pytest.mark.usefixtures("fast_retries")


@dataclass(frozen=True)
class Stack:
    """A stack as its snapshot has it: the function's environment, and an issuer that works or fails."""

    variant: str
    deployment: MotoFunction
    app_secret: AppSecret
    works: Callable[[], None]
    is_down: Callable[[], None]
    signing_key: str = ""

    def role(self, taken_away: str = "") -> Role:
        return Role(
            self.variant, self.deployment.secret_arn, self.app_secret.arn, self.signing_key, taken_away=taken_away
        )

    def seed(self, window: str) -> str:
        own = {"provider": GOOGLE, "refreshToken": None} if self.signing_key else {}
        return self.deployment.seed(window, **own)


StackOf = Callable[[str], Stack]


@pytest.fixture
def stack_of(
    deployment: MotoFunction, app_secret: AppSecret, token_endpoint: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> StackOf:
    def stack_of(variant: str) -> Stack:
        """Set the issuer's variables as the stack does, except for the addresses of the issuer and the app's secret."""
        known = {*deployment.environment, "CONNECTIONS_TABLE", "CONNECTIONS_KEY"}
        variables = {name: value for name, value in environment(variant).items() if name not in known}
        if "ISSUER" not in variables:
            works, is_down = (
                partial(deployment.issuer.answer, reply) for reply in (ui_builder_issued(), ui_builder_error(503))
            )
            return Stack(variant, deployment, app_secret, works, is_down)
        if variables["ISSUER"] == "static":
            monkeypatch.setenv("ISSUER", "static")
            return Stack(variant, deployment, app_secret, lambda: None, lambda: None)
        signing_key = ""
        if "ISSUER_SIGNING_KEY" in variables:
            signing_key = boto3.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"][
                "Arn"
            ]
            profile = to_compact_json((catalogue.FOLDER / f"{GOOGLE}.toml").read_text())
            here = profile.replace("https://oauth2.googleapis.com/token", token_endpoint.url)
            variables |= {"ISSUER_SIGNING_KEY": signing_key, "ISSUER_PROFILE": here}
        else:
            (address,) = {"FIGMA_BASE_URL", "OAUTH2_TOKEN_URL"} & set(variables)
            variables[address] = token_endpoint.url
        variables |= {"APP_SECRET_ARN": app_secret.arn, "ALLOW_HTTP_ISSUER": "true"}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        works, is_down = (partial(token_endpoint.answer, reply) for reply in (issued(), http(503)))
        return Stack(variant, deployment, app_secret, works, is_down, signing_key)

    return stack_of


def do_everything(stack: Stack, role: Role) -> None:
    """Make the function use every call it has, without time to retry a denied one."""
    context = LambdaContext(lambda: 0.5 if role.denied else 60.0)
    events: list[object] = [TICK, {}, {"force": True}]

    def invoke_all() -> None:
        for event in events:
            with suppress(RefreshTokenError):
                stack.deployment.invoke(event, context)

    with enforced(role):
        invoke_all()  # nothing is seeded
        events.append({"failedVersionId": stack.seed("fresh")})
        invoke_all()
        stack.seed("mandatory")
        stack.is_down()
        invoke_all()
        stack.works()
        stack.seed("expired")
        invoke_all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_function_uses_all_of_its_role(stack_of: StackOf, variant: str) -> None:
    stack = stack_of(variant)
    role = stack.role()
    do_everything(stack, role)
    assert role.denied == set()
    granted = {(sid, action) for sid, action in role.granted() if action not in OF_LAMBDA and sid not in OF_THE_FLEET}
    assert granted == role.used
    kept = stack.deployment.stored()[1]["accessToken"]
    assert kept == (ACCESS if variant == "prod-static" else "access-issued")


@pytest.mark.parametrize(
    ("statement", "action"),
    [("ReadAppCredentials", "secretsmanager:GetSecretValue"), ("UseKeyForAppCredentials", "kms:Decrypt")],
)
def test_a_role_without_the_apps_credentials_says_so(stack_of: StackOf, statement: str, action: str) -> None:
    stack = stack_of("prod-figma")
    role = stack.role(taken_away=statement)
    do_everything(stack, role)
    assert role.denied == {action}
    with enforced(role), pytest.raises(ConfigurationException, match="function's role may read it and use its key"):
        stack.deployment.invoke(TICK)


@pytest.mark.parametrize("variant", ["prod", "prod-figma"])
def test_the_key_serves_these_secrets_only(stack_of: StackOf, variant: str) -> None:
    stack = stack_of(variant)
    role = stack.role()
    another = stack.deployment.client.create_secret(Name="another", SecretString="{}")["ARN"]
    with enforced(role):
        reader: Any = aws_clients.session().create_client("secretsmanager")
        with pytest.raises(reader.exceptions.ClientError, match="AccessDenied"):
            reader.get_secret_value(SecretId=another)
    assert role.denied == {"secretsmanager:GetSecretValue", "kms:Decrypt"}
