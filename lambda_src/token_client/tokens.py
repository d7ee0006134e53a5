"""The token that consumers get."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. `repr` and `str` hide it; read ``token.access_token`` or ``token.authorization``."""

    access_token: str = field(repr=False)
    version_id: str
    """Identifies this token. It is not a secret and may be logged."""
    state: str
    """``fresh``; ``due``: a refresh comes soon; ``degraded``: a refresh is overdue but failed, the token still lives.

    The client keeps a name from a later version of the function as it is, and treats it like ``due``.
    """
    expires_at: datetime | None
    """UTC, by the function's clock. The client itself counts from the moment the token arrived."""
    stale: bool = False
    """Whether the client asked the function about this token without an answer. As far as it knows the token lives."""

    @property
    def authorization(self) -> str:
        """Return the value of the ``Authorization`` header."""
        return f"Bearer {self.access_token}"

    def __str__(self) -> str:
        return repr(self)
