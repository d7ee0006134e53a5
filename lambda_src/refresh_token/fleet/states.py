"""The states of a connection. Pure.

              refresh fails, will be tried again                 an operator pauses
    active <-------------------------------------> cooling      ------------------> paused
      |    a refresh works                            |          <------------------
      |                                               |           an operator resumes
      +---> refused     the issuer refuses the grant <+
      +---> stuck       a process died during each of the last refreshes
      +---> malformed   the item is no token pair
      +---> revoked     an operator has revoked the grant; the tokens are gone

An operator's resume makes a paused connection what it was before, and any other that is not revoked active. A new pair
makes every connection active again, a paused one as well.
"""

from enum import StrEnum
from typing import Final

from refresh_token.fleet.names import shard_of, slots_of


class State(StrEnum):
    """What is known about a connection. The first two are kept alive. `docs/fleet.md` is made of this."""

    ACTIVE = "active"
    """kept alive"""

    COOLING = "cooling"
    """a refresh failed, and will be tried again"""

    REFUSED = "refused"
    """the provider refuses the grant: the user has to connect again"""

    STUCK = "stuck"
    """each of the last three refreshes ended without an outcome, because the process died"""

    MALFORMED = "malformed"
    """what is stored is no token pair"""

    PAUSED = "paused"
    """an operator has paused it"""

    REVOKED = "revoked"
    """an operator has revoked it; the tokens are gone"""

    @property
    def is_kept_alive(self) -> bool:
        """Whether the dispatcher sends the connection when it is due. Exactly these are in the index of due ones."""
        return self in KEPT_ALIVE

    @property
    def is_final(self) -> bool:
        """Whether nothing but an operator's resume or new pair starts a refresh: not even a force."""
        return self in FINAL


KEPT_ALIVE: Final = (State.ACTIVE, State.COOLING)
FINAL: Final = (State.PAUSED, State.REVOKED)
TROUBLED: Final = tuple(state for state in State if state is not State.ACTIVE)


def trouble_of(state: State, name: str) -> str | None:
    """Return the key of a connection in the index of those that are not active, None if it is active."""
    return None if state is State.ACTIVE else f"{state}#{shard_of(name)}"


def troubles_of(state: State) -> tuple[str, ...]:
    """Return every key that connections with a state can have in that index."""
    return slots_of(state)
