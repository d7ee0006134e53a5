"""Which function to ask: a name or ARN as given, or as it stands in a parameter of Systems Manager."""

import os
from collections.abc import Callable, Mapping
from typing import Any, Final, Self

from botocore.exceptions import ClientError

from token_client.errors import ClientConfigurationException, LambdaUnavailableException, TokenClientError

NAME_VARIABLE: Final = "FUNCTION_NAME"
PARAMETER_VARIABLE: Final = "FUNCTION_NAME_PARAMETER"

_TRANSIENT: Final = frozenset({"ThrottlingException", "TooManyUpdates", "InternalServerError", "RequestLimitExceeded"})


class FunctionName:
    """A name that is known, or is read once from a parameter when it is first needed."""

    def __init__(self, *, name: str = "", parameter: str = "") -> None:
        self._name, self._parameter = name, parameter

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Take FUNCTION_NAME, else the parameter that FUNCTION_NAME_PARAMETER names.

        Raises:
            ClientConfigurationException: neither is set.

        """
        name, parameter = environment.get(NAME_VARIABLE, ""), environment.get(PARAMETER_VARIABLE, "")
        if not name and not parameter:
            raise ClientConfigurationException(
                f"No function is named. Give TokenClient the name or ARN of the refresh function, or set "
                f"{NAME_VARIABLE} to it, or {PARAMETER_VARIABLE} to the parameter that holds it "
                "(/RefreshToken/<stage>/function-arn)."
            )
        return cls(name=name) if name else cls(parameter=parameter)

    def resolve(self, new_client: Callable[[str], Any]) -> str:
        """Return the name; `new_client` makes the client of Systems Manager where there is a parameter to read.

        Raises:
            ClientConfigurationException: the parameter is missing, empty, or may not be read.
            LambdaUnavailableException: Systems Manager throttles, or has a fault of its own.
            BotoCoreError: Systems Manager cannot be asked at all.

        """
        if not self._name:
            self._name = self._read(new_client("ssm"))
        return self._name

    def forget(self) -> None:
        """The function is not there: read the parameter again next time, if the name came from one."""
        if self._parameter:
            self._name = ""

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
            f"The parameter {self._parameter} holds no function's ARN, or may not be read. Check that the refresh "
            "stack is deployed in this region, and give this role ssm:GetParameter on it."
        )

    def _unavailable(self) -> LambdaUnavailableException:
        return LambdaUnavailableException(
            f"The parameter {self._parameter} cannot be read at the moment: Systems Manager throttles, or has a "
            "fault of its own. Ask again later."
        )
