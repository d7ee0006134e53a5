"""The brake of a provider: if most refreshes fail, no more are tried than worked, until most work again. Pure.

Workers count the failures, and successes cost no write. A wrong decision costs minutes, never a grant: what is not sent
stays due.
"""

from typing import Final, NamedTuple

from refresh_token.errors import (
    ConfigurationException,
    IssuerProtocolException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshTokenError,
    TokenNotStoredException,
)

PROBES: Final = 5
"""How many connections of a braked provider a tick sends at least."""

MIN_FAILURES: Final = 10
"""Fewer failures than this in a minute brake nothing: they may be the connections' own."""

TOO_EARLY: Final = 30
"""Seconds after a look in which a second one, of another dispatcher, decides nothing: what was sent still runs."""

_COUNTED: Final = (
    IssuerUnavailableException,
    IssuerProtocolException,
    ConfigurationException,
    ReauthorizationRequiredException,  # so that wrong app credentials do not end every grant
    TokenNotStoredException,  # each of these may cost a grant
)


class Brake(NamedTuple):
    """What is known about a provider. Times are in epoch seconds.

    How many were sent in the last tick, how many have failed since, since when it is braked (None if it is not), when a
    dispatcher last looked, and how many messages waited then.
    """

    sent: int = 0
    failures: int = 0
    since: int | None = None
    looked_at: int = 0
    waiting: int = 0


def with_backlog(brake: Brake, *, waiting: int) -> Brake:
    """Return a brake that counts as sent what was tried since the last look; so many messages ``waiting`` now.

    That is more than was sent, if workers are behind: they have tried, and failed, what ticks before had sent.
    """
    return brake._replace(sent=max(brake.sent, brake.waiting + brake.sent - waiting))


def decide(brake: Brake, *, now: int) -> int | None:
    """Return since when the provider is braked from now on, None if it is not."""
    if 0 <= now - brake.looked_at < TOO_EARLY:
        return brake.since
    if brake.since is None:
        return now if brake.failures >= max(MIN_FAILURES, brake.sent / 2) else None
    if not brake.sent:
        return brake.since  # no probe was due
    return brake.since if brake.failures >= brake.sent / 2 else None


def slowed(brake: Brake, budget: int) -> int:
    """Return how many connections of a braked provider a tick sends, of ``budget``.

    They are as many as worked in the last tick, so a provider that limits the rate gets what it takes.
    """
    return max(PROBES, min(budget, brake.sent - brake.failures))


def counts(error: RefreshTokenError) -> bool:
    """Tell whether a failed refresh speaks against sending more to its provider."""
    return isinstance(error, _COUNTED)
