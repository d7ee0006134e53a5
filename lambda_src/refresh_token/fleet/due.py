"""When a connection is due: before its token expires, after a failure, and before its grant dies of idleness. Pure.

    issued                     advisory                       mandatory      expired
    |--------------------------|--- due here -----|-----------|--------------|
                                <- first half of   the window ->

With tokens of a few minutes, it is the part of that half which leaves two minutes and more to refresh them (`IN_TIME`).

`u` is a random number from 0 to 1. It spreads connections that were issued at the same time.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

from refresh_token.core.refresh_policy import ALWAYS, DEMAND
from refresh_token.fleet.states import State

if TYPE_CHECKING:
    from refresh_token.core.claims import Failure
    from refresh_token.core.grant_life import GrantLife
    from refresh_token.core.token_pair import TokenPair
    from refresh_token.core.windows import WindowSettings

AUTO: Final = "auto"
WARM: Final = "warm"
ON_DEMAND: Final = "demand"
POLICIES: Final = (AUTO, WARM, ON_DEMAND)
"""Whether tokens are refreshed before they expire, or when a consumer asks. The first is the default."""

IN_TIME: Final = timedelta(seconds=140)
"""How long before its expiry a token is due at the latest. The dispatcher may see it a minute later, its message may
arrive a minute after that, and then it is refreshed."""

MIN_WARM_LIFE: Final = IN_TIME * 3
"""With `AUTO`, tokens of a shorter life are refreshed on demand: their advisory window, the last third, is shorter than
that."""

LOOK_AGAIN: Final = timedelta(days=30)
"""When the worker looks at a connection that is refreshed on demand and whose grant does not end by idleness."""

FIRST_BACKOFF: Final = timedelta(seconds=60)
MAX_BACKOFF: Final = timedelta(hours=1)
MAX_RETRY_AFTER: Final = timedelta(days=1)
"""The longest time that a provider can ask us to wait."""

_MAX_DOUBLINGS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How the connections of a provider are kept alive."""

    windows: "WindowSettings"
    grant_life: "GrantLife"
    policy: str = AUTO
    """One of `POLICIES`."""


class Retry(NamedTuple):
    """What a failed refresh makes of a connection: its state, and when it is due; None if it no longer is."""

    state: State
    due_at: int | None


def core_policy(policy: str, lifetime: timedelta | None) -> str:
    """Return the core's policy for a token of this life."""
    short = lifetime is not None and lifetime < MIN_WARM_LIFE
    return DEMAND if policy == ON_DEMAND or (policy == AUTO and short) else ALWAYS


def next_due(pair: "TokenPair", keeping: Keeping, *, now: datetime, u: float, untold: bool = False) -> int:
    """Return when a connection with this pair is due, in epoch seconds, at the earliest now.

    It is due as well when its grant begins to end, so that somebody is told in time. If it has begun, and nobody was
    told (``untold``), that is now.
    """
    alive = keeping.grant_life.keep_alive_at(pair, margin=keeping.windows.margin)
    if not pair.access_token:
        at = now  # nobody can be served before a refresh
    elif core_policy(keeping.policy, pair.lifetime) == DEMAND:
        at = alive or now + LOOK_AGAIN
    else:
        at = min(_in_window(pair, keeping.windows, now=now, u=u), alive or datetime.max.replace(tzinfo=now.tzinfo))
    ending = keeping.grant_life.ending_at(pair)
    return epoch(max(min(at, ending) if ending and (untold or ending > now) else at, now))


def after_failure(failure: "Failure", *, attempts: int, expires_at: datetime | None, now: datetime, u: float) -> Retry:
    """Return what a failed refresh makes of a connection; `attempts` have failed in a row (`attempts_after`).

    `failure.retry_at` includes what the provider asks for (`asked_to_wait`). While the token lives, at least one more
    attempt is made before it expires, if that is not too soon.
    """
    if failure.refused:
        return Retry(State.REFUSED, None)
    backoff = min(FIRST_BACKOFF * 2 ** min(max(attempts, 1) - 1, _MAX_DOUBLINGS), MAX_BACKOFF) * (1 - u / 2)
    if expires_at is not None and expires_at > now:
        backoff = min(backoff, max((expires_at - now) / 2, FIRST_BACKOFF))
    return Retry(State.COOLING, epoch(max(now + backoff, failure.retry_at)))


def attempts_after(before: int, failure: "Failure") -> int:
    """Return how many refreshes in a row have failed. One does not count if the provider says when to come again."""
    return before + (failure.retry_after is None)


def asked_to_wait(failure: "Failure", *, now: datetime) -> "Failure":
    """Return a failure whose cooldown includes the time that the provider asks to wait, `MAX_RETRY_AFTER` at most."""
    if failure.retry_after is None:
        return failure
    wait = timedelta(seconds=min(failure.retry_after, MAX_RETRY_AFTER.total_seconds()))
    return replace(failure, retry_at=max(failure.retry_at, now + wait), retry_after=None)


def epoch(time: datetime) -> int:
    """Return a time in whole epoch seconds, rounded up: what is due then is due at that time as well."""
    return ceil(time.timestamp())


def _in_window(pair: "TokenPair", windows: "WindowSettings", *, now: datetime, u: float) -> datetime:
    """Return a moment in the first half of the advisory window, and `IN_TIME`; now if the expiry is not known."""
    if pair.expires_at is None:
        return now
    advisory = windows.scaled_to(pair.lifetime).advisory
    latest = max(advisory / 2, min(advisory, IN_TIME))
    return pair.expires_at - advisory + (advisory - latest) * u
