"""What a failed call of the issuer leaves behind: a cooldown, and a count of refusals without a reason. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from refresh_token.core.claims import Failure
from refresh_token.core.windows import iso_utc
from refresh_token.errors import (
    ConfigurationException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshTokenError,
    TokenNotStoredException,
)

COOLDOWN: Final = timedelta(seconds=60)
"""How long consumers cannot reach the issuer after a failed refresh."""

COOLDOWN_REFUSED: Final = timedelta(minutes=15)
"""The same after a refused grant, or a pair that does not fit into the secret, which only a person can fix."""

MIN_UNEXPLAINED: Final = 3
"""This many refusals without a reason, over MIN_UNEXPLAINED_TIME, count as a refused grant."""

MIN_UNEXPLAINED_TIME: Final = timedelta(hours=6)


def failed_call(
    error: RefreshTokenError, previous: Failure | None, *, now: datetime, counts: bool
) -> tuple[RefreshTokenError, Failure]:
    """Return the error to raise after a failed call, and the failure to remember.

    If ``counts``, a refusal without a reason is counted. Many of them over hours are a refused grant.
    """
    count, since = (previous.count, previous.since) if previous else (0, None)
    if counts and isinstance(error, IssuerUnavailableException) and error.unexplained:
        count, since = count + 1, since or now
        if count >= MIN_UNEXPLAINED and now - since >= MIN_UNEXPLAINED_TIME:
            error = _refused_for_hours(count, since)
    lost = previous is not None and previous.lost
    return error, replace(failure_after(error, previous, now=now), count=count, since=since, lost=lost)


def failure_after(error: RefreshTokenError, previous: Failure | None, *, now: datetime) -> Failure:
    """Return the failure to remember after an error. A version whose grant was refused once stays refused."""
    refused_now = isinstance(error, ReauthorizationRequiredException)
    refused_before = previous is not None and previous.refused
    cooldown = COOLDOWN_REFUSED if refused_now or isinstance(error, TokenNotStoredException) else COOLDOWN
    if isinstance(error, ConfigurationException) and error.unsent:
        cooldown = timedelta()
    asked = error.retry_after if isinstance(error, IssuerUnavailableException) else None
    return Failure(error.reason, now + cooldown, refused=refused_now or refused_before, retry_after=asked)


def _refused_for_hours(count: int, since: datetime) -> ReauthorizationRequiredException:
    return ReauthorizationRequiredException(
        f"The issuer has refused the refresh token {count} times since {iso_utc(since)}, without a reason. A person "
        "must sign in again and store the new pair, unless a firewall or a rate limit answers instead of the issuer: "
        "then fix that. Nothing was deleted."
    )
