"""What a command works on: an AWS account and region, and the stack in it.

boto3 is imported on use: `--help` and shell completion are felt.
"""

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tokenctl.errors import ConfigurationError, ServiceError, TokenctlError, UsageError, one_line, without
from tokenctl.stack.debug_log import log_calls

if TYPE_CHECKING:
    import boto3
    from botocore.exceptions import ClientError

LONGEST_MESSAGE: Final = 500
"""Characters of a service's message that are shown."""

STACK_PREFIX: Final = "RefreshToken-"

CONFIGURATION: Final = (
    *("NoRegionError", "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"),
    *("ConfigNotFound", "ConfigParseError", "InvalidConfigError", "InfiniteLoopConfigError", "SSOError"),
    *("MetadataRetrievalError", "LoginError", "InvalidRegionError"),
)
"""botocore's errors that mean "credentials or settings are wrong", with their subclasses."""

_CREDENTIALS: Final = "Check AWS_PROFILE, --profile and the clock of this machine."
_SERVICE_HINTS: Final = {
    "AccessDenied": "Ask for that permission; docs/cli.md lists what each command needs.",
    "ExpiredToken": "The AWS credentials have expired: sign in to AWS again.",
    "RequestExpired": _CREDENTIALS,
    "UnrecognizedClient": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "InvalidSignature": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "Throttl": "Wait a minute and run it again.",
    "TooManyRequests": "Wait a minute and run it again.",
    "ResourceNotFound": "Check --stage, --function-name and --region.",
    "InvalidRequest": "See `SecretUnavailableException` in docs/runbook.md.",
    "DecryptionFailure": "See `SecretUnavailableException` in docs/runbook.md.",
    "Service": "Run it again; if it stays, see the AWS Health Dashboard.",
    "Internal": "Run it again; if it stays, see the AWS Health Dashboard.",
}
"""What to do, by the beginning of a service's error code."""

_SAID: Final = {
    "ProfileNotFound": "There is no such profile in the AWS configuration files",
    "InvalidRegionError": "The region is not one of AWS's",
}
"""In place of botocore's words where these show what was given: it may be a token in the wrong place."""

_INVALID_ENDPOINT: Final = "Invalid endpoint"
"""How botocore's words for an address that is none begin."""

_ANY_HINT: Final = "Check AWS_PROFILE, --profile and your AWS configuration files."
_HINTS: Final = {
    "NoRegionError": "Give --region, or set AWS_REGION or AWS_PROFILE.",
    "ProfileNotFound": "`aws configure list-profiles` lists them; see --profile and AWS_PROFILE.",
    "InvalidRegionError": "Check --region and AWS_REGION.",
    "NoCredentialsError": "Set AWS_PROFILE or give --profile; `aws configure` makes one.",
}


