"""What an operator does about a connection, by its state."""

from typing import Final

from refresh_token.core.issued_by import KEY, IssuedBy, parse_issued_by
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

_NO_PROVIDER: Final = (
    "The fleet has no provider {provider} any more, so nothing refreshes it. Deploy the fleet with that provider "
    "again, or run `{remove}`."
)
_ELSEWHERE: Final = (
    "Its tokens belong to {theirs}, but the fleet uses {ours} and will not send them there, so no refresh can work. "
    "Run `{authorize}` to sign in there, or deploy the earlier settings again."
)
_COMMANDS: Final = ("authorize", "refresh", "remove", "resume", "seed")


def advice(record: Record, option: str, ours: IssuedBy | None, *, has_provider: bool) -> str:
    """Return what to do, with commands; `option` is the one that names the deployment.

    `ours` is where the fleet sends this connection's refresh token, None if that is not known.
    """
    text, theirs = _ADVICE[record.state], _issued_by(record)
    if record.state in {State.ACTIVE, State.COOLING}:
        if not has_provider:
            text = _NO_PROVIDER
        elif None not in {ours, theirs} and ours != theirs:
            text = _ELSEWHERE
    return text.format(
        provider=record.provider,
        theirs=theirs,
        ours=ours,
        **{command: f"tokenctl connections {command} {record.name} {option}" for command in _COMMANDS},
    )


def _issued_by(record: Record) -> IssuedBy | None:
    """Return whose tokens a connection has, None if nobody has noted it."""
    try:
        return parse_issued_by(record.facts.get(KEY))
    except ValueError:
        return None
