"""What the core needs from outside: protocols, and the values that pass through them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import RefreshTokenError

if TYPE_CHECKING:
    from refresh_token.core.grant import Grant
    from refresh_token.core.grants import Spends
    from refresh_token.core.issued_by import IssuedBy
    from refresh_token.core.issued_token import Issued
    from refresh_token.core.unreadable_pair import UnreadablePair


@dataclass(frozen=True, slots=True)
class StoredPair:
    """A token pair and the id of the version that holds it."""

    version_id: str
    pair: TokenPair


class VersionSupersededError(Exception):
    """The version to replace is no longer current. Nothing was changed."""


class Clock(Protocol):
    """The time, and how much of it this invocation has left."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def remaining(self) -> float:
        """Return the seconds that this invocation has left."""
        ...


class Issuer(Protocol):
    """Issues access tokens: for a refresh token, for the access token before, or for the app's credentials alone."""

    @property
    def issued_by(self) -> "IssuedBy":
        """The issuer's name, and the host that `refresh` sends the token to."""
        ...

    @property
    def spends(self) -> "Spends":
        """Which token of the pair `refresh` sends."""
        ...

    @property
    def rotates(self) -> bool:
        """Whether the token that `refresh` sends may work only once. If so, it must never be sent twice.

        False if it sends none.
        """
        ...

    @property
    def takes_client_id(self) -> bool:
        """Whether the issuer uses the client id that the caller sends. If not, it always uses its own app's."""
        ...

    def refresh(
        self, grant: "Grant", client_id: str | None, *, seconds: float, owner: "IssuedBy | None" = None
    ) -> "Issued":
        """Call the issuer; with retries, the call takes at most ``seconds``.

        App credentials that do not say whose they are count as ``owner``'s, and are not sent if that is another issuer.

        Raises:
            ReauthorizationRequiredException: the issuer refuses the token, or to give the app one.
            IssuerUnavailableException: the issuer throttles, fails or does not answer.
            IssuerProtocolException: the answer makes no sense, and holds no new refresh token.
            ConfigurationException: this function is not allowed to call the issuer.

        """
        ...


class TokenStore(Protocol):
    """Where the pair lives. A write has two steps: write the successor, then make it current (promote it)."""

    def read(self) -> StoredPair:
        """Return the current pair.

        Raises:
            SecretNotSeededException: the store holds no pair yet.
            ReauthorizationRequiredException: an operator has revoked the grant.
            SecretMalformedException: the store holds something that is not a pair.
            SecretUnavailableException: the store cannot be read.

        """
        ...

    def has_room_for(self, pair: TokenPair) -> bool:
        """Tell whether a pair is small enough to be stored."""
        ...

    def replace(self, pair: TokenPair, *, expected: str, version_id: str, seconds: float) -> None:
        """Write ``pair`` as version ``version_id`` and promote it, if version ``expected`` is still current.

        Takes at most ``seconds``. Safe to repeat.

        Raises:
            VersionSupersededError: another version has become current; it stays.
            TokenNotStoredException: the pair could not be written or promoted.

        """
        ...

    def pending(self, version_id: str) -> StoredPair | None:
        """Return the successor of a version that `replace` wrote but did not promote, None if there is none.

        Raises:
            SecretUnavailableException: the store cannot be read.

        """
        ...

    def promote(self, successor: str, *, expected: str, seconds: float) -> None:
        """Make a pending successor current, as `replace` would have done. Raises the same errors."""
        ...

    def unreadable(self) -> "UnreadablePair":
        """Return what the current version holds after `read` has found no pair in it.

        Raises:
            SecretUnavailableException: the store cannot be read.

        """
        ...

    def previous(self) -> StoredPair | None:
        """Return the pair that was current before this one, None if there is no readable one.

        Raises:
            SecretUnavailableException: the store cannot be read.

        """
        ...


class Telemetry(Protocol):
    """What operators see. No argument holds a token."""

    def token_age(self, *, version_id: str, seconds_left: float | None, overdue: bool | None) -> None:
        """A tick checked the token. ``seconds_left`` is None if its expiry is unknown, or if only consumers refresh it.

        ``overdue``: after the tick, the token is still in its mandatory window or worse; None if something else that
        the tick reports is the reason.
        """
        ...

    def grant_age(self, *, seconds_left: float | None, ending: bool) -> None:
        """A tick checked when the grant ends; None: not known. ``ending``: a person should act."""
        ...

    def grant_state(self, *, needs_sign_in: bool, pair_not_stored: bool) -> None:
        """A tick checked whether the issuer has refused the current version, and whether its successor was lost."""
        ...

    def refreshed(self, *, old: str, new: str, recovered_from: str | None) -> None:
        """A version was refreshed. ``recovered_from`` names the error of the attempt before, if it failed."""
        ...

    def refresh_failed(self, error: RefreshTokenError, *, version_id: str, first: bool) -> None:
        """A refresh failed. ``first`` is false if the issuer had already refused the grant of this version."""
        ...

    def served_degraded(self, error: RefreshTokenError, *, version_id: str) -> None:
        """A refresh failed, and the caller gets the current token, which is still alive."""
        ...

    def report_damped(self, *, version_id: str) -> None:
        """A consumer reported a token that was issued seconds ago. It was not refreshed."""
        ...

    def superseded(self, *, version_id: str) -> None:
        """Someone stored another pair while this version was being refreshed. Theirs stays."""
        ...

    def expiry_capped(self) -> None:
        """The issuer's expiry is too far ahead to believe."""
        ...

    def expiry_not_said(self) -> None:
        """The issuer does not say when the token expires."""
        ...

    def odd_answer(self, members: Sequence[str]) -> None:
        """Some members of an issuer's answer, by these names, are not what they should be."""
        ...

    def lock_not_read(self, error: RefreshTokenError, *, version_id: str) -> None:
        """The lock could not say whether this version's token is dead. It counts as alive."""
        ...

    def lock_not_closed(self, error: RefreshTokenError, *, version_id: str) -> None:
        """The claim could not be closed. It expires by itself."""
        ...
