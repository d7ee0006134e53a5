"""What the use cases return."""

from dataclasses import dataclass, field
from typing import Literal

from refresh_token.ports import StoredPair

State = Literal["fresh", "due", "degraded"]


@dataclass(frozen=True, slots=True)
class LiveToken:
    """An access token to hand out; ``expires_in`` is the whole seconds that it had left when it was looked at."""

    stored: StoredPair
    state: State
    expires_in: int


@dataclass(frozen=True, slots=True)
class TickReport:
    """What a schedule tick found and did."""

    outcome: Literal["fresh", "refreshed", "degraded"]
    stored: StoredPair


@dataclass(frozen=True, slots=True)
class BareToken:
    """The answer of the bare operation; ``expires_in`` is the issuer's own figure where it was asked."""

    access_token: str = field(repr=False)
    expires_in: int
