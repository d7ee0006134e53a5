"""The use cases for a token that a person renews (``ISSUER=static``): it is handed out and watched, never refreshed.

    the token           schedule tick                  consumer asks, or reports an older version
    fresh               `fresh`                        the token, `fresh`
    in its advisory     `fresh`                        the token, `due`
    window or later
    ended               raises, counted                raises

The report of the current version raises and is counted as well, like the end of a grant: only a person can help. Ticks
remember it until there is another version.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn

from refresh_token.core.connections import Connection
from refresh_token.core.failed_call import failure_after
from refresh_token.core.ports import Clock, StoredPair, Telemetry
from refresh_token.core.results import LiveToken, TickReport
from refresh_token.core.secret_keys import HOW_TO_SEED
from refresh_token.core.windows import Window, iso_utc, window_of
from refresh_token.errors import (
    InvalidParameterException,
    ReauthorizationRequiredException,
    RefreshTokenError,
    SecretMalformedException,
    SecretNotSeededException,
)

HOW_TO_ROTATE: Final = "Create a new token at the provider and run `tokenctl rotate --stage <stage>`."


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticToken:
    """Hands out the token of a connection. The issuer is never used, and of the lock only its memory of failures."""

    connection: Connection
    clock: Clock
    telemetry: Telemetry

    def live_token(self) -> LiveToken:
        """Return the token to a consumer."""
        return self._live(self._read())

    def report_failure(self, version_id: str) -> LiveToken:
        """Return the token to a consumer whose token, of an older version, was rejected."""
        stored = self._read()
        if stored.version_id != version_id:
            return self._live(stored)
        rejected = "The provider rejects the stored token before its end: it was revoked, or lacks a permission. "
        ended = self._seconds_left(stored) <= 0
        error = self._counted(stored, self._ended(stored) if ended else f"{rejected}{HOW_TO_ROTATE}")
        try:
            self.connection.lock.record_failure(version_id, failure_after(error, None, now=self.clock.now()))
        except RefreshTokenError as fault:
            self.telemetry.lock_not_closed(fault, version_id=version_id)
        raise error

    def tick(self) -> TickReport:
        """Report how long the token lives, and whether it is dead."""
        stored = self._read()
        left = self._seconds_left(stored)
        self.telemetry.token_age(version_id=stored.version_id, seconds_left=left, overdue=left <= 0)
        dead = left <= 0 or self._was_reported(stored.version_id)
        if dead is not None:
            self.telemetry.grant_state(needs_sign_in=dead, pair_not_stored=False)
        if left <= 0:
            raise self._counted(stored, self._ended(stored))
        return TickReport("fresh", stored)

    def force(self) -> NoReturn:
        """Refuse to refresh."""
        raise InvalidParameterException(
            f"`force` cannot refresh this token: a person renews it (`issuer=static`). {HOW_TO_ROTATE}"
        )

    def exchange(self, refresh_token: str, client_id: str | None) -> NoReturn:  # noqa: ARG002 - as `Refresher` takes
        """Refuse the bare operation."""
        raise InvalidParameterException(
            "`refreshTokenBody` cannot be used here: this stack refreshes no tokens, because a person renews its token "
            "(`issuer=static`). Leave it out to get the token."
        )

    def _was_reported(self, version_id: str) -> bool | None:
        """Tell whether a consumer has reported a version; None if the lock cannot say."""
        try:
            failure = self.connection.lock.failure(version_id, now=self.clock.now())
        except RefreshTokenError as error:
            self.telemetry.lock_not_read(error, version_id=version_id)
            return None
        return failure is not None and failure.refused

    def _read(self) -> StoredPair:
        try:
            return self.connection.store.read()
        except (SecretNotSeededException, SecretMalformedException, ReauthorizationRequiredException) as error:
            error.args = (str(error).replace(HOW_TO_SEED, HOW_TO_ROTATE),)
            raise

    def _live(self, stored: StoredPair) -> LiveToken:
        left = self._seconds_left(stored)
        if left <= 0:
            raise ReauthorizationRequiredException(self._ended(stored))
        pair, now = stored.pair, self.clock.now()
        window = window_of(pair.expires_at, lifetime=pair.lifetime, now=now, settings=self.connection.windows)
        return LiveToken(stored, "fresh" if window is Window.FRESH else "due", int(left))

    def _counted(self, stored: StoredPair, why: str) -> ReauthorizationRequiredException:
        error = ReauthorizationRequiredException(why)
        self.telemetry.refresh_failed(error, version_id=stored.version_id, first=True)
        return error

    def _seconds_left(self, stored: StoredPair) -> float:
        return (self._end(stored) - self.clock.now()).total_seconds()

    def _end(self, stored: StoredPair) -> datetime:
        """Return when the token ends, which `parse_static_token` requires the secret to say."""
        return stored.pair.expires_at or self.clock.now()

    def _ended(self, stored: StoredPair) -> str:
        return f"The stored token ended at {iso_utc(self._end(stored))}. {HOW_TO_ROTATE}"
