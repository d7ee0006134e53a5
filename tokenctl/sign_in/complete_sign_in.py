"""The second half of a sign-in: from the authorization response to the stored pair."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.token_pair import TokenPair
from tokenctl.errors import ServiceError, TokenctlError
from tokenctl.sign_in import pages
from tokenctl.sign_in.authorization_request import AuthorizationRequest
from tokenctl.sign_in.authorization_response import AuthorizationResponse, Outcome
from tokenctl.sign_in.callback_app import CallbackApp
from tokenctl.sign_in.code_exchange import NOTHING_STORED, CodeExchange
from tokenctl.sign_in.store_grant import NewGrant, StoredSignIn, StoreGrant
from tokenctl.stack.token_life import utc_minute


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """One sign-in: the authorization request, how to exchange the code, and where to store the pair."""

    request: AuthorizationRequest
    exchange: CodeExchange
    store: StoreGrant
    where: Mapping[str, str]
    """Where it stores the pair, for the page in the browser."""

    issued_by: IssuedBy
    """Whose tokens the exchange brings."""

    who: Callable[[TokenPair], str | None] | None = None
    """Tells whose a pair is, if the issuer has a harmless call for that."""

    kept: Mapping[str, object] = field(default_factory=dict, repr=False)
    """Keys of the previous secret to store with the new pair."""


class DeniedError(TokenctlError):
    """The user denied the sign-in."""


def denial(label: str) -> str:
    """Return what to say if the user denied the sign-in."""
    return f"The sign-in was denied on {label}'s page. Nothing was stored. Run the command again to allow it."


def complete_sign_in(
    sign_in: SignIn, app: CallbackApp, *, seconds: float, meanwhile: Callable[[float], None]
) -> StoredSignIn:
    """Wait for the response, exchange the code, store the pair, and show the result in the browser.

    While it waits, it calls `meanwhile` again and again with the number of seconds left.

    Raises:
        TokenctlError: no response arrived in time, the user said no, or a service cannot be reached.
        ServiceError: the response is an error, or a service refused.

    """
    response = app.wait_for_response(seconds, meanwhile)
    if response is None:
        raise TokenctlError(f"Nobody answered within {seconds:g} seconds. {NOTHING_STORED}")
    try:
        stored = _store(sign_in, _pair(sign_in, response))
    except TokenctlError as error:
        app.show(pages.failed(str(error), denied=isinstance(error, DeniedError)))
        raise
    facts = {**sign_in.where, "Token lives until": utc_minute(stored.expires_at)}
    app.show(pages.stored({"Signed in as": stored.user, **facts} if stored.user else facts))
    return stored


def _pair(sign_in: SignIn, response: AuthorizationResponse) -> TokenPair:
    label = sign_in.request.issuer_label
    match response.outcome:
        case Outcome.ALLOWED:
            return sign_in.exchange(sign_in.request, response.code, now=datetime.now(UTC), redirect=response.redirect)
        case Outcome.DENIED:
            raise DeniedError(denial(label))
        case Outcome.FAILED:
            reason = f" ({response.reason})" if response.reason else ""
            raise ServiceError(f"{label}'s page could not continue the sign-in{reason}. {NOTHING_STORED}")
        case _:
            raise ServiceError(f"{label}'s answer holds no code. {NOTHING_STORED}")


def _store(sign_in: SignIn, pair: TokenPair) -> StoredSignIn:
    new = NewGrant(scopes=sign_in.request.scopes, issued_by=sign_in.issued_by, who=sign_in.who, kept=sign_in.kept)
    return sign_in.store(pair, new)
