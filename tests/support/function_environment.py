"""The function in this process: variables that reach no real account, its caches, and its app's credentials."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import botocore.session
import pytest
from moto import mock_aws
from moto.kms.utils import generate_private_key

from refresh_token.adapters import (
    aws_clients,
    connection_table,
    fleet_calls,
    idempotency_lock,
    sealing,
    secrets_manager,
    state_events,
)
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.issuers import kms_signer, ui_builder
from tests.support.token_server import TokenServer, token_server

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
    "HTTPS_PROXY": NOBODY_LISTENS,  # stops anything that would still leave the machine
    "POWERTOOLS_SERVICE_NAME": SERVICE,
}
UNSET = (
    *("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE", "POWERTOOLS_LOG_LEVEL"),
    *("AWS_CA_BUNDLE", "NO_PROXY", "no_proxy", "https_proxy", "ISSUER", "EVENT_BUS"),
)


@pytest.fixture(scope="session")
def botocore_session() -> botocore.session.Session:
    """One session for all tests: it keeps the service models, which take long to load."""
    return botocore.session.get_session()


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
    for made_once in (
        *(connection_table.reading_client, connection_table.claiming_client, connection_table.writing_client),
        *(sealing.opening_client, sealing.sealing_client, state_events.events_client),
        *(fleet_calls.table_client, fleet_calls.queue_client),
    ):
        made_once.cache_clear()
    ui_builder._client.cache_clear()
    kms_signer._client.cache_clear()
    if parts := sys.modules.get("refresh_token.fleet_parts"):
        for made_once in (parts.fleet_settings, parts.state_events, parts.fleet_connections):
            made_once.cache_clear()
    if handler := sys.modules.get("refresh_token.handler"):
        handler._connection.cache_clear()
        handler._watch.cache_clear()
        vars(handler)["MEMORY"] = ProcessMemory()


@pytest.fixture
def token_endpoint() -> Iterator[TokenServer]:
    """An issuer's token endpoint that answers as the test says."""
    with token_server() as server:
        yield server


@pytest.fixture(scope="session")
def boto3_session(botocore_session: botocore.session.Session) -> boto3.session.Session:
    """The session of the tests' own boto3 clients; it keeps the service models, too."""
    return boto3.session.Session(botocore_session=botocore_session)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, boto3_session: boto3.session.Session) -> Iterator[None]:
    """Secrets Manager and DynamoDB as moto has them, empty."""
    with mock_aws(), monkeypatch.context() as patch:
        patch.setattr(boto3, "DEFAULT_SESSION", boto3_session)  # moto asks for a new one
        patch.setattr("moto.kms.models.generate_private_key", _private_key)
        yield


def _private_key(spec: str) -> Any:
    """Generate a key's private part, which takes long. A symmetric key has one in moto as well, and never uses it."""
    return _unused_private_key() if spec == "SYMMETRIC_DEFAULT" else generate_private_key(spec)


@cache
def _unused_private_key() -> Any:
    return generate_private_key("SYMMETRIC_DEFAULT")


APP_ID, APP_SECRET = "canary-app-id", "canary-app-secret"


@dataclass(frozen=True)
class AppSecret:
    arn: str

    def store(self, text: str | bytes) -> None:
        value = {"SecretBinary": text} if isinstance(text, bytes) else {"SecretString": text}
        boto3.client("secretsmanager").put_secret_value(SecretId=self.arn, **value)


@pytest.fixture
def app_secret(aws: None) -> AppSecret:  # noqa: ARG001 - moto must be there
    secret = AppSecret(boto3.client("secretsmanager").create_secret(Name="app")["ARN"])
    secret.store(json.dumps({"clientId": APP_ID, "clientSecret": APP_SECRET}))
    return secret
