"""Expiry and window arithmetic. Pure: the time is an argument.

A token's life, with the names of botocore's deferred refresh:

    issued          advisory              mandatory       expired
    |--- fresh -----|--- refresh soon ----|-- refresh now --|--- dead --->
                    <------------- advisory window -------->
                                          <-- mandatory  -->
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

MAX_LIFETIME: Final = timedelta(days=400)
"""The longest lifetime that we believe. Figma's tokens live 90 days; a far longer claim must not stop refreshes."""

_MAX_DURATION: Final = 10**9
"""The largest ``expiresIn`` that is a duration in seconds (31 years). Larger ones are epoch seconds (since 2001)."""

_MAX_EPOCH_SECONDS: Final = 10**12
"""The largest ``expiresIn`` in epoch seconds (the year 33658). Larger ones are epoch milliseconds (since 2001)."""

_DIGITS: Final = re.compile(r"[0-9]{1,16}")
_MAX_NUMBER: Final = 10**15
"""A larger number is neither a duration nor a time: in epoch milliseconds, this is the year 33658."""

MAX_MARGIN: Final = timedelta(days=1)
"""The longest margin that an operator can set (`WindowSettings.margin`). A profile's may be longer."""


class Window(StrEnum):
    """Where a token is in its life."""

    FRESH = "fresh"
    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    """The expiry is not known: refresh now, and never serve the token as alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSettings:
    """How long before the expiry each window opens; ``mandatory`` is the shorter one.

    ``margin``: neither opens earlier than this before the expiry, because the issuer refuses refreshes that come too
    early. Zero means that it does not.
    """

    advisory: timedelta
    mandatory: timedelta
    margin: timedelta = timedelta()

    def scaled_to(self, lifetime: timedelta | None) -> "WindowSettings":
        """Return windows of at most 1/3 and 1/10 of ``lifetime``, so that even a short-lived token starts fresh.

        If there is a margin, neither is longer than it.
        """
        life, margin = lifetime or timedelta.max, self.margin or timedelta.max
        return WindowSettings(
            advisory=min(self.advisory, life / 3, margin),
            mandatory=min(self.mandatory, life / 10, margin),
        )


def window_of(
    expires_at: datetime | None, *, lifetime: timedelta | None, now: datetime, settings: WindowSettings
) -> Window:
    """Return the window that a token is in.

    ``lifetime`` is the token's entire lifetime; if it is None, the windows are not scaled. A window includes the moment
    at which it opens.
    """
    if expires_at is None:
        return Window.UNKNOWN
    left = expires_at - now
    scaled = settings.scaled_to(lifetime)
    if left <= timedelta():
        return Window.EXPIRED
    if left <= scaled.mandatory:
        return Window.MANDATORY
    if left <= scaled.advisory:
        return Window.ADVISORY
    return Window.FRESH


class Expiry(NamedTuple):
    """When a token expires.

    ``capped``: the time was cut down to MAX_LIFETIME. ``said``: it is the issuer's word, not a guess.
    """

    at: datetime
    capped: bool = False
    said: bool = True


def read_expires_in(value: object, *, counted_from: datetime, max_lifetime: timedelta | None = MAX_LIFETIME) -> Expiry:
    """Interpret an ``expiresIn`` by its magnitude.

    The API reference calls it "the date and time when the new access token expires" and types it as an integer, and
    Figma sends seconds. So up to 10^9 it is a duration in seconds from ``counted_from``, above that epoch seconds, and
    above 10^12 epoch milliseconds. An expiry more than ``max_lifetime`` after ``counted_from`` is cut down to that,
    unless it is None. The result may lie before ``counted_from``.

    Raises:
        ValueError: the value is not a whole number, or not positive. The message does not show it.
        OverflowError: without ``max_lifetime``, the expiry is after the year 9999.

    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("expiresIn is not a whole number")  # noqa: TRY004 - one error for every wrong value
    if value <= 0:
        raise ValueError("expiresIn is not positive")
    if value <= _MAX_DURATION:
        seconds = value
    elif value <= _MAX_EPOCH_SECONDS:
        seconds = value - int(counted_from.timestamp())
    else:
        seconds = value // 1000 - int(counted_from.timestamp())
    if max_lifetime is not None and seconds > max_lifetime.total_seconds():
        return Expiry(counted_from + max_lifetime, capped=True)
    return Expiry(counted_from + timedelta(seconds=seconds))


def whole_number(value: object) -> int | None:
    """Return a whole number that is written as 3600, 3600.0 or "3600", as issuers do; None for anything else."""
    if isinstance(value, str):
        value = int(value) if _DIGITS.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) <= _MAX_NUMBER and value == int(value) else None


def iso_utc(time: datetime) -> str:
    """Return a time as ISO 8601 in UTC, to the second, with ``Z``."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
