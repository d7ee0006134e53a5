"""Exchanging a code through Amplify UI Builder's ExchangeCodeForToken."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Self

from refresh_token.core.issued_token import read_issued
from refresh_token.core.token_pair import PROVIDER, TokenPair
from refresh_token.oauth.amplify import read_body
from tokenctl.errors import ServiceError, TokenctlError
from tokenctl.sign_in.authorization_request import AuthorizationRequest
from tokenctl.sign_in.code_exchange import NOTHING, NOTHING_STORED, issued_pair
from tokenctl.stack.aws_access import AwsAccess
from tokenctl.stack.aws_errors import translate_aws_errors

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 25
"""A code lives 30 seconds: a later answer would be worthless."""


@dataclass(frozen=True)
class UiBuilderExchange:
    """Exchanges codes with a boto3 client."""

    client: Any

    @classmethod
    def through(cls, aws: AwsAccess) -> Self:
        """Return the exchange for an operator's settings; raises ConfigurationError, e.g. without a region."""
        client = replace(
            aws,
            connect_timeout=CONNECT_SECONDS if aws.connect_timeout is None else aws.connect_timeout,
            read_timeout=READ_SECONDS if aws.read_timeout is None else aws.read_timeout,
        ).client("amplifyuibuilder")
        client.meta.events.register("before-parse.amplifyuibuilder.ExchangeCodeForToken", read_body)
        return cls(client)

    def __call__(
        self,
        request: AuthorizationRequest,
        code: str,
        *,
        now: datetime,
        redirect: Mapping[str, str] = NOTHING,  # noqa: ARG002 - it needs the code only
    ) -> TokenPair:
        """Exchange a code; see `CodeExchange`."""
        parameters = {"code": code, "redirectUri": request.redirect_uri, "clientId": request.client_id}
        try:
            with translate_aws_errors():
                answer = self._exchange(parameters)
            parts = [answer.get(key) for key in ("accessToken", "expiresIn", "refreshToken")]
            return issued_pair(
                lambda: read_issued(*parts), request.client_id, now=now, issuer_label="Amplify UI Builder"
            )
        except TokenctlError as error:
            raise type(error)(f"{error} {NOTHING_STORED}") from None

    def _exchange(self, parameters: dict[str, str]) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        try:
            answer: dict[str, Any] = self.client.exchange_code_for_token(provider=PROVIDER, request=parameters)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "InvalidParameterException":
                raise
        else:
            return answer
        raise ServiceError(
            "The code was refused. A code works once, for 30 seconds, and only for this redirect address and for the "
            "app with this client id, whose secret Amplify must hold."
        )
