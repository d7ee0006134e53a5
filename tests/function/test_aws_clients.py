"""AWS clients, and the faults of their calls."""

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from refresh_token.adapters.aws_clients import KNOWN_CODES, Fault, attempt, aws_client
from refresh_token.errors import ConfigurationException
from tests.support.botocore_models import modelled_errors
from tests.support.fault_table import SERVICES


@pytest.mark.parametrize("url", ["canary", "http://", "https:// canary"])
def test_a_wrong_endpoint_is_misconfigured(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)
    with pytest.raises(ConfigurationException, match=r"client for secretsmanager \(ValueError\)") as caught:
        aws_client("secretsmanager", Config())
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


FLEET_CALLS = [
    *((operation, "dynamodb") for operation in ("GetItem", "Query", "UpdateItem")),
    *((operation, "kms") for operation in ("Decrypt", "Encrypt")),
    *((operation, "sqs") for operation in ("GetQueueAttributes", "SendMessageBatch")),
]


@pytest.mark.parametrize(("operation", "service"), [*SERVICES.items(), ("Sign", "kms"), *FLEET_CALLS])
def test_every_modelled_error_is_known(operation: str, service: str) -> None:
    assert set(modelled_errors(service, operation)) <= KNOWN_CODES


def refused(code: object, status: object = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "AnyCall")  # type: ignore[typeddict-item]


CASES: dict[str, tuple[Exception, Fault]] = {
    "a known code": (refused("ThrottlingException"), Fault("service", "ThrottlingException", 400)),
    "a code that may be an echo": (refused("canaryToken", 403), Fault("service", "unknown error", 403)),
    "no code": (ClientError({}, "AnyCall"), Fault("service", "unknown error", 0)),
    "no answer": (ReadTimeoutError(endpoint_url="https://canary"), Fault("connection", "ReadTimeoutError")),
    "botocore itself fails": (KeyError("canary"), Fault("other", "KeyError")),
}


@pytest.mark.parametrize(("error", "fault"), CASES.values(), ids=CASES)
def test_a_fault_shows_only_known_codes(error: Exception, fault: Fault) -> None:
    def call() -> None:
        raise error

    assert attempt(call) == fault
    assert "canary" not in repr(attempt(call))


def test_our_own_errors_pass() -> None:
    def call() -> None:
        raise ConfigurationException("no region")

    with pytest.raises(ConfigurationException, match="no region"):
        attempt(call)
