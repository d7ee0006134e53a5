"""The results of the use cases.

Those that show no token are named tuples: a cold start defines them in a tenth of the time that a dataclass takes.
"""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from refresh_token.core.ports import StoredPair

State = Literal["fresh", "due", "degraded"]


class LiveToken(NamedTuple):
    """An access token for a consumer; ``expires_in`` is the whole seconds that it had left when it was read."""

    stored: StoredPair
    state: State
    expires_in: int


class TickReport(NamedTuple):
    """The outcome of a schedule tick, and the pair that is current after it."""

    outcome: Literal["fresh", "idle", "refreshed", "degraded"]
    stored: StoredPair


@dataclass(frozen=True, slots=True)
class BareToken:
    """The result of the bare operation; ``expires_in`` is the issuer's own figure if the issuer was called."""

    access_token: str = field(repr=False)
    expires_in: int
