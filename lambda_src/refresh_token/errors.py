"""The function's errors, one class per meaning.

Callers see the class name as ``errorType``, so these names are an interface. `docs/errors.md` is made of the
docstrings: what happened, and what to do. Every message says both of its own case. No message may hold a token, a
client id or a client secret, and no error may have a cause: a botocore exception can hold the request that failed. So
adapters raise after their ``except`` block, not in it.
"""

from typing import ClassVar, Final


class RefreshTokenError(Exception):
    """The base class of all errors."""

    transient: ClassVar[bool] = False
    """Whether the same call may succeed later without anyone changing anything."""

    @property
    def reason(self) -> str:
        """The class name, which is the ``errorType`` and the value of the metric dimension ``reason``."""
        return type(self).__name__


class InvalidParameterException(RefreshTokenError):
    """The request is wrong, or the issuer refuses the refresh token of a bare request.

    What to do: fix the key that the message names.
    """


class SecretNotSeededException(RefreshTokenError):
    """The secret holds no token pair yet.

    What to do: sign in with `tokenctl authorize`.
    """

    never = False
    """Whether the secret never had a value."""


class SecretMalformedException(RefreshTokenError):
    """The secret, or the item of a connection, holds something that is not a token pair.

    What to do: store a pair again.
    """

    moved_to: str | None = None
    """The name of the connection of the fleet that the pair has become, if the secret says so."""


class SecretUnavailableException(RefreshTokenError):
    """The secret cannot be read: it is missing or being deleted, access to it or its key is denied, or AWS is down.

    What to do: restore it, or fix the permission.
    """

    passing = False
    """Whether Secrets Manager throttles, fails or does not answer, which may be over soon."""

    unsure = False
    """Whether the call may have changed what it should, because only its answer is lost."""


class ConnectionNotFoundException(RefreshTokenError):
    """The fleet has no connection of that name.

    What to do: check the name, or connect it with `tokenctl connections authorize`.
    """


class ConnectionPausedException(RefreshTokenError):
    """The connection is paused, stuck or revoked, so nothing is refreshed.

    What to do: resume it, or connect it again.
    """


class ReauthorizationRequiredException(RefreshTokenError):
    """The issuer refuses the stored refresh token, or an operator has revoked the grant.

    With `issuer=static`, the token has ended or was reported.

    What to do: sign in again; with `issuer=static`, run `tokenctl rotate`.
    """

    revoked = False
    """Whether the secret itself says so: an operator has revoked the grant with tokenctl."""


class IssuerUnavailableException(RefreshTokenError):
    """The issuer, or the lock that guards it, throttles, fails or does not answer, even after retries.

    What to do: try again later.
    """

    transient = True
    unexplained = False
    """Whether the issuer refused without a reason. A person is needed only if that goes on for hours."""

    retry_after: float | None = None
    """The seconds that the issuer asks to wait, if it does. A fleet heeds it; one connection has its cooldown."""


class IssuerProtocolException(RefreshTokenError):
    """The issuer's answer makes no sense.

    What to do: read the log; look for a newer version.
    """


class RefreshInProgressException(RefreshTokenError):
    """Another invocation is refreshing the token and did not finish in time.

    What to do: try again.
    """

    transient = True


class TokenNotStoredException(RefreshTokenError):
    """The token was refreshed, which killed the stored one, but the new one could not be stored.

    What to do: fix the permission. The next tick or report refreshes again.

    ``final``: another attempt to store it would fail in the same way.
    """

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class ConfigurationException(RefreshTokenError):
    """The deployment is wrong: its environment, permissions or resources. Or the stored pair belongs to another issuer.

    What to do: fix what the message names.

    ``unsent``: nothing was sent to the issuer, so it may be called as soon as the deployment is right.
    """

    def __init__(self, message: str, *, unsent: bool = False) -> None:
        super().__init__(message)
        self.unsent = unsent


ALL: Final[tuple[type[RefreshTokenError], ...]] = (
    InvalidParameterException,
    SecretNotSeededException,
    SecretMalformedException,
    SecretUnavailableException,
    ConnectionNotFoundException,
    ConnectionPausedException,
    ReauthorizationRequiredException,
    IssuerUnavailableException,
    IssuerProtocolException,
    RefreshInProgressException,
    TokenNotStoredException,
    ConfigurationException,
)
"""Every error, in the order of `docs/errors.md`."""


def error_named(reason: str) -> type[RefreshTokenError]:
    """Return the class called ``reason``, IssuerUnavailableException if this release has none of that name."""
    return next((error for error in ALL if error.__name__ == reason), IssuerUnavailableException)
