"""What a command works on: an AWS account and region, and the stack in it."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
)

from cli.errors import ConfigurationError, ServiceError, TokenctlError

STACK_PREFIX: Final = "RefreshToken-"


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

    @cached_property
    def session(self) -> boto3.Session:
        """Return the session; raises ConfigurationError for a profile that does not exist."""
        with explained():
            return boto3.Session(profile_name=self.profile, region_name=self.region)

    def client(self, service: str, **settings: Any) -> Any:  # noqa: ANN401 - the caller names the type of client
        """Return a client; `settings` are botocore's Config, under what the operator asked for.

        Raises ConfigurationError, for instance without a region.
        """
        for name, value in (("connect_timeout", self.connect_timeout), ("read_timeout", self.read_timeout)):
            if value is not None:
                settings[name] = value or None
        if not self.sign:
            settings["signature_version"] = UNSIGNED
        make: Any = self.session.client
        with explained():
            client = make(service, endpoint_url=self.endpoint_url, verify=self.ca_bundle, config=Config(**settings))
        self.opened.callback(client.close)
        return client


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
    """Turn botocore's errors into ours. Their texts are shown only where they cannot hold what was sent."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raise our error in place of botocore's."""
        if isinstance(error, ClientError | BotoCoreError):
            raise _ours(error) from None


def _ours(error: ClientError | BotoCoreError) -> TokenctlError:
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "Unknown")
        return ServiceError(f"An error occurred ({code}) when calling the {error.operation_name} operation.")
    if isinstance(error, EndpointConnectionError | HTTPClientError):
        return TokenctlError(
            f"AWS could not be reached ({type(error).__name__}). Check the network and --endpoint-url."
        )
    return ConfigurationError(f"{str(error).rstrip('.')}.")
