"""When a grant ends, and when it must be used so that it does not end. Pure.

Some grants end if nobody refreshes for a while (QuickBooks: 100 days, Xero: 60 days), some after a fixed time
(Atlassian: 365 days). Few providers say so in their answers, so an operator can.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from refresh_token.core.token_pair import TokenPair

MAX_DAYS: Final = 3650
"""The longest life of a grant that can be set."""

WARN_BEFORE: Final = timedelta(days=14)
"""With less than this left of a long life, a person should act."""


class GrantLife(NamedTuple):
    """How long a grant lives without a refresh, and in all; None if that is not known."""

    idle: timedelta | None = None
    absolute: timedelta | None = None
    refresh_after: timedelta | None = None
    """How long a grant goes without a refresh at most, whatever is known about its end."""

    @classmethod
    def of_days(cls, *, idle: int, absolute: int) -> "GrantLife":
        """Return the life for these numbers of days; 0 means that it is not known."""
        return cls(idle=timedelta(days=idle) or None, absolute=timedelta(days=absolute) or None)

    def end(self, pair: "TokenPair") -> datetime | None:
        """Return when the pair's grant ends if it is not refreshed first, None if nothing is known."""
        known = (
            pair.refresh_expires_at,
            _later(_last_use(pair), self.idle),
            _later(pair.granted_at, self.absolute),
        )
        return min((end for end in known if end), default=None)

    def is_ending(self, pair: "TokenPair", *, now: datetime) -> bool:
        """Tell whether a person should sign in again soon: a sixth of a life is left, and at most `WARN_BEFORE`.

        `keep_alive_at` is earlier, so a grant that refreshes prolong is ending only if they fail.
        """
        at = self.ending_at(pair)
        return at is not None and at <= now

    def ending_at(self, pair: "TokenPair") -> datetime | None:
        """Return from when on the grant is ending, None if its end is not known."""
        used = _last_use(pair)
        lives = (
            (pair.refresh_expires_since or pair.refreshed_at or pair.granted_at, pair.refresh_expires_at),
            (used, _later(used, self.idle)),
            (pair.granted_at, _later(pair.granted_at, self.absolute)),
        )
        known = (
            _later(end, -(min(WARN_BEFORE, (end - start) / 6) if start else WARN_BEFORE)) for start, end in lives if end
        )
        return min((at for at in known if at), default=None)

    def keep_alive_at(self, pair: "TokenPair", *, margin: timedelta = timedelta()) -> datetime | None:
        """Return when to refresh although the access token is fresh: after two thirds of the life without a refresh.

        With `refresh_after`, it is that time at the latest. If the issuer refuses refreshes earlier than ``margin``
        before the access token expires, and the grant lives until then, it is that moment at the earliest.
        """
        used = _last_use(pair)
        said = pair.refresh_expires_at - used if used and pair.refresh_expires_at else None
        # An end in the past that the grant has outlived says nothing. It must not cause a refresh at every tick.
        known = [life * 2 / 3 for life in (self.idle, said) if life is not None and life > timedelta()]
        waits = [*known, *([self.refresh_after] if self.refresh_after else [])]
        at, end = _later(used, min(waits)) if waits else None, self.end(pair) if known else None
        accepted = pair.expires_at - margin if margin and pair.expires_at else None
        return max(at, accepted) if at and accepted and (end is None or accepted < end) else at


def _last_use(pair: "TokenPair") -> datetime | None:
    """Return when the grant was last used, as far as that is known: at the latest when the pair was stored."""
    return pair.refreshed_at or pair.granted_at or pair.stored_at


def _later(start: datetime | None, life: timedelta | None) -> datetime | None:
    """Return the time that is ``life`` after ``start``, None if one is unknown or the result is no date."""
    try:
        return start + life if start and life else None
    except OverflowError:
        return None
