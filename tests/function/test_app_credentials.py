"""The app's credentials: read when they are needed, from a secret that an operator fills."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError

from refresh_token.adapters.secrets_manager import secrets_manager_writer
from refresh_token.deadline import Deadline
from refresh_token.errors import ConfigurationException, IssuerUnavailableException, RefreshTokenError
from refresh_token.issuers.app_credentials import AppCredentialsSecret
from refresh_token.oauth.app_credentials import AppCredentials
from tests.support.canaries import assert_clean
from tests.support.function_environment import APP_ID, APP_SECRET, AppSecret

PAIR = {"clientId": APP_ID, "clientSecret": APP_SECRET}


def read(secret: AppSecret | str, seconds: float = 30.0) -> AppCredentials:
    arn = secret if isinstance(secret, str) else secret.arn
    return AppCredentialsSecret(arn).read(Deadline.after(seconds))


def fault(secret: AppSecret | str, seconds: float = 30.0) -> RefreshTokenError:
    with pytest.raises(RefreshTokenError) as caught:
        read(secret, seconds)
    assert_clean(caught.value)
    return caught.value


def test_what_is_stored_is_read_and_what_is_stored_next_is_read_next(app_secret: AppSecret) -> None:
    credentials = AppCredentialsSecret(app_secret.arn)
    assert credentials.read(Deadline.after(30)) == AppCredentials(APP_ID, APP_SECRET)
    app_secret.store(json.dumps({**PAIR, "clientSecret": "another", "note": "whatever else"}))
    assert credentials.read(Deadline.after(30)) == AppCredentials(APP_ID, "another")


def test_neither_is_shown() -> None:
    assert repr(AppCredentials(APP_ID, APP_SECRET)) == "AppCredentials()"


NONE: dict[str, str | bytes] = {
    "no JSON": "canary",
    "a list": '["canary"]',
    "nested without end": "[" * 10_000,
    "binary": json.dumps(PAIR).encode(),
    "no id": json.dumps({"clientSecret": APP_SECRET}),
    "no secret": json.dumps({"clientId": APP_ID}),
    "a blank id": json.dumps({**PAIR, "clientId": " "}),
    "a number": json.dumps({**PAIR, "clientSecret": 7}),
    "a line break at the end": json.dumps({**PAIR, "clientSecret": f"{APP_SECRET}\n"}),
    "what cannot be sent": json.dumps({**PAIR, "clientSecret": "canary\ud800"}),
}


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_what_is_no_credentials_is_refused_with_the_command_that_stores_them(
    text: str | bytes, app_secret: AppSecret
) -> None:
    app_secret.store(text)
    error = fault(app_secret)
    assert type(error) is ConfigurationException
    assert "`tokenctl app-credentials --stage <stage>`" in str(error)


@pytest.mark.parametrize("there", [True, False], ids=["without a value", "missing"])
def test_a_secret_that_nobody_filled_is_refused_with_the_command_that_does(*, there: bool, aws: None) -> None:  # noqa: ARG001
    arn = boto3.client("secretsmanager").create_secret(Name="empty")["ARN"] if there else "nothing"
    error = fault(arn)
    assert type(error) is ConfigurationException
    assert "`tokenctl app-credentials --stage <stage>`" in str(error)


def failing(how: str | Exception, times: int) -> Callable[..., object]:
    """Return a hook, at the place where botocore's own Stubber has its, that lets some calls go wrong."""
    left = [how] * times

    def hook(**_: object) -> tuple[AWSResponse, dict[str, object]] | None:
        with suppress(IndexError):
            fault = left.pop()
            if isinstance(fault, Exception):
                raise fault
            parsed = {"Error": {"Code": fault, "Message": "canary"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            return AWSResponse("", 400, HTTPHeaders(), None), parsed
        return None

    events: Any = secrets_manager_writer().meta.events
    events.register("before-call.secretsmanager.GetSecretValue", hook)
    return hook


TIMEOUT = ReadTimeoutError(endpoint_url="canary")


@pytest.mark.parametrize("how", ["ThrottlingException", "InternalServiceError", TIMEOUT], ids=str)
def test_a_fault_that_passes_is_not_noticed(how: str | Exception, app_secret: AppSecret) -> None:
    failing(how, 2)
    assert read(app_secret) == AppCredentials(APP_ID, APP_SECRET)


@pytest.mark.parametrize(
    "how", ["ThrottlingException", "InternalServiceError", TIMEOUT, RuntimeError("canary")], ids=str
)
def test_a_fault_that_stays_is_unavailable(how: str | Exception, app_secret: AppSecret) -> None:
    failing(how, 3)
    assert type(fault(app_secret)) is IssuerUnavailableException


def test_it_is_tried_once_when_there_is_no_time_for_more(app_secret: AppSecret) -> None:
    failing("ThrottlingException", 1)
    assert type(fault(app_secret, seconds=2.0)) is IssuerUnavailableException
    assert read(app_secret, seconds=2.0) == AppCredentials(APP_ID, APP_SECRET)


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidRequestException", "DecryptionFailure", "canary"])
def test_a_secret_that_may_not_be_read_is_the_deployments_fault(code: str, app_secret: AppSecret) -> None:
    failing(code, 1)
    assert type(fault(app_secret)) is ConfigurationException
