"""The verdict on a deployment: whether consumers get a token, and whether they will."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from refresh_token.core.windows import Window
from refresh_token.errors import (
    ConfigurationException,
    ReauthorizationRequiredException,
    TokenNotStoredException,
)
from tokenctl.stack.runbook import entry_of

TIME_TO_ROTATE: Final = 30 * 86_400
"""Seconds before the end of a token that a person renews: from then on, somebody should."""

_DUE: Final = {
    Window.MANDATORY: "the token is about to expire and has not been refreshed",
    Window.EXPIRED: "the token has expired and has not been refreshed",
    Window.UNKNOWN: "nobody knows when the token expires",
}


_ERROR: Final = "consumers get an error"


class Health(StrEnum):
    """How a deployment is, from best to worst."""

    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    """Consumers get a token, but something needs attention."""
    DEAD = "DEAD"
    """Consumers get no token that works, or will get none once this one ends, unless a person acts."""


EXIT_CODES: Final = {Health.HEALTHY: 0, Health.DEGRADED: 1, Health.DEAD: 2}


@dataclass(frozen=True, kw_only=True)
class Commands:
    """The commands that mend a deployment, with its options."""

    renew: str
    """Signs in again or, with `issuer=static`, stores a new token."""
    refresh: str
    static: bool
    empty: str = ""
    """Stores `{}`, which makes a grant without a sign-in get a new token."""
    signs_in: bool = True
    """Whether the grant begins with a person's sign-in, and not with the app's credentials alone."""

    @property
    def renewal(self) -> str:
        """What a person must do, as an instruction."""
        signing = "sign in again" if self.signs_in else "store the app's credentials again"
        return f"{'store a new token' if self.static else signing} with `{self.renew}`"

    @property
    def refreshing(self) -> str:
        """How to refresh, as an instruction."""
        return f"refresh with `{self.refresh}`"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A word, and why."""

    health: Health
    text: str = ""

    def __str__(self) -> str:
        """Return the line that `status` and `doctor` print."""
        separator = {Health.HEALTHY: "", Health.DEGRADED: " ", Health.DEAD: ": "}[self.health]
        return f"{self.health}{separator}{self.text}"


def verdict_of(
    token: Mapping[str, Any],
    troubles: Sequence[str],
    commands: Commands,
    stopped: Sequence[Mapping[str, str]] = (),
    failing: Sequence[Mapping[str, str]] = (),
) -> Verdict:
    """Judge a deployment.

    `token` is that part of the report of `tokenctl status`; `rejected` says whether the provider does not accept the
    access token, if it was asked, and `unused` whether the deployment has connections and no pair. `stopped` are the
    findings about what the function cannot work without, `failing` is the one that every request fails, and `troubles`
    is what is wrong with the rest.
    """
    if stopped:
        return _dead(stopped[0])
    dead = _why_unusable(token, commands) if "error" in token else _why_dead(token, commands)
    if dead:
        do, why = dead
        return Verdict(health=Health.DEAD, text=f"{do}. {_capitalised(why)}.")
    if failing:
        return _dead(failing[0])
    whys = [*_worries(token, commands), *troubles]
    return Verdict(health=Health.DEGRADED, text="; ".join(whys)) if whys else Verdict(health=Health.HEALTHY)


def _dead(finding: Mapping[str, str]) -> Verdict:
    fix = f"run {finding['fix']}" if finding["fix"].startswith("`") else finding["fix"]
    sentences = [text.rstrip(".") for text in (fix, finding["text"]) if text]
    return Verdict(health=Health.DEAD, text=". ".join([sentences[0], *map(_capitalised, sentences[1:])]) + ".")


def _capitalised(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _why_unusable(token: Mapping[str, Any], commands: Commands) -> tuple[str, str] | None:
    """Return what a person must do and why, if there is no pair; None if it just cannot be read."""
    if how := token.get("restore"):
        return f"restore the secret: {how}", f"somebody has deleted it, and {_ERROR}"
    if at := token.get("revokedAt"):
        return commands.renewal, f"the grant was revoked with tokenctl on {at}, and {_ERROR}"
    if not token["noPair"] or token.get("unused"):
        return None
    how = commands.renewal if commands.static or commands.signs_in else f"store `{{}}` with `{commands.empty}`"
    return how, "the secret holds nothing that the function can use"


def _why_dead(token: Mapping[str, Any], commands: Commands) -> tuple[str, str] | None:
    """Return what a person must do and why, if the pair is dead."""
    return _why_refused(token, commands) or _why_ended(token, commands)


def _why_refused(token: Mapping[str, Any], commands: Commands) -> tuple[str, str] | None:
    failure = token["failure"]
    until = f"consumers get the token until {token['expiresAt'] or 'it ends'}" if _lives(token) else _ERROR
    if token["mismatch"]:
        return commands.renewal, f"{token['mismatch']}; {until}"
    if failure == ReauthorizationRequiredException.__name__:
        return commands.renewal, "the token was reported dead" if commands.static else f"the issuer refused it; {until}"
    if failure == TokenNotStoredException.__name__:
        return commands.refreshing, "a newer token was issued but could not be stored, so the stored one is dead"
    if token.get("rejected"):
        do = commands.refreshing if token["refreshable"] and not commands.static else commands.renewal
        return do, "the provider does not accept the token that consumers get"
    return None


def _why_ended(token: Mapping[str, Any], commands: Commands) -> tuple[str, str] | None:
    failure, lives = token["failure"], _lives(token)
    if (commands.static or not token["refreshable"]) and not lives:
        return commands.renewal, f"the token has ended, and {_ERROR}"
    if failure and (not lives or token["window"] == Window.UNKNOWN):
        mended = f"see {entry_of(failure)}, then " if failure == ConfigurationException.__name__ else ""
        return f"{mended}{commands.refreshing}", f"the last refresh failed with {failure}, and {_ERROR}"
    return None


def _lives(token: Mapping[str, Any]) -> bool:
    return bool(token["hasAccessToken"]) and Window(token["window"]) is not Window.EXPIRED


def _worries(token: Mapping[str, Any], commands: Commands) -> Iterator[str]:
    """Yield what needs attention though the pair is alive."""
    if token.get("unused"):
        return
    if "error" in token:
        yield "the secret cannot be read"
        return
    if commands.static:
        if token["secondsLeft"] <= TIME_TO_ROTATE:
            yield f"the token ends {token['expiresAt']}: {commands.renewal} before"
        return
    if not token["refreshable"]:
        yield f"there is no refresh token: {commands.renewal} before {token['expiresAt'] or 'the token ends'}"
        return
    if token["failure"]:
        yield f"the last refresh failed with {token['failure']}"
    if token["grantEnding"]:
        yield f"the grant ends {token['grantEndsAt']}: {commands.renewal}"
    if token["hasAccessToken"] and not token["onDemand"] and (due := _DUE.get(Window(token["window"]))):
        yield due
