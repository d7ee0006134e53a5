"""The use cases: a consumer asks for a token or reports a dead one, an operator forces a refresh, the schedule ticks.

    window              schedule tick                          consumer asks
    fresh               no call, unless the token is known     current token, `fresh`
                        to be dead: then as expired;
                        or its grant must be kept alive:
                        then as advisory
    advisory            refresh; a transient failure is        current token, `due`; no call
                        `degraded`
    mandatory           refresh; failure raises                refresh; on failure the current token, `degraded`
    expired, unknown    refresh; failure raises                refresh; failure raises

If tokens are refreshed on demand (`refresh_policy`), a tick treats every window as fresh, and its outcome is `idle`.

Pure: everything from outside comes in through ports. Most invocations only read, so this module imports nothing that
only a refresh needs.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from refresh_token.core.connections import Connection
from refresh_token.core.ports import Clock, StoredPair, Telemetry
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.core.refresh_policy import on_demand
from refresh_token.core.results import BareToken, LiveToken, State, TickReport
from refresh_token.core.windows import Window, window_of
from refresh_token.errors import (
    InvalidParameterException,
    ReauthorizationRequiredException,
    RefreshInProgressException,
    RefreshTokenError,
    SecretMalformedException,
    SecretNotSeededException,
    TokenNotStoredException,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from refresh_token.core.claimed_refresh import Outcome
    from refresh_token.core.claims import Failure
    from refresh_token.core.issued_token import IssuedToken
    from refresh_token.core.refresh_once import RefreshOnce

ANSWER_RESERVE: Final = 1.0
"""Seconds of the invocation that are reserved for answering."""

NEW: Final = timedelta(seconds=30)
"""A report of a token that was issued less than this ago refreshes nothing."""

NO_REFRESH_TOKENS: Final = (
    "`refreshTokenBody` cannot be used here: the grant of this stack has no refresh token. Leave it out to get the "
    "token."
)

_STATES: Final[dict[Window, State]] = {Window.FRESH: "fresh", Window.ADVISORY: "due"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresher:
    """Decides when to refresh the pair of a connection. ``once`` returns what refreshes it."""

    connection: Connection
    clock: Clock
    telemetry: Telemetry
    memory: ProcessMemory
    once: "Callable[[], RefreshOnce]"

    def live_token(self) -> LiveToken:
        """Return a live access token to a consumer."""
        return self._live(self.connection.store.read())

    def report_failure(self, version_id: str) -> LiveToken:
        """Return a live access token to a consumer whose token, of ``version_id``, was rejected.

        A reported token is dead, whatever its expiry says. One that was issued seconds ago is not: its consumer is
        forbidden something, and would report each new token in turn.
        """
        stored = self.connection.store.read()
        if stored.version_id == version_id:
            if self._is_new(stored):
                self.telemetry.report_damped(version_id=version_id)
                return self._token(stored, "due")
            return self._token(self._refresh(stored).stored)
        if self._window(stored) is Window.MANDATORY:
            return self._token(stored, "due")  # it still works, and the consumer only reported an older one
        return self._live(stored)

    def force(self) -> LiveToken:
        """Refresh now, whatever the window, at an operator's request."""
        return self._token(self._refresh(self.connection.store.read(), ignore_cooldown=True).stored)

    def tick(self) -> TickReport:
        """Refresh if the token is due, and report how long it lives and whether a person must act."""
        stored = self.connection.store.read()
        report = TickReport("idle" if self._rests(stored) else "fresh", stored)
        window, lost = Window.FRESH if report.outcome == "idle" else self._window(stored), None
        failure, known = None, True
        if stored.pair.capped:
            self.telemetry.expiry_capped()
        try:
            if window is Window.FRESH:
                self.connection.prepare_refresh()
                failure, known = self.once().last_failure(stored.version_id)
                if failure and failure.lost:
                    window, lost = Window.EXPIRED, failure
                elif self._is_of_another_app(stored):
                    window = Window.EXPIRED
                elif self._must_keep_alive(stored):
                    window = Window.ADVISORY
            if window is not Window.FRESH:
                report = TickReport("refreshed", self._refresh(stored, ignore_cooldown=True, lost=lost).stored)
                failure, known = None, True
        except RefreshTokenError as error:
            failure, known = self.once().last_failure(stored.version_id)
            self._measure(stored, failure, known=known, error=error)
            if window is not Window.ADVISORY or not error.transient:
                raise
            self.telemetry.served_degraded(error, version_id=stored.version_id)
            return TickReport("degraded", stored)
        self._measure(report.stored, failure, known=known)
        return report

    def exchange(self, refresh_token: str, client_id: str | None) -> BareToken:
        """Perform the bare operation.

        A refresh kills the stored access token, so the stored refresh token takes the stored path. A refresh token
        that the last refresh replaced is spent: the caller repeats an earlier request, and gets the current token.
        """
        stored, fault = None, None
        try:
            stored = self.connection.store.read()
        except (SecretNotSeededException, SecretMalformedException, ReauthorizationRequiredException) as error:
            fault = error
            if isinstance(error, SecretMalformedException) and error.moved_to:
                raise
        if self.connection.issuer.spends != "refresh_token":
            raise InvalidParameterException(NO_REFRESH_TOKENS)
        if stored and stored.pair.has_refresh_token(refresh_token):
            outcome = self._refresh(stored, client_id=client_id)
            token = self._token(outcome.stored)
            if outcome.issued:
                return self._bare(outcome.issued)
            return BareToken(outcome.stored.pair.access_token, token.expires_in)
        from refresh_token.core.bare_operation import BareOperation  # noqa: PLC0415 - reading a token needs none

        bare = BareOperation(self.connection, refresh_token, stored, fault)
        if bare.was_replaced() and stored:
            live = self._live(stored)
            return BareToken(live.stored.pair.access_token, live.expires_in)
        return self._bare(bare.call_issuer(client_id, seconds=self.clock.remaining() - ANSWER_RESERVE))

    def _bare(self, issued: "IssuedToken") -> BareToken:
        """Return an issued token with the lifetime that the issuer sent, or with a guess if it sent none."""
        sent = issued.expires_in if issued.expiry(now=self.clock.now()).said else None
        return BareToken(issued.access_token, issued.default_lifetime if sent is None else sent)

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
        lost: "Failure | None" = None,
    ) -> "Outcome":
        """Refresh a stored pair. If someone stores a pair meanwhile that is itself expired, refresh that one, too."""
        while True:
            outcome = self.once().refresh(stored, ignore_cooldown=ignore_cooldown, client_id=client_id, lost=lost)
            if outcome.issued or self._window(outcome.stored) not in (Window.EXPIRED, Window.UNKNOWN):
                return outcome
            stored, lost = outcome.stored, None

    def _token(self, stored: StoredPair, state: State = "degraded") -> LiveToken:
        """Return the stored token as an answer; ``state`` is for a token that is past its advisory window."""
        left, window = self._seconds_left(stored), self._window(stored)
        if left is None or window is Window.EXPIRED:
            raise RefreshInProgressException("The token was refreshed, but the new one has already expired. Try again.")
        return LiveToken(stored, _STATES.get(window, state), int(left))

    def _is_new(self, stored: StoredPair) -> bool:
        """Tell whether the token was issued less than `NEW` ago, and as far as we know it lives."""
        refreshed_at = stored.pair.refreshed_at
        if refreshed_at is None or not timedelta() <= self.clock.now() - refreshed_at < NEW:
            return False
        if self._window(stored) in (Window.EXPIRED, Window.UNKNOWN):
            return False
        failure, _ = self.once().last_failure(stored.version_id)
        return failure is None or not failure.lost

    def _rests(self, stored: StoredPair) -> bool:
        """Tell whether the token is no longer fresh, and that is no reason for a tick to refresh it."""
        usable = stored.pair.access_token and not self.memory.is_dead(stored.version_id)
        waits = bool(usable) and on_demand(self.connection.policy, stored.pair)
        return waits and self._window(stored) is not Window.FRESH

    def _is_of_another_app(self, stored: StoredPair) -> bool:
        """Tell whether the token is of another issuer than the settings name, and nothing has to be sent there."""
        issuer = self.connection.issuer
        return issuer.spends == "nothing" and stored.pair.issued_by not in (None, issuer.issued_by)

    def _must_keep_alive(self, stored: StoredPair) -> bool:
        margin = self.connection.windows.margin
        at = self.connection.grant_life.keep_alive_at(stored.pair, margin=margin)
        return at is not None and at <= self.clock.now()

    def _measure(
        self, stored: StoredPair, failure: "Failure | None", *, known: bool, error: RefreshTokenError | None = None
    ) -> None:
        """Measure the token after a tick, and the grant, and tell whether a person must act.

        ``failure`` is that of the version's last refresh, if it is ``known``; ``error`` is what the tick met. One
        failure sets off one alarm: if another tells why the token is overdue, that is left out. The age of a token
        that rests says nothing.
        """
        refused = isinstance(error, ReauthorizationRequiredException) or (failure is not None and failure.refused)
        lost = isinstance(error, TokenNotStoredException) or (failure is not None and failure.lost)
        if known:
            self.telemetry.grant_state(needs_sign_in=refused, pair_not_stored=lost)
        rests, now = self._rests(stored), self.clock.now()
        overdue = not rests and self._window(stored) not in _STATES
        told = refused or lost or (error is not None and not error.transient)
        self.telemetry.token_age(
            version_id=stored.version_id,
            seconds_left=None if rests else self._seconds_left(stored),
            overdue=None if overdue and told else overdue,
        )
        end = self.connection.grant_life.end(stored.pair)
        self.telemetry.grant_age(
            seconds_left=(end - now).total_seconds() if end else None,
            ending=self.connection.grant_life.is_ending(stored.pair, now=now),
        )

    def _window(self, stored: StoredPair) -> Window:
        if self.memory.is_dead(stored.version_id):
            return Window.EXPIRED
        pair, windows = stored.pair, self.connection.windows
        return window_of(pair.expires_at, lifetime=pair.lifetime, now=self.clock.now(), settings=windows)

    def _seconds_left(self, stored: StoredPair) -> float | None:
        expires_at = stored.pair.expires_at
        return None if expires_at is None else (expires_at - self.clock.now()).total_seconds()
