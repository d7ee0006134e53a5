"""Which function to invoke: a name or ARN, given directly or stored in a Systems Manager parameter."""

import os
from collections.abc import Callable, Mapping
from typing import Any, Final, Self

from botocore.exceptions import ClientError

from token_client.errors import ClientConfigurationException, LambdaUnavailableException, TokenClientError

NAME_VARIABLE: Final = "FUNCTION_NAME"
PARAMETER_VARIABLE: Final = "FUNCTION_NAME_PARAMETER"
FLEET: Final = "CONNECTIONS_"
"""What the same variables begin with if they name the function of a fleet of connections."""

_TRANSIENT: Final = frozenset({"ThrottlingException", "TooManyUpdates", "InternalServerError", "RequestLimitExceeded"})


class FunctionName:
    """A function's name, known from the start or read from a parameter when it is first needed."""

    def __init__(self, *, name: str = "", parameter: str = "") -> None:
        self._name, self._parameter = name, parameter

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, *, fleet: bool = False) -> Self:
        """Read FUNCTION_NAME, or else FUNCTION_NAME_PARAMETER, which names the parameter.

        For a ``fleet``, first the same variables with the prefix CONNECTIONS_.

        Raises:
            ClientConfigurationException: none of them is set.

        """
        prefixes = (FLEET, "") if fleet else ("",)
        for prefix in prefixes:
            if name := environment.get(prefix + NAME_VARIABLE, ""):
                return cls(name=name)
            if parameter := environment.get(prefix + PARAMETER_VARIABLE, ""):
                return cls(parameter=parameter)
        names = "connections-function-arn" if fleet else "function-arn"
        raise ClientConfigurationException(
            f"No function is named. Pass the name or ARN of the refresh function to TokenClient, or set "
            f"{prefixes[0]}{NAME_VARIABLE} to it, or set {prefixes[0]}{PARAMETER_VARIABLE} to the parameter that holds "
            f"it (/RefreshToken/<stage>/{names})."
        )

    def resolve(self, new_client: Callable[[str], Any]) -> str:
        """Return the name. If it has to be read from the parameter, `new_client` makes the Systems Manager client.

        Raises:
            ClientConfigurationException: the parameter is missing or empty, or this role may not read it.
            LambdaUnavailableException: Systems Manager throttles or has an internal error.
            BotoCoreError: Systems Manager is unreachable.

        """
        if not self._name:
            self._name = self._read(new_client("ssm"))
        return self._name

    def forget(self) -> bool:
        """Read the parameter again next time, because the function is gone. Return whether there is a parameter."""
        if self._parameter:
            self._name = ""
        return bool(self._parameter)

    def _read(self, ssm: Any) -> str:  # noqa: ANN401 - the SSM client
        error: TokenClientError | None = None
        try:
            value = str(ssm.get_parameter(Name=self._parameter)["Parameter"]["Value"]).strip()
        except ClientError as refused:
            code = str(refused.response.get("Error", {}).get("Code", ""))
            status = refused.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            error = self._unavailable() if code in _TRANSIENT or status >= 500 else self._wrong()  # noqa: PLR2004 - HTTP
        if error:
            raise error
        if not value:
            raise self._wrong()
        return value

    def _wrong(self) -> ClientConfigurationException:
        return ClientConfigurationException(
            f"The parameter {self._parameter} does not hold a function's ARN, or this role may not read it. Check that "
            "the refresh stack is deployed in this region, and allow this role ssm:GetParameter on the parameter."
        )

    def _unavailable(self) -> LambdaUnavailableException:
        return LambdaUnavailableException(
            f"The client could not read the parameter {self._parameter}: Systems Manager throttles or has an internal "
            "error. Try again later."
        )
