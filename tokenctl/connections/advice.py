"""What an operator does about a connection, by its state."""

from typing import Final

from refresh_token.fleet.record import Record
from refresh_token.fleet.states import State

_ADVICE: Final = {
    State.ACTIVE: "Nothing to do: the fleet refreshes it when it is due.",
    State.COOLING: "The fleet tries again when it is due. To try now, run `{refresh}`.",
    State.REFUSED: (
        "The provider refused the grant, so the end user must sign in again: run `{authorize}`, or `{seed}` with a new "
        "pair. If the provider was wrong, run `{refresh}`."
    ),
    State.STUCK: (
        "Several refreshes began and never ended. Look for its name in the worker's log; then run `{refresh}`, or "
        "`{authorize}` if the refresh token is spent."
    ),
    State.MALFORMED: "Somebody has changed the item by hand. Run `{authorize}`, or `{seed}` with a new pair.",
    State.PAUSED: "An operator paused it, and consumers get an error. To go on, run `{resume}`.",
    State.REVOKED: "An operator revoked the grant. Run `{authorize}` to connect it again, or `{remove}`.",
}

_COMMANDS: Final = ("authorize", "refresh", "remove", "resume", "seed")


def advice(record: Record, option: str) -> str:
    """Return what to do, with commands; `option` is the one that names the deployment."""
    return _ADVICE[record.state].format(
        **{command: f"tokenctl connections {command} {record.name} {option}" for command in _COMMANDS}
    )
