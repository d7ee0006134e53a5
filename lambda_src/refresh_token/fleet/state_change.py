"""A change of a connection's state, as others are told of it. Pure.

Operators' own rules on EventBridge match these events, so the keys and words are an interface (`docs/events.md`). A
refresh that works while all is well is none. An event may be lost: what is stored is the truth.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from refresh_token.core.windows import iso_utc
from refresh_token.fleet.states import State

SOURCE: Final = "refresh-token"
DETAIL_TYPE: Final = "Connection State Change"


class Reason:
    """Why somebody is told of a change, each with what it means: `docs/events.md` is made of this."""

    DEGRADED: Final = "degraded"
    """a refresh failed, and will be tried again. Told at the first failure, not at the following ones"""

    RECOVERED: Final = "recovered"
    """a refresh worked after that, or an operator has resumed the connection. One that had failed before its pause is
    told with the reason of that failure"""

    REAUTHORIZATION_REQUIRED: Final = "reauthorization-required"
    """the provider refuses the grant: the user has to connect again"""

    GRANT_EXPIRING: Final = "grant-expiring"
    """the end of the grant is known, and a sixth of its life is left, 14 days at most. Told once for each end; `from`
    and `to` are equal"""

    STUCK: Final = "stuck"
    """three refreshes in a row ended without an outcome; an operator has to look"""

    MALFORMED: Final = "malformed"
    """what is stored is no token pair"""

    PAUSED: Final = "paused"
    """an operator has paused the connection"""

    REVOKED: Final = "revoked"
    """an operator has revoked the grant"""

    CONNECTED: Final = "connected"
    """an operator stored a pair, or a user signed in. `from` is null if the connection is new"""


REASONS: Final = {
    State.ACTIVE: Reason.RECOVERED,
    State.COOLING: Reason.DEGRADED,
    State.REFUSED: Reason.REAUTHORIZATION_REQUIRED,
    State.STUCK: Reason.STUCK,
    State.MALFORMED: Reason.MALFORMED,
    State.PAUSED: Reason.PAUSED,
    State.REVOKED: Reason.REVOKED,
}
"""The reason of a change to each state, unless somebody stored a new pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """A connection's state has changed, or its grant is about to end. It never holds a token."""

    connection: str | None
    """None for the connection of a stack of one secret, which has no name."""

    provider: str
    before: State | None
    """None if the connection is new."""

    after: State
    reason: str
    at: datetime
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None

    def to_detail(self, service: str) -> dict[str, str | None]:
        """Return the event's detail; ``service`` is that of the metrics."""
        times = {"expiresAt": self.expires_at, "refreshExpiresAt": self.refresh_expires_at}
        return {
            "service": service,
            "provider": self.provider,
            "from": self.before,
            "to": self.after,
            "reason": self.reason,
            "at": iso_utc(self.at),
            **({"connection": self.connection} if self.connection else {}),
            **{key: iso_utc(time) for key, time in times.items() if time},
        }


class StateChanges(Protocol):
    """Where changes are told. It never raises, and does not hold up the caller."""

    def changed(self, change: StateChange) -> None:
        """Take a change, to be sent before the invocation ends."""
        ...


def reason_for(before: State | None, after: State, *, new_pair: bool = False) -> str | None:
    """Return the reason of a change; None if nothing changed that anybody needs to know.

    ``new_pair``: somebody signed in or stored tokens, which connects the end user, whatever the state was before.
    """
    if new_pair or before is None:
        return Reason.CONNECTED
    return None if before is after else REASONS[after]
