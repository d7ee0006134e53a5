"""Everything that the function raises on purpose, one class per meaning.

The class name is the ``errorType`` that a caller sees, so these names are an interface. Every message says what
happened and what to do next. None may hold a token, a client id or a client secret, and none carries a cause: a
botocore exception can hold the request that failed. Adapters therefore raise after their ``except`` block, not in it.
"""

from typing import ClassVar, Final


class RefreshTokenError(Exception):
    """What all of them have in common."""

    transient: ClassVar[bool] = False
    """Whether the same call may succeed later although nobody changes anything."""

    @property
    def reason(self) -> str:
        """The class name: the value of the ``reason`` dimension and of ``errorType``."""
        return type(self).__name__


class InvalidParameterException(RefreshTokenError):
    """The request, or the token in a stateless request, is wrong."""


class SecretNotSeededException(RefreshTokenError):
    """The secret holds no token pair yet."""


class SecretMalformedException(RefreshTokenError):
    """The secret holds something that is not a token pair."""


class SecretUnavailableException(RefreshTokenError):
    """The secret cannot be read: missing, being deleted, access or key denied, or Secrets Manager is down."""


class ReauthorizationRequiredException(RefreshTokenError):
    """The issuer refuses the stored refresh token: a person must sign in again."""


class IssuerUnavailableException(RefreshTokenError):
    """The issuer (or the lock that guards it) throttles, fails or does not answer; retries did not help."""

    transient = True


class IssuerProtocolException(RefreshTokenError):
    """The issuer gave an answer that makes no sense."""


class RefreshInProgressException(RefreshTokenError):
    """Someone else is refreshing and did not finish in time."""

    transient = True


class TokenNotStoredException(RefreshTokenError):
    """The token was refreshed, which killed the stored one, but the new one could not be written."""


class ConfigurationException(RefreshTokenError):
    """The deployment is wrong: environment, permissions or resources."""


ALL: Final[tuple[type[RefreshTokenError], ...]] = (
    InvalidParameterException,
    SecretNotSeededException,
    SecretMalformedException,
    SecretUnavailableException,
    ReauthorizationRequiredException,
    IssuerUnavailableException,
    IssuerProtocolException,
    RefreshInProgressException,
    TokenNotStoredException,
    ConfigurationException,
)
"""Contract 2, in the order in which the documentation lists it."""


def error_named(reason: str) -> type[RefreshTokenError]:
    """Return the class called ``reason``; IssuerUnavailableException for a name that this version does not know."""
    return next((error for error in ALL if error.__name__ == reason), IssuerUnavailableException)
