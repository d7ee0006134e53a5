"""What every unit test stands on: an AWS environment of its own that reaches no real account."""

import importlib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
import pytest
from hypothesis import settings
from moto import mock_aws

from refresh_token import aws_clients
from refresh_token.adapters import idempotency_lock, secrets_manager
from refresh_token.issuers import ui_builder as issuer_module
from tests.support.deployment import Deployment, deploy
from tests.support.token_server import TokenServer, token_server
from tests.support.ui_builder_server import UiBuilderServer, ui_builder_server

settings.register_profile("refresh-token", deadline=None, derandomize=True)  # the same examples in every run
settings.load_profile("refresh-token")

SERVICE = "RefreshToken-test"
os.environ["POWERTOOLS_SERVICE_NAME"] = SERVICE  # read when the handler is imported, which is before any fixture

NOBODY_LISTENS = "http://127.0.0.1:1"

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "secret-of-nobody",
    "AWS_SESSION_TOKEN": "session-of-nobody",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_URL_AMPLIFYUIBUILDER": NOBODY_LISTENS,
    "HTTPS_PROXY": NOBODY_LISTENS,  # whatever would leave the machine after all
    "POWERTOOLS_SERVICE_NAME": SERVICE,
}
UNSET = (
    *("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE", "POWERTOOLS_LOG_LEVEL"),
    *("AWS_CA_BUNDLE", "NO_PROXY", "no_proxy", "https_proxy", "ISSUER"),
)


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch: pytest.MonkeyPatch, botocore_session: botocore.session.Session) -> Iterator[None]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(aws_clients, "session", lambda: botocore_session)
    forget_clients()
    yield
    forget_clients()


def forget_clients() -> None:
    """Empty the caches that live as long as a Lambda environment does."""
    secrets_manager.secrets_manager_client.cache_clear()
    secrets_manager.secrets_manager_writer.cache_clear()
    idempotency_lock.dynamodb_client.cache_clear()
    issuer_module._client.cache_clear()
    if handler := sys.modules.get("refresh_token.handler"):
        for name in ("_settings", "_store", "_issuer", "_lock"):
            getattr(handler, name).cache_clear()
        handler.DEAD.clear()
        handler.UNWRITTEN.clear()


@pytest.fixture(scope="session")
def botocore_session() -> botocore.session.Session:
    """One session for all tests: it keeps the service models, which take long to load."""
    return botocore.session.get_session()


@pytest.fixture(scope="session")
def boto3_session(botocore_session: botocore.session.Session) -> boto3.session.Session:
    """The same for what tests ask boto3 for."""
    return boto3.session.Session(botocore_session=botocore_session)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, boto3_session: boto3.session.Session) -> Iterator[None]:
    """Secrets Manager and DynamoDB as moto has them, empty."""
    with mock_aws(), monkeypatch.context() as patch:
        patch.setattr(boto3, "DEFAULT_SESSION", boto3_session)  # moto asks for a new one
        yield


APP_ID, APP_SECRET = "canary-app-id", "canary-app-secret"


@dataclass(frozen=True)
class AppSecret:
    """The secret of an app's credentials."""

    arn: str

    def store(self, text: str | bytes) -> None:
        value = {"SecretBinary": text} if isinstance(text, bytes) else {"SecretString": text}
        boto3.client("secretsmanager").put_secret_value(SecretId=self.arn, **value)


@pytest.fixture
def app_secret(aws: None) -> AppSecret:  # noqa: ARG001 - moto must be there
    """Credentials of an app, as an operator has stored them."""
    secret = AppSecret(boto3.client("secretsmanager").create_secret(Name="app")["ARN"])
    secret.store(json.dumps({"clientId": APP_ID, "clientSecret": APP_SECRET}))
    return secret


@pytest.fixture
def token_endpoint() -> Iterator[TokenServer]:
    """An issuer's token endpoint as this test wants it."""
    with token_server() as server:
        yield server


@pytest.fixture
def ui_builder(monkeypatch: pytest.MonkeyPatch) -> Iterator[UiBuilderServer]:
    """Amplify UI Builder as this test wants it."""
    with ui_builder_server() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_AMPLIFYUIBUILDER", server.url)
        yield server


Lines = Callable[[], list[dict[str, Any]]]


class CurrentStdout:
    """Where print() prints: pytest changes it from test to test, and a logger keeps the one that it first saw."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


@pytest.fixture
def deployment(
    aws: None,  # noqa: ARG001 - moto must be there
    ui_builder: UiBuilderServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Deployment:
    for log_handler in logging.getLogger(SERVICE).handlers:
        assert isinstance(log_handler, logging.StreamHandler)
        monkeypatch.setattr(log_handler, "stream", CurrentStdout())
    deployed = deploy(ui_builder)
    deployed.handler = importlib.import_module("refresh_token.handler")
    for name, value in deployed.environment.items():
        monkeypatch.setenv(name, value)
    forget_clients()
    return deployed


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Return a function that returns what was printed since it was last asked: JSON lines, and none with a token."""

    def read() -> list[dict[str, Any]]:
        out, err = capsys.readouterr()
        assert "canary" not in out + err
        assert err == ""
        return [json.loads(line) for line in out.splitlines()]

    return read


@pytest.fixture
def fast_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
