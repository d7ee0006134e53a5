"""What the core needs from the outside: protocols, and the values that pass through them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from refresh_token.errors import RefreshTokenError
from refresh_token.token_pair import IssuedToken, TokenPair


@dataclass(frozen=True, slots=True)
class StoredPair:
    """A token pair and the VersionId of the secret version that holds it."""

    version_id: str
    pair: TokenPair


@dataclass(frozen=True, slots=True)
class Failure:
    """A refresh that failed, kept beside the lock so that all processes know of it.

    ``reason`` is the name of an error of contract 2. Consumers do not reach the issuer again before ``retry_at``.
    ``refused`` stays once the issuer has refused the grant of this version, whatever fails after that. So does
    ``lost``: an answer of the issuer was not stored, so that the token of this version is dead.
    """

    reason: str
    retry_at: datetime
    refused: bool = False
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claim is ours; ``previous`` is the failure of the attempt before, if there was one."""

    previous: Failure | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """Someone else holds the claim, or has just given it up: ask again."""


@dataclass(frozen=True, slots=True)
class Done:
    """This version was refreshed: a newer one is, or will at once be, current."""


@dataclass(frozen=True, slots=True)
class CoolingDown:
    """The last attempt failed a short while ago."""

    failure: Failure


Claim = Claimed | Held | Done | CoolingDown


class VersionSupersededError(Exception):
    """The version that was to be replaced is no longer current; nothing was changed."""


class Clock(Protocol):
    """Time: what it is, how to let it pass, and how much of it this invocation has left."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def remaining(self) -> float:
        """Return the seconds that are left of this invocation."""
        ...


class Issuer(Protocol):
    """Turns a refresh token into an access token."""

    @property
    def rotates(self) -> bool:
        """Whether a refresh token may be good for one call only. Then it must never be sent twice."""
        ...

    @property
    def takes_client_id(self) -> bool:
        """Whether it asks for the app that the caller names. The others ask for their own, whatever the caller says."""
        ...

    def refresh(self, refresh_token: str, client_id: str | None, *, seconds: float) -> IssuedToken:
        """Call the issuer; retries included, it takes at most ``seconds``.

        Raises:
            ReauthorizationRequiredException: the refresh token is refused.
            IssuerUnavailableException: throttled, failed or did not answer.
            IssuerProtocolException: answered with nonsense.
            ConfigurationException: this function may not call the issuer.

        """
        ...


class TokenStore(Protocol):
    """Where the pair lives."""

    def read(self) -> StoredPair:
        """Return the current pair.

        Raises:
            SecretNotSeededException, SecretMalformedException, SecretUnavailableException: as they say.

        """
        ...

    def replace(self, pair: TokenPair, *, expected: str, version_id: str, seconds: float) -> None:
        """Make ``pair`` current as version ``version_id``, if version ``expected`` still is, within ``seconds``.

        Safe to repeat.

        Raises:
            VersionSupersededError: another version has become current; it stays.
            TokenNotStoredException: it could not be written.

        """
        ...

    def unfinished(self, version_id: str) -> StoredPair | None:
        """Return the successor of a version that was written by `replace` and not made current; None for none.

        Raises:
            SecretUnavailableException: that cannot be found out.

        """
        ...

    def previous(self) -> StoredPair | None:
        """Return the pair that was current before; None if there is none that can be read as one.

        Raises:
            SecretUnavailableException: that cannot be found out.

        """
        ...

    def finish(self, successor: str, *, expected: str, seconds: float) -> None:
        """Make an unfinished successor current, as `replace` would have done; it raises the same."""
        ...


class RefreshLock(Protocol):
    """The claim on "refresh version X"; every method raises IssuerUnavailable- or ConfigurationException."""

    def claim(self, version_id: str, *, seconds: float, now: datetime, ignore_cooldown: bool) -> Claim:
        """Try to claim the refresh of a version; a claim that is not closed ends by itself after ``seconds``."""
        ...

    def lost(self, version_id: str, *, now: datetime) -> Failure | None:
        """Return the failure that makes this version's token dead, or perhaps: its holder died before it could tell."""
        ...

    def done(self, version_id: str) -> None:
        """Close the claim: the version has a successor."""
        ...

    def failed(self, version_id: str, failure: Failure) -> None:
        """Close the claim and remember the failure."""
        ...

    def release(self, version_id: str) -> None:
        """Close the claim as if it had never been made."""
        ...


class Telemetry(Protocol):
    """What operators see. Nothing that is passed in holds a token."""

    def token_age(self, *, version_id: str, seconds_left: float | None, overdue: bool) -> None:
        """A token was looked at; ``seconds_left`` is None where its expiry is unknown.

        ``overdue``: it is in its mandatory window or worse, although the schedule has just seen to it.
        """
        ...

    def refreshed(self, *, old: str, new: str, recovered_from: str | None) -> None:
        """A version was refreshed; ``recovered_from`` names the error of the attempt before."""
        ...

    def refresh_failed(self, error: RefreshTokenError, *, version_id: str, first: bool) -> None:
        """A refresh failed; ``first`` unless the issuer has refused the grant of this version before."""
        ...

    def served_degraded(self, error: RefreshTokenError, *, version_id: str) -> None:
        """A refresh failed and the current token, still alive, serves instead."""
        ...

    def superseded(self, *, version_id: str) -> None:
        """Someone stored another pair while this version was being refreshed; theirs stays."""
        ...

    def expiry_capped(self) -> None:
        """The issuer claimed an expiry beyond belief."""
        ...

    def lock_not_read(self, error: RefreshTokenError, *, version_id: str) -> None:
        """Whether this version's token is dead could not be looked up; it is taken to live."""
        ...

    def lock_not_closed(self, error: RefreshTokenError, *, version_id: str) -> None:
        """The claim could not be closed; it ends by itself."""
        ...
