"""The secret with the app's credentials: the issuer reads it when it needs it, and an operator fills it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError

from refresh_token.adapters.deadline import Deadline
from refresh_token.adapters.secrets_manager import secrets_manager_writer
from refresh_token.core.issued_by import IssuedBy
from refresh_token.errors import ConfigurationException, IssuerUnavailableException, RefreshTokenError
from refresh_token.issuers.app_credentials import AppCredentialsSecret
from refresh_token.oauth.app_credentials import AppCredentials
from tests.support.canaries import clean_fault
from tests.support.function_environment import APP_ID, APP_SECRET, AppSecret

ISSUED_BY = IssuedBy("oauth2", "issuer.example")
PAIR = {"clientId": APP_ID, "clientSecret": APP_SECRET}
STORED = AppCredentials(APP_ID, APP_SECRET)


def read(arn: str, seconds: float = 30.0) -> AppCredentials:
    return AppCredentialsSecret(arn, ISSUED_BY).read(Deadline.after(seconds))


def fault(arn: str, seconds: float = 30.0) -> RefreshTokenError:
    return clean_fault(lambda: read(arn, seconds))


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("stored", [b'{"clientId": "canary"}', "canary", '{"clientId": "canary"}', None, "missing"])
def test_without_credentials_the_command_is_named(stored: bytes | str | None) -> None:
    arn = "nothing"
    if stored != "missing":
        arn = boto3.client("secretsmanager").create_secret(Name="app")["ARN"]
    if stored not in {"missing", None}:
        AppSecret(arn).store(stored or "")
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


TRANSIENT = ("ThrottlingException", "InternalServiceError", ReadTimeoutError(endpoint_url="canary"))


class TestFaults:
    """There are three attempts at most, as long as there is time."""

    @pytest.mark.parametrize("how", [*TRANSIENT, RuntimeError("canary")], ids=str)
    def test_lasting_ones_are_unavailable(self, how: str | Exception, app_secret: AppSecret) -> None:
        failing(how, 3)
        assert type(fault(app_secret.arn)) is IssuerUnavailableException

    def test_without_time_there_is_one_attempt(self, app_secret: AppSecret) -> None:
        failing("ThrottlingException", 1)
        assert type(fault(app_secret.arn, seconds=2.0)) is IssuerUnavailableException
        assert read(app_secret.arn, seconds=2.0) == STORED