@dataclass(frozen=True, kw_only=True)
class Connection:
    """How AWS is reached; None leaves a setting to the AWS configuration files and environment variables."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    ca_bundle: str | None = None
    connect_timeout: int | None = None
    """Seconds; 0 waits for ever, as in the AWS CLI."""
    read_timeout: int | None = None
    sign: bool = True
    opened: ExitStack = field(default_factory=ExitStack, repr=False, compare=False)
    """Closes the clients."""
    # Not handed on by `dataclasses.replace`: they belong to this very address and these timeouts.
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def session(self) -> "boto3.Session":
        """Return the session; raises ConfigurationError for a profile that does not exist."""
        import boto3

        # As in the AWS CLI v2, and unlike boto3, which knows AWS_DEFAULT_REGION only.
        region = self.region or os.environ.get("AWS_REGION") or None
        with explained():
            return boto3.Session(profile_name=self.profile, region_name=region)

    def client(self, service: str, **settings: Any) -> Any:  # noqa: ANN401 - the caller names the type of client
        """Return a client; `settings` are botocore's Config, under what the operator asked for.

        One is made once and kept: made anew at each look of `status --watch`, they would fill the memory. Raises
        ConfigurationError, for instance without a region.
        """
        key = service, repr(sorted(settings.items()))
        if key not in self._clients:
            self._clients[key] = self._made(service, settings)
        return self._clients[key]

    def _made(self, service: str, settings: dict[str, Any]) -> Any:  # noqa: ANN401 - the caller names the type of client
        from botocore import UNSIGNED
        from botocore.config import Config

        for name, value in (("connect_timeout", self.connect_timeout), ("read_timeout", self.read_timeout)):
            if value is not None:
                settings[name] = value or None
        if not self.sign:
            settings["signature_version"] = UNSIGNED
        make: Any = self.session.client
        try:
            with explained():
                client = make(service, endpoint_url=self.endpoint_url, verify=self.ca_bundle, config=Config(**settings))
        except ValueError as error:
            fault = str(error)  # is not shown: it holds an address, or what a credential process answered
        else:
            self.opened.callback(client.close)
            if is_address(client.meta.endpoint_url):
                log_calls(client)
                return client
            fault = _INVALID_ENDPOINT
        if fault.startswith(_INVALID_ENDPOINT):
            raise ConfigurationError("The address of AWS_ENDPOINT_URL, or of the AWS configuration, cannot be called.")
        raise ConfigurationError(f"The AWS credentials or settings cannot be read. {_ANY_HINT}")


def is_address(text: str) -> bool:
    """Tell whether `text` is an address that can be called: http or https, a host, and a port that exists if any."""
    try:
        address = urlsplit(text)
        _ = address.port  # raises, too
    except ValueError:
        return False
    return address.scheme in {"http", "https"} and bool(address.hostname) and not re.search(r"\s", text)


@dataclass(frozen=True, kw_only=True)
class Target:
    """The deployed stack of one stage, or a function that was named outright."""

    connection: Connection
    stage: str = "dev"
    named_function: str | None = None

    @property
    def stack_name(self) -> str:
        """Return the stack's name (contract 4)."""
        return f"{STACK_PREFIX}{self.stage}"

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """Return the stack's outputs; raises ConfigurationError when there is no such stack, ServiceError, too."""
        from botocore.exceptions import ClientError

        cloudformation = self.connection.client("cloudformation")
        with explained():
            try:
                stacks = cloudformation.describe_stacks(StackName=self.stack_name)["Stacks"]
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationError":
                    raise
                stacks = []
        if not stacks:
            raise ConfigurationError(
                f"There is no stack {self.stack_name} in {self.connection.session.region_name}. Deploy it with "
                f"`cdk deploy -c stage={self.stage}`, or name another with --stage, --region or --profile."
            )
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", ())}

    @property
    def function_name(self) -> str:
        """Return the name or ARN of the refresh function."""
        return self.named_function or self.output("FunctionName")

    @property
    def secret_arn(self) -> str:
        """Return the ARN of the secret."""
        return self.output("SecretArn")

    def output(self, key: str) -> str:
        """Return an output of the stack; raises ConfigurationError when it is not there (yet)."""
        if key not in self.outputs:
            raise ConfigurationError(
                f"The stack {self.stack_name} has no output {key}: its deployment is not complete. Deploy it again."
            )
        return self.outputs[key]


class explained:  # noqa: N801 - used as `with explained():`
    """Turn botocore's errors into ours.

    `secrets` is all that was sent and must not be shown: a service may repeat it.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = secrets

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raise our error in place of botocore's."""
        if error is None:
            return
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, ClientError):
            raise _refused(error, self._secrets) from None
        if isinstance(error, BotoCoreError):
            raise _failed(error) from None


def _refused(error: "ClientError", secrets: Iterable[str]) -> ServiceError:
    """Put a service's error into the AWS CLI's words, with what to do."""
    code = str(error.response.get("Error", {}).get("Code", "Unknown"))
    message = str(error.response.get("Error", {}).get("Message") or "")
    hint = next((hint for begin, hint in _SERVICE_HINTS.items() if code.startswith(begin)), "")
    return ServiceError.of(
        without(secrets, code), error.operation_name, without(secrets, message)[:LONGEST_MESSAGE], hint
    )


def _failed(error: Exception) -> TokenctlError:
    """Sort an error that botocore has before or instead of an answer into the AWS CLI's classes."""
    from botocore.exceptions import ConnectionError as NoConnection
    from botocore.exceptions import HTTPClientError, ParamValidationError

    kind = type(error).__name__
    if isinstance(error, ParamValidationError):
        return UsageError("Parameter validation failed.")  # botocore's own text shows the values
    if any(ancestor.__name__ in CONFIGURATION for ancestor in type(error).__mro__):
        said = _SAID.get(kind) or one_line(str(error)).rstrip(".:")
        return ConfigurationError(f"{said}. {_HINTS.get(kind, _ANY_HINT)}")
    if isinstance(error, NoConnection | HTTPClientError):
        return TokenctlError(f"AWS could not be reached ({kind}). Check the network, --endpoint-url and --region.")
    return TokenctlError(f"The call could not be made ({kind}). Check --region, --endpoint-url and --ca-bundle.")
