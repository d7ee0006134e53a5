"""Translates botocore's errors into tokenctl's."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from refresh_token.errors import SecretUnavailableException
from tokenctl.errors import ConfigurationError, ServiceError, TokenctlError, UsageError, one_line, redact
from tokenctl.stack.credentials import CHECK_CONFIGURATION, credential_fault, expired_hint
from tokenctl.stack.runbook import entry_of

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

MAX_MESSAGE_LENGTH: Final = 500
"""Characters of a service's message that are shown."""

_CHECK_CREDENTIALS: Final = "Check AWS_PROFILE, --profile and the clock of this machine."
_HINT_BY_CODE_PREFIX: Final = {
    "AccessDenied": "Ask for that permission; docs/cli.md lists what each command needs.",
    "RequestExpired": _CHECK_CREDENTIALS,
    "RequestTimeTooSkewed": _CHECK_CREDENTIALS,
    "UnrecognizedClient": _CHECK_CREDENTIALS,
    "InvalidClientTokenId": _CHECK_CREDENTIALS,
    "InvalidSignature": _CHECK_CREDENTIALS,
    "SignatureDoesNotMatch": _CHECK_CREDENTIALS,
    "Throttl": "Wait a minute and run the command again.",
    "TooManyRequests": "Wait a minute and run the command again.",
    "ResourceNotFound": "Check --stage, --function-name and --region.",
    "InvalidRequest": f"See {entry_of(SecretUnavailableException.__name__)}.",
    "DecryptionFailure": f"See {entry_of(SecretUnavailableException.__name__)}.",
    "50": "Run the command again; if the error persists, see the AWS Health Dashboard.",
    "Service": "Run the command again; if the error persists, see the AWS Health Dashboard.",
    "Internal": "Run the command again; if the error persists, see the AWS Health Dashboard.",
}

_CONFIGURATION_ERRORS: Final = (
    *("NoRegionError", "InvalidRegionError", "ProfileNotFound", "PartialCredentialsError"),
    *("ConfigNotFound", "ConfigParseError", "InvalidConfigError", "InfiniteLoopConfigError"),
)
"""botocore's errors, with their subclasses, that mean "the settings are wrong"."""

_INVALID_SETTINGS: Final = (
    *("InvalidDefaultsMode", "InvalidChecksumConfigError", "InvalidSTSRegionalEndpointsConfigError"),
    *("InvalidIMDSEndpointError", "InvalidIMDSEndpointModeError", "InvalidEndpointDiscoveryConfigurationError"),
    *("InvalidProxiesConfigError", "InvalidEndpointConfigurationError"),
)
"""Those that mean the same, and whose messages hardly say more than their names."""

_HINT_BY_ERROR: Final = {
    "NoRegionError": "Give --region, or set AWS_REGION or AWS_PROFILE.",
    "ProfileNotFound": "`aws configure list-profiles` lists them; see --profile and AWS_PROFILE.",
    "InvalidRegionError": "Check --region and AWS_REGION.",
}

_SAFE_MESSAGE: Final = {
    "ProfileNotFound": "There is no such profile in the AWS configuration files",
    "InvalidRegionError": "AWS has no such region",
}
"""Replaces botocore's message where that repeats the value, which may be a misplaced token."""


@contextmanager
def translate_aws_errors(secrets: Iterable[str] = ()) -> Iterator[None]:
    """Raise tokenctl's errors instead of botocore's.

    `secrets` are the values in the request that no message may show: a service may repeat them.

    Raises:
        ServiceError: the service answered with an error.
        ConfigurationError: the credentials or settings are wrong.
        UsageError: the parameters do not fit the operation.
        TokenctlError: the service cannot be reached.

    """
    try:
        yield
    except Exception as error:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        if isinstance(error, ClientError):
            raise _service_error(error, secrets) from None
        if isinstance(error, BotoCoreError):
            raise _client_side_error(error) from None
        if isinstance(error, ResponseParserError):  # from a proxy, or a service in trouble
            raise TokenctlError(
                "The answer is not one of AWS's. Run the command again; if the error persists, check the proxy, "
                "--endpoint-url and the AWS Health Dashboard."
            ) from None
        raise


def _service_error(error: "ClientError", secrets: Iterable[str]) -> ServiceError:
    code = str(error.response.get("Error", {}).get("Code", "Unknown"))
    message = redact(str(error.response.get("Error", {}).get("Message") or ""), secrets)
    hints = (hint for prefix, hint in _HINT_BY_CODE_PREFIX.items() if code.startswith(prefix))
    hint = expired_hint(code) or next(hints, "")
    return ServiceError.in_aws_words(redact(code, secrets), error.operation_name, message[:MAX_MESSAGE_LENGTH], hint)


def _client_side_error(error: Exception) -> TokenctlError:
    """Classify an error that botocore raises without an answer from the service, as the AWS CLI does."""
    from botocore.exceptions import ConnectionError as NoConnection
    from botocore.exceptions import HTTPClientError, ParamValidationError

    name = type(error).__name__
    if isinstance(error, ParamValidationError):
        return UsageError("Parameter validation failed.")  # botocore's own text shows the values
    if any(ancestor.__name__ in _CONFIGURATION_ERRORS for ancestor in type(error).__mro__):
        message = _SAFE_MESSAGE.get(name) or one_line(str(error)).rstrip(".:")
        return ConfigurationError(f"{message}. {_hint(name)}")
    if name in _INVALID_SETTINGS:
        return ConfigurationError(f"A setting of your AWS configuration is not valid ({name}). {CHECK_CONFIGURATION}")
    if (fault := credential_fault(error)) is not None:
        return ConfigurationError(fault)
    if isinstance(error, NoConnection | HTTPClientError):
        set_by = sorted(variable for variable in os.environ if variable.startswith("AWS_ENDPOINT_URL"))
        where = f"the address in {' and '.join(set_by)}" if set_by else "--region"
        return TokenctlError(f"AWS could not be reached ({name}). Check the network, {where}, and --endpoint-url.")
    return TokenctlError(f"The call could not be made ({name}). Check --region, --endpoint-url and --ca-bundle.")


def _hint(name: str) -> str:
    hint = _HINT_BY_ERROR.get(name, CHECK_CONFIGURATION)
    with_keys = name == "ProfileNotFound" and {"AWS_PROFILE", "AWS_ACCESS_KEY_ID"} <= os.environ.keys()
    return f"{hint} To use the exported keys, unset AWS_PROFILE." if with_keys else hint
