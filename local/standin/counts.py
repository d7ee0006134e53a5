"""What happened on the wire to each user's refreshes, as the provider saw it."""

from collections import defaultdict
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from local.standin.rate_limit import REFRESHES

if TYPE_CHECKING:
    from local.standin.state import State


@dataclass
class Counts:
    """One user's refreshes. `calls` is the sum of the fields below it, and starts again with `forget_calls`."""

    refreshed: int = 0
    """How many times the access token was replaced, whether or not an answer said so."""
    reused: int = 0
    """How many times a spent refresh token came again."""
    calls: int = 0
    answered: int = 0
    limited: int = 0
    """429: more than the rate limit allows."""
    refused: int = 0
    """Any other 4xx."""
    failed: int = 0
    """Every other answer, or none."""


def counts(state: "State") -> dict[str, Counts]:
    """Return the counts by user. Calls with a token that the stand-in never issued count for nobody."""
    found: defaultdict[str, Counts] = defaultdict(Counts)
    for user, number in state.grants.refreshes().items():
        found[user].refreshed = number
    for user, number in state.grants.reuses().items():
        found[user].reused = number
    for call in state.calls.all():
        if call.user is not None and call.operation in REFRESHES:
            count = found[call.user]
            count.calls += 1
            kind = _kind(call.status)
            setattr(count, kind, getattr(count, kind) + 1)
    return dict(found)


def _kind(status: int | None) -> str:
    if status == HTTPStatus.OK:
        return "answered"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "limited"
    return "refused" if status and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR else "failed"
