"""The use cases: what happens when a consumer asks, a consumer complains, an operator insists, the schedule ticks.

    window              schedule tick                          consumer asks
    fresh               no call, unless the token is known     current token, `fresh`
                        to be dead: then as expired
    advisory            refresh; a transient failure is        current token, `due`; no call
                        `degraded`
    mandatory           refresh; failure raises                refresh; on failure the current token, `degraded`
    expired, unknown    refresh; failure raises                refresh; failure raises

Pure: everything from outside comes in through ports.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Final

from refresh_token.errors import (
    InvalidParameterException,
    ReauthorizationRequiredException,
    RefreshInProgressException,
    RefreshTokenError,
    SecretMalformedException,
    SecretNotSeededException,
)
from refresh_token.ports import Clock, Failure, Issuer, StoredPair, Telemetry, TokenStore
from refresh_token.refresh_once import Outcome, RefreshOnce
from refresh_token.results import BareToken, LiveToken, State, TickReport
from refresh_token.windows import Window, WindowSettings, window_of

ANSWER_RESERVE: Final = 1.0
"""Seconds of the invocation that are kept for answering."""

_STATES: Final[dict[Window, State]] = {Window.FRESH: "fresh", Window.ADVISORY: "due"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresher:
    """Decides when to refresh. ``issuer`` and ``once`` are made on demand: most invocations need neither."""

    store: TokenStore
    clock: Clock
    telemetry: Telemetry
    windows: WindowSettings
    issuer: Callable[[], Issuer]
    once: Callable[[], RefreshOnce]
    dead: Container[str]
    """The versions that `RefreshOnce` knows to be dead, however long they seem to live."""

    def live_token(self) -> LiveToken:
        """A consumer asks for a live access token."""
        return self._live(self.store.read())

    def report_failure(self, version_id: str) -> LiveToken:
        """A consumer says that the token of ``version_id`` was rejected: believe it, whatever its expiry says."""
        stored = self.store.read()
        if stored.version_id == version_id:
            return self._token(self._refresh(stored).stored)
        if self._window(stored) is Window.MANDATORY:
            return self._token(stored, "due")  # it works, which is what was asked for
        return self._live(stored)

    def force(self) -> LiveToken:
        """An operator wants a new token now."""
        return self._token(self._refresh(self.store.read(), ignore_cooldown=True).stored)

    def tick(self) -> TickReport:
        """The schedule looks in."""
        report = TickReport("fresh", self.store.read())
        window, unfinished = self._window(report.stored), None
        if report.stored.pair.capped:
            self.telemetry.expiry_capped()
        try:
            if window is Window.FRESH and (unfinished := self.once().lost(report.stored.version_id)):
                window = Window.EXPIRED
            if window is not Window.FRESH:
                outcome = self._refresh(report.stored, ignore_cooldown=True, unfinished=unfinished)
                report = TickReport("refreshed", outcome.stored)
        except RefreshTokenError as error:
            if window is not Window.ADVISORY or not error.transient:
                raise
            report = TickReport("degraded", report.stored)
            self.telemetry.served_degraded(error, version_id=report.stored.version_id)
        finally:
            self.telemetry.token_age(
                version_id=report.stored.version_id,
                seconds_left=self._seconds_left(report.stored),
                overdue=self._window(report.stored) not in _STATES,
            )
        return report

    def exchange(self, refresh_token: str, client_id: str | None) -> BareToken:
        """The bare operation. The stored refresh token takes the stored path: a refresh kills the stored token."""
        try:
            stored = self.store.read()
        except (SecretNotSeededException, SecretMalformedException):
            stored = None
        if stored and stored.pair.has_refresh_token(refresh_token):
            outcome = self._refresh(stored, client_id=client_id)
            token = self._token(outcome.stored)
            expires_in = outcome.issued.expires_in if outcome.issued else token.expires_in
            return BareToken(outcome.stored.pair.access_token, expires_in)
        if stored and self._was_replaced(refresh_token):
            live = self._live(stored)
            return BareToken(live.stored.pair.access_token, live.expires_in)
        try:
            issued = self.issuer().refresh(refresh_token, client_id, seconds=self.clock.remaining() - ANSWER_RESERVE)
        except ReauthorizationRequiredException:
            raise InvalidParameterException(
                "The issuer refuses the token in `refreshTokenBody`. Check it, and its client id; nothing was stored."
            ) from None
        issued.expiry(now=self.clock.now())
        return BareToken(issued.access_token, issued.expires_in)

    def _was_replaced(self, refresh_token: str) -> bool:
        """Tell whether it was stored until the last refresh, and is spent: the bare operation, asked once more."""
        before = self.store.previous() if self.issuer().rotates else None
        return before is not None and before.pair.has_refresh_token(refresh_token)

    def _live(self, stored: StoredPair) -> LiveToken:
        if self._window(stored) in (Window.FRESH, Window.ADVISORY):
            return self._token(stored)
        try:
            return self._token(self._refresh(stored).stored)
        except RefreshTokenError as error:
            if self._window(stored) is not Window.MANDATORY:
                raise
            self.telemetry.served_degraded(error, version_id=stored.version_id)
            return self._token(stored)

    def _refresh(
        self,
        stored: StoredPair,
        *,
        ignore_cooldown: bool = False,
        client_id: str | None = None,
        unfinished: Failure | None = None,
    ) -> Outcome:
        """Refresh what is stored; and if somebody stores a pair meanwhile that is no longer alive, that one as well."""
        while True:
            outcome = self.once().refresh(
                stored, ignore_cooldown=ignore_cooldown, client_id=client_id, unfinished=unfinished
            )
            if outcome.issued or self._window(outcome.stored) not in (Window.EXPIRED, Window.UNKNOWN):
                return outcome
            stored, unfinished = outcome.stored, None

    def _token(self, stored: StoredPair, state: State = "degraded") -> LiveToken:
        left, window = self._seconds_left(stored), self._window(stored)
        if left is None or window is Window.EXPIRED:
            raise RefreshInProgressException("The token was refreshed, and the new one has expired already. Ask again.")
        return LiveToken(stored, _STATES.get(window, state), int(left))

    def _window(self, stored: StoredPair) -> Window:
        if stored.version_id in self.dead:
            return Window.EXPIRED
        pair = stored.pair
        return window_of(pair.expires_at, lifetime=pair.lifetime, now=self.clock.now(), settings=self.windows)

    def _seconds_left(self, stored: StoredPair) -> float | None:
        expires_at = stored.pair.expires_at
        return None if expires_at is None else (expires_at - self.clock.now()).total_seconds()
