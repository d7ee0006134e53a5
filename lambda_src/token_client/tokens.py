"""The token that consumers are given."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. `repr` and `str` leave it out: say ``token.access_token``, or ``token.authorization``."""

    access_token: str = field(repr=False)
    version_id: str
    """Names this very token, without being a secret: fit for logs."""
    state: str
    """``fresh``; ``due``: will be refreshed soon; ``degraded``: should have been refreshed, could not, still alive.

    A name from a later version of the function is kept as it is, and treated as ``due``.
    """
    expires_at: datetime | None
    """By the function's clock, in UTC; the client itself counts from when the token came."""
    stale: bool = False
    """Whether the function was asked about this token, could not answer, and the token is alive as far as we know."""

    @property
    def authorization(self) -> str:
        """Return the value of the header ``Authorization``."""
        return f"Bearer {self.access_token}"

    def __str__(self) -> str:
        return repr(self)
