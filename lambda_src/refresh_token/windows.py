"""Expiry and window arithmetic. Pure: the time comes in as an argument.

A token's life, with the names of botocore's deferred refresh:

    issued          advisory              mandatory       expired
    |--- fresh -----|--- refresh soon ----|-- refresh now --|--- dead --->
                    <------------- advisory window -------->
                                          <-- mandatory  -->
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

MAX_LIFETIME: Final = timedelta(days=400)
"""Longest life that is believed. Figma's tokens live 90 days; a longer claim must not keep us from refreshing."""

_MAX_DURATION: Final = 10**9
"""Up to here ``expiresIn`` is a duration in seconds (31 years), above it a point in time in epoch seconds (2001)."""

_MAX_EPOCH_SECONDS: Final = 10**12
"""Above this ``expiresIn`` is epoch milliseconds (2001); as epoch seconds it would be the year 33658."""


class Window(StrEnum):
    """Where a token is in its life."""

    FRESH = "fresh"
    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    """No expiry is known: refresh now, and never hand the token out as alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSettings:
    """How long before expiry the windows open; ``mandatory`` is the shorter one."""

    advisory: timedelta
    mandatory: timedelta

    def scaled_to(self, lifetime: timedelta | None) -> "WindowSettings":
        """Return windows of at most 1/3 and 1/10 of ``lifetime``, so that a short-lived token is fresh at first."""
        if lifetime is None:
            return self
        return WindowSettings(
            advisory=min(self.advisory, lifetime / 3),
            mandatory=min(self.mandatory, lifetime / 10),
        )


def window_of(
    expires_at: datetime | None, *, lifetime: timedelta | None, now: datetime, settings: WindowSettings
) -> Window:
    """Return the window that a token is in.

    ``lifetime`` is the whole life of the token, or None where it is not known; then the windows are not scaled.
    The moment at which a window opens belongs to it.
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


@dataclass(frozen=True, slots=True)
class Expiry:
    """When a token expires, and whether that was cut down to MAX_LIFETIME."""

    at: datetime
    capped: bool = False


def read_expires_in(value: object, *, counted_from: datetime) -> Expiry:
    """Read an ``expiresIn`` by magnitude.

    The API reference calls it "the date and time when the new access token expires" and types it as an integer, and
    Figma sends seconds. So: up to 10^9 a duration in seconds from ``counted_from``, above that epoch seconds, above
    10^12 epoch milliseconds. More than MAX_LIFETIME after ``counted_from`` is cut down to it. The result may lie
    before ``counted_from``.

    Raises:
        ValueError: not a whole number, a boolean, zero or negative. The message does not show the value.

    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("expiresIn is not a whole number")  # noqa: TRY004 - one error for all that it cannot be
    if value <= 0:
        raise ValueError("expiresIn is not positive")
    if value <= _MAX_DURATION:
        seconds = value
    elif value <= _MAX_EPOCH_SECONDS:
        seconds = value - int(counted_from.timestamp())
    else:
        seconds = value // 1000 - int(counted_from.timestamp())
    if seconds > MAX_LIFETIME.total_seconds():
        return Expiry(counted_from + MAX_LIFETIME, capped=True)
    return Expiry(counted_from + timedelta(seconds=seconds))


def iso_utc(moment: datetime) -> str:
    """Return ISO 8601 in UTC to the second, with ``Z``."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
