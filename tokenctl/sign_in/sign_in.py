"""The sign-in from the consent page's answer to the stored pair."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from refresh_token.token_pair import TokenPair
from tokenctl.errors import ServiceError, TokenctlError
from tokenctl.sign_in import pages
from tokenctl.sign_in.consent import Consent
from tokenctl.sign_in.reception import Reception
from tokenctl.sign_in.redirect import Kind, Redirect
from tokenctl.stack.secret import store_pair
from tokenctl.stack.target import Target
from tokenctl.terminal.confirm_replace import moment

AGAIN: Final = "Nothing was stored. Run the command again."


class Exchange(Protocol):
    """Turns the code that answers a consent into a pair; `now` (UTC) is when its tokens begin to live."""

    def __call__(self, consent: Consent, code: str, *, now: datetime) -> TokenPair:
        """Return the pair; raises TokenctlError and ServiceError, which hold neither code nor token."""
        ...


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """One sign-in: the question, who exchanges the code, and where the pair goes.

    `kept` are keys of the pair before that are not ours, and go along.
    """

    consent: Consent
    exchange: Exchange
    target: Target
    kept: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What was stored, without the tokens."""

    version_id: str
    expires_at: datetime | None


class DeniedError(TokenctlError):
    """The user said no."""


def finish(sign_in: SignIn, reception: Reception, *, seconds: float) -> Stored:
    """Wait for the answer, use it, and show the browser how it ended.

    Raises:
        TokenctlError: no answer in time, or it was no; a service cannot be reached.
        ServiceError: the answer is an error, or a service refused.

    """
    redirect = reception.redirect(seconds)
    if redirect is None:
        raise TokenctlError(f"Nobody answered within {seconds:g} seconds. {AGAIN}")
    try:
        stored = _use(redirect, sign_in)
    except TokenctlError as error:
        reception.answer(pages.failed(str(error), denied=isinstance(error, DeniedError)))
        raise
    reception.answer(pages.stored({"Stack": sign_in.target.stack_name, "Token lives until": moment(stored.expires_at)}))
    return stored


def _use(redirect: Redirect, sign_in: SignIn) -> Stored:
    whose = sign_in.consent.whose
    match redirect.kind:
        case Kind.ALLOWED:
            pair = sign_in.exchange(sign_in.consent, redirect.code, now=datetime.now(UTC))
            return _store(sign_in.target, pair, sign_in.kept)
        case Kind.DENIED:
            raise DeniedError(
                f"The sign-in was denied on {whose} page. Nothing was stored. Run the command again to allow it."
            )
        case Kind.REFUSED:
            reason = f" ({redirect.reason})" if redirect.reason else ""
            raise ServiceError(f"{whose.capitalize()} page could not go on with the sign-in{reason}. {AGAIN}")
        case _:
            raise ServiceError(f"{whose.capitalize()} answer holds no code. {AGAIN}")


def _store(target: Target, pair: TokenPair, kept: Mapping[str, object]) -> Stored:
    try:
        version_id = store_pair(target, {**kept, **json.loads(pair.to_json())})
    except TokenctlError as error:
        raise type(error)(
            f"A new pair was issued, which ends an older one of the same user, but it could not be stored: {error} "
            "Mend that and run the command again."
        ) from None
    return Stored(version_id=version_id, expires_at=pair.expires_at)
