"""Which states of a connection refuse a question, and with which error. Pure."""

from typing import Final

from refresh_token.errors import (
    ConnectionPausedException,
    ReauthorizationRequiredException,
    RefreshTokenError,
    SecretMalformedException,
)
from refresh_token.fleet.record import Record
from refresh_token.fleet.states import State

_PAUSED: Final = {
    State.PAUSED: "is paused. To go on, run `tokenctl connections resume {name}`.",
    State.REVOKED: "was revoked. To connect it again, run `tokenctl connections authorize {name}`.",
    State.STUCK: (
        "is stuck: each of its last refreshes ended before its outcome was known, because the process died. Look at "
        "the workers' logs, then run `tokenctl connections refresh {name}`."
    ),
}
_MALFORMED: Final = (
    "The connection {name} was set aside, because its item is no token pair. Run `tokenctl connections authorize "
    "{name}` or `tokenctl connections seed {name}`. If you have mended the item, run `tokenctl connections resume "
    "{name}`."
)
_REFUSED: Final = (
    "The provider refuses the grant of the connection {name}. A person must sign in again: run `tokenctl connections "
    "authorize {name}`."
)


def refusal(record: Record, *, force: bool) -> RefreshTokenError | None:
    """Return the error for a connection whose state allows no refresh, None if it may be refreshed.

    ``force``: an operator asks, so it is tried unless an operator has paused or revoked it.
    """
    if force and not record.state.is_final:
        return None
    if record.state in _PAUSED:
        return ConnectionPausedException(
            f"The connection {record.name} {_PAUSED[record.state].format(name=record.name)}"
        )
    if record.state is State.REFUSED:
        return ReauthorizationRequiredException(_REFUSED.format(name=record.name))
    if record.state is State.MALFORMED:
        return SecretMalformedException(_MALFORMED.format(name=record.name))
    return None
