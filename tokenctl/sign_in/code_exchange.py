"""The exchange of an authorization code for a token pair: what every way of doing it has in common."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Protocol

from refresh_token.core.issued_token import Issued, IssuedToken
from refresh_token.core.token_pair import PROVIDER, TokenPair
from refresh_token.errors import IssuerProtocolException
from tokenctl.errors import ServiceError
from tokenctl.sign_in.authorization_request import AuthorizationRequest

NOTHING: Final[Mapping[str, str]] = {}
NOTHING_STORED: Final = "Nothing was stored. Run the command again."


class CodeExchange(Protocol):
    """Exchanges the code that answers an authorization request; `now` (UTC) is when the tokens' life begins."""

    def __call__(
        self, request: AuthorizationRequest, code: str, *, now: datetime, redirect: Mapping[str, str] = NOTHING
    ) -> TokenPair:
        """Return the pair; `redirect` is what else the redirect brought.

        Raises:
            ServiceError: the issuer refuses the code or the app, fails, or gives an answer without a token pair.
            TokenctlError: the issuer cannot be reached.

        No message holds the code, a token or a credential.

        """
        ...


def issued_pair(  # noqa: PLR0913 - keyword-only
    read: Callable[[], Issued],
    client_id: str,
    *,
    now: datetime,
    issuer_label: str,
    provider: str = PROVIDER,
    refreshable: bool = True,
) -> TokenPair:
    """Return the pair of a token that was issued at `now` (UTC); `read` takes it from the issuer's answer.

    A pair that is `refreshable` needs a refresh token.

    Raises:
        ServiceError: the answer is not a pair. The message shows nothing of it.

    """
    try:
        issued = read()
    except IssuerProtocolException:
        issued = None
    if not isinstance(issued, IssuedToken) or (refreshable and issued.refresh_token is None):
        raise ServiceError(f"{issuer_label}'s answer makes no sense: it is not a token pair.")
    return TokenPair(
        access_token=issued.access_token,
        refresh_token=issued.refresh_token or "",
        client_id=client_id,
        expires_at=issued.expiry(now=now).at,
        refreshed_at=now,
        refresh_expires_at=issued.refresh_expires_at(now=now),
        scope=issued.scope,  # said if it is not the scope that was requested (RFC 6749, 5.1)
        values=issued.values,
        api=issued.api,
        provider=provider,
    )
