"""How much of its life a token has left, in numbers and in words."""

from datetime import UTC, datetime
from typing import Any, Final

from refresh_token.core.grants import Spends
from refresh_token.core.spending import can_refresh
from refresh_token.core.token_pair import TokenPair
from refresh_token.core.windows import Window, WindowSettings, iso_utc, window_of
from refresh_token.errors import ReauthorizationRequiredException, TokenNotStoredException

_MEANING: Final = {
    Window.FRESH: "nothing to do",
    Window.ADVISORY: "the schedule refreshes it at its next run",
    Window.MANDATORY: "due: the schedule and consumers refresh it",
    Window.EXPIRED: "dead: consumers get an error unless a refresh succeeds",
    Window.UNKNOWN: "its expiry is unknown: the next run refreshes it",
}

_MEANING_ON_DEMAND: Final = {
    **_MEANING,
    **dict.fromkeys((Window.ADVISORY, Window.MANDATORY, Window.EXPIRED), "it rests until a consumer asks for it"),
}
"""With the refresh policy `demand`, or `auto` for a short life."""

_MEANING_STATIC: Final = {
    **dict.fromkeys(Window, "a person must renew it in time"),
    Window.EXPIRED: "dead: consumers get an error until a person stores a new one",
}
"""With `issuer=static`."""

_MEANING_REFUSED: Final = {
    **dict.fromkeys(Window, "the issuer refused the grant: consumers get the token until it ends"),
    Window.EXPIRED: "dead: the issuer refused the grant, and somebody must sign in",
}
_REPORTED: Final = "reported dead: a person must renew it now"
_MEANING_WITHOUT_REFRESH_TOKEN: Final = {
    **dict.fromkeys(Window, "consumers get it until it ends; then somebody must sign in"),
    Window.EXPIRED: "dead: consumers get an error until somebody signs in",
}
_FIRST_REFRESH_PENDING: Final = "no access token yet: the first request or run of the schedule gets one"

SAMPLE_LIFE: Final = {
    **dict.fromkeys(("refreshedAt", "expiresAt"), "2030-01-01T00:00:00Z"),
    **dict.fromkeys(("secondsLeft", "lifetimeSeconds"), 1),
    "window": Window.FRESH.value,
    "lifeUsed": 0.5,
    **dict.fromkeys(("hasAccessToken", "hasRefreshToken", "refreshable"), True),
}
"""What `life_of` may return, to test a query with."""

_UNITS: Final = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def life_of(
    pair: TokenPair, *, now: datetime, settings: WindowSettings, spends: Spends = "refresh_token"
) -> dict[str, Any]:
    """Return the window, the expiry and the used share of the life, without tokens; unknown values are None.

    Also tell whether the pair holds what a refresh spends.
    """
    left = None if pair.expires_at is None else (pair.expires_at - now).total_seconds()
    lifetime = None if pair.lifetime is None else pair.lifetime.total_seconds()
    return {
        "window": window_of(pair.expires_at, lifetime=pair.lifetime, now=now, settings=settings).value,
        "refreshedAt": pair.refreshed_at and iso_utc(pair.refreshed_at),
        "expiresAt": pair.expires_at and iso_utc(pair.expires_at),
        "secondsLeft": None if left is None else int(left),
        "lifetimeSeconds": None if lifetime is None else int(lifetime),
        "lifeUsed": None if left is None or not lifetime else round(min(max(1 - left / lifetime, 0.0), 1.0), 4),
        "hasAccessToken": bool(pair.access_token),
        "hasRefreshToken": bool(pair.refresh_token),
        "refreshable": can_refresh(pair, spends) and (spends != "access_token" or left is None or left > 0),
    }


def meaning(life: dict[str, Any], *, static: bool, on_demand: bool, failure: str | None) -> str:
    """Return what the window means for the operator: what will happen, or what somebody has to do.

    `failure` is the name of the error with which the last refresh of this version failed.
    """
    window = Window(life["window"])
    if failure == ReauthorizationRequiredException.__name__:
        return _REPORTED if static else _MEANING_REFUSED[window if life["hasAccessToken"] else Window.EXPIRED]
    if failure == TokenNotStoredException.__name__:
        return "dead: a newer token was issued, but could not be stored"
    if static:
        return _MEANING_STATIC[window]
    if not life["hasAccessToken"]:
        return _FIRST_REFRESH_PENDING
    if not life["refreshable"]:
        return _MEANING_WITHOUT_REFRESH_TOKEN[window]
    return (_MEANING_ON_DEMAND if on_demand else _MEANING)[window]


def sentence(life: dict[str, Any]) -> str:
    """Return e.g. `expires 2027-02-21T12:00:00Z (in 90 days), window fresh`."""
    if not life["hasAccessToken"]:
        return _FIRST_REFRESH_PENDING
    if life["expiresAt"] is None:
        return f"expires at an unknown time, window {life['window']}"
    word = "expires" if life["secondsLeft"] > 0 else "expired"
    return f"{word} {life['expiresAt']} ({relative(life['secondsLeft'])}), window {life['window']}"


def duration(seconds: float) -> str:
    """Return `3 days` or `2 minutes`, in the largest unit of which there are at least 1.5."""
    length, unit = next((entry for entry in _UNITS if seconds >= 1.5 * entry[0]), _UNITS[-1])
    count = round(seconds / length)
    return f"{count} {unit}{'' if count == 1 else 's'}"


def relative(seconds: float) -> str:
    """Return `in 3 days` or `2 minutes ago`."""
    return f"in {duration(seconds)}" if seconds > 0 else f"{duration(-seconds)} ago"


def relative_to(now: datetime, moment: str) -> str:
    """Return `in 3 days` or `2 minutes ago` for an ISO 8601 moment."""
    return relative((datetime.fromisoformat(moment) - now).total_seconds())


def utc_minute(moment: datetime | None) -> str:
    """Return a moment for people: UTC, to the minute, or `unknown`."""
    return "unknown" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
