"""Amplify UI Builder's RefreshToken: ``POST /tokens/{provider}/refresh``, signed with SigV4.

The model has one error, InvalidParameterException (400). Throttling, 401, 403 and 5xx also occur.
"""

from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from botocore.config import Config

from refresh_token.adapters.aws_clients import ACCESS_CODES, THROTTLING_CODES, Fault, attempt, punctual_client
from refresh_token.core.issued_token import Issued, nonsense, read_issued
from refresh_token.core.token_pair import PROVIDER
from refresh_token.environment import EnvironmentReader
from refresh_token.errors import (
    ConfigurationException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshTokenError,
)
from refresh_token.issuers.refusal_errors import unexplained
from refresh_token.oauth.amplify import MODELLED, read_body
from refresh_token.oauth.issuers import AMPLIFY_ISSUED_BY
from refresh_token.oauth.variables import ATTEMPTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_amplifyuibuilder.client import AmplifyUIBuilderClient

    from refresh_token.core.grant import Grant
    from refresh_token.core.grants import Spends
    from refresh_token.core.issued_by import IssuedBy

CONNECT_TIMEOUT: Final = 2
READ_TIMEOUT: Final = 10
MAX_ATTEMPTS: Final = 3
MAX_RETRY_AFTER: Final = 5
"""Seconds that botocore's standard mode adds to a pause at most if the answer has an ``x-amz-retry-after``."""

ENDPOINT_URL: Final = "AWS_ENDPOINT_URL_AMPLIFYUIBUILDER"

_LATER: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
_REFUSED: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)

_NO_CREDENTIALS: Final = ("NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError")
"""botocore's exceptions for credentials that are missing, before anything is sent."""


class UiBuilderIssuer:
    """The Issuer port on botocore's ``amplifyuibuilder`` client."""

    issued_by = AMPLIFY_ISSUED_BY
    spends: "Spends" = "refresh_token"
    rotates = False
    takes_client_id = True

    def __init__(self, attempts: int = MAX_ATTEMPTS, url: str | None = None) -> None:
        """Make at most so many attempts at each refresh; `url` is another endpoint than botocore would find."""
        self._attempts, self._url = attempts, url

    def refresh(
        self,
        grant: "Grant",
        client_id: str | None,
        *,
        seconds: float,
        owner: "IssuedBy | None" = None,  # noqa: ARG002 - there are no app credentials
    ) -> Issued:
        """Call RefreshToken within `seconds`; see the port for what it raises."""
        body = {"token": grant.refresh_token} | ({} if client_id is None else {"clientId": client_id})
        client = _client(*_attempts_within(seconds, self._attempts), self._url)
        answer: Mapping[str, object] | Fault = attempt(
            lambda: client.refresh_token(provider=PROVIDER, refreshTokenBody=body)  # type: ignore[arg-type]
        )
        if isinstance(answer, Fault):
            raise _meaning(answer)
        return read_issued(
            answer.get("accessToken"), answer.get("expiresIn"), answer.get("refreshToken"), sent=grant.refresh_token
        )


def issuer_from(environment: "Mapping[str, str]") -> UiBuilderIssuer:
    """Return the issuer; botocore itself reads the rest of what it needs from the process's environment.

    Raises:
        ConfigurationException: names the faulty variable.

    """
    reader = EnvironmentReader(environment)
    attempts = reader.number(ATTEMPTS, MAX_ATTEMPTS, maximum=MAX_ATTEMPTS)
    reader.check()
    return UiBuilderIssuer(attempts, environment.get(ENDPOINT_URL))


def _attempts_within(seconds: float, most: int = MAX_ATTEMPTS) -> tuple[int, int]:
    """Return how many attempts, at ``most``, end within `seconds`, and the read timeout of each in seconds.

    botocore's standard mode waits at most 1 s before the second attempt and 2 s before the third, plus MAX_RETRY_AFTER.
    """
    for attempts in range(most, 0, -1):
        pauses = sum(2**retry + MAX_RETRY_AFTER for retry in range(attempts - 1))
        if attempts * (CONNECT_TIMEOUT + READ_TIMEOUT) + pauses <= seconds:
            return attempts, READ_TIMEOUT
    return 1, max(1, int(seconds) - CONNECT_TIMEOUT)


@lru_cache(maxsize=4)
def _client(attempts: int, read_timeout: int, url: str | None = None) -> "AmplifyUIBuilderClient":
    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    client: AmplifyUIBuilderClient = punctual_client("amplifyuibuilder", config, url)
    client.meta.events.register("before-parse.amplifyuibuilder.RefreshToken", read_body)
    return client


def _meaning(fault: Fault) -> RefreshTokenError:
    """Return the error for a fault. Only the modelled error refuses the grant."""
    code, status = fault.code, fault.status
    if code in ACCESS_CODES or code in _NO_CREDENTIALS:
        return _misconfigured(code)
    if fault.kind != "service":
        return _unavailable(code)
    if code in THROTTLING_CODES or status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unavailable(f"HTTP {status}")
    if status in _REFUSED and code == MODELLED:
        return ReauthorizationRequiredException(
            f"The issuer refuses the refresh token (HTTP {status}). It was revoked or belongs to another app. "
            "A person must sign in to Figma again and store the new pair; nothing was deleted."
        )
    if status in _REFUSED:
        return unexplained(f"HTTP {status}")
    return nonsense(
        f"HTTP {status}",
        "Nothing was stored. Check that the region has Amplify UI Builder and that the endpoint is right.",
    )


def _unavailable(what: str) -> RefreshTokenError:
    return IssuerUnavailableException(
        f"The issuer could not be used ({what}), after retries. Try again later; if this persists, see the AWS "
        "Health Dashboard for Amplify."
    )


def _misconfigured(what: str) -> RefreshTokenError:
    return ConfigurationException(
        f"This function may not call amplifyuibuilder:RefreshToken ({what}). Check its role, the region and the "
        "organization's policies, then deploy the stack again."
    )
