"""Every change that the functions make of a connection's item, as the arguments of one UpdateItem. Pure.

`TableName` is missing. Each request changes everything that belongs together: pair, version, claim, state and due
time. If its condition does not hold, nothing changes, and the error `ConditionalCheckFailedException` shows the item as
it is.
`operator_writes` has the changes that people make.
"""

from math import ceil
from typing import Final

from refresh_token.core.claims import Failure
from refresh_token.core.failure_record import to_data
from refresh_token.fleet.due import Retry
from refresh_token.fleet.record import MAX_CLAIM, Record
from refresh_token.fleet.states import KEPT_ALIVE, State
from refresh_token.fleet.successor import Successor, state_values
from refresh_token.fleet.table import PAIR_KEYS, UNKNOWN
from refresh_token.fleet.update import Condition, Request, equals, is_in, update

MAX_OPEN_CLAIMS: Final = 3
"""So many claims in a row that nobody has closed make a connection `stuck`: each time, the process died."""

CLAIM_GRACE: Final = 60
"""Seconds after the end of a claim when the dispatcher sends the connection if its holder has died."""

NO_CLAIM: Final[dict[str, object | None]] = {"claimId": None, "claimUntil": None, "openClaims": None}
NO_FAILURE: Final[dict[str, object | None]] = {"failure": None, "attempts": None}
_KEPT_ALIVE: Final = is_in("state", KEPT_ALIVE)
_NO_VERSION: Final = Condition("NOT attribute_type(#version, :s)", {"s": "S"})
_COOL: Final = "(NOT attribute_type(#failure.#retryAt, :n) OR #failure.#retryAt <= :now)"

# Refreshes


def claim(seen: Record, *, now: float, seconds: float, claim_id: str, ignore_cooldown: bool) -> Request:
    """Claim the refresh of a version. The answer is the item as it was; the failure before stays in it.

    The dispatcher looks at the connection again after the end of the claim: its holder may have died.
    """
    until = now + seconds
    condition = equals(version=seen.version, state=seen.state) & free(now)
    if seen.due_at is not None:  # each attempt moves it, so nobody makes one that another process has just made
        condition &= equals(dueAt=seen.due_at)
    due: dict[str, object | None] = {"dueAt": ceil(until) + CLAIM_GRACE} if seen.state.is_kept_alive else {}
    return update(
        seen.name,
        condition if ignore_cooldown else condition & Condition(_COOL, {}),
        {"claimId": claim_id, "claimUntil": until, "openClaims": seen.open_claims + 1, **due},
        returns="ALL_OLD",
    )


def replace(seen: Record, new: Successor, *, due_at: int, told: str | None = None) -> Request:
    """Store the successor of a version. It closes the claim, and makes the connection active."""
    active = state_values(seen.name, new.pair.provider, State.ACTIVE, due_at)
    condition = equals(version=seen.version) & Condition("#state <> :paused", {"paused": State.PAUSED})
    return update(seen.name, condition, {**_pair(new), **active, **NO_FAILURE, **NO_CLAIM, **_told(told)})


def replace_paused(seen: Record, new: Successor) -> Request:
    """Store the successor of a version while the connection is paused, which it stays."""
    condition = equals(version=seen.version, state=State.PAUSED)
    return update(seen.name, condition, {**_pair(new), **NO_FAILURE, **NO_CLAIM})


def record_failure(seen: Record, claim_id: str, failure: Failure, *, attempts: int, retry: Retry) -> Request:
    """Close a claim and remember the failure, unless the state has changed since the claim."""
    return update(
        seen.name, equals(claimId=claim_id, state=seen.state), {**_failed(seen, failure, attempts, retry), **NO_CLAIM}
    )


def release(seen: Record, claim_id: str) -> Request:
    """Close a claim as if it had never been made, unless the state has changed since then.

    So one that was open before is open again: an answer may be lost.
    """
    before: dict[str, object | None] = {
        **({"dueAt": seen.due_at} if seen.state.is_kept_alive else {}),
        "claimId": seen.claim_id,
        "claimUntil": seen.claim_until,
        "openClaims": seen.open_claims or None,
    }
    return update(seen.name, equals(claimId=claim_id, state=seen.state), before)


def close_claim(name: str, claim_id: str, failure: Failure | None) -> Request:
    """Close a claim and remember the failure, if there is one; the state and the due time stay."""
    remembered: dict[str, object | None] = {"failure": to_data(failure)} if failure else {}
    return update(name, equals(claimId=claim_id), {**remembered, **NO_CLAIM})


# The dispatcher and the worker


def lease(name: str, *, due_at: float, until: int) -> Request:
    """Take a due connection until then: after that it is due again. `due_at` is the due time that was seen.

    Nothing of the item comes back, for the dispatcher may not see a token.
    """
    request = update(name, equals(dueAt=due_at) & _KEPT_ALIVE, {"dueAt": until})
    return {**request, "ReturnValuesOnConditionCheckFailure": "NONE"}


def reschedule(name: str, *, fence: int, due_at: int, told: str | None = None) -> Request:
    """Move the due time of a connection on, if it still is the one that was seen."""
    return update(name, equals(dueAt=fence) & _KEPT_ALIVE, {"dueAt": due_at, **_told(told)})


def note_failure(seen: Record, failure: Failure, *, attempts: int, retry: Retry) -> Request:
    """Remember a failure before anything was claimed, if the due time is still the one that was seen."""
    return update(seen.name, equals(dueAt=seen.due_at, state=seen.state), _failed(seen, failure, attempts, retry))


def calm(seen: Record, *, due_at: int) -> Request:
    """Make a cooling connection active again: its token is fresh, so nothing is due."""
    condition = equals(dueAt=seen.due_at, state=State.COOLING, version=seen.version)
    return update(seen.name, condition, {**state_values(seen.name, seen.provider, State.ACTIVE, due_at), **NO_FAILURE})


def mark(seen: Record, state: State, *, now: float) -> Request:
    """Take a connection out of the refreshes, as `stuck` or `malformed`, if nobody has changed or claimed it.

    The claims that were never closed stay open: an answer may be lost, so its token is refreshed when it is resumed.
    """
    version = equals(version=seen.version) if seen.has_version else _NO_VERSION
    condition = version & equals(state=seen.state) & free(now)
    return update(seen.name, condition, state_values(seen.name, seen.provider, state, None))


def _told(end: str | None) -> dict[str, object | None]:
    """Return the attribute for the end of the grant that somebody is told of now."""
    return {"told": end} if end else {}


def free(now: float) -> Condition:
    """Nobody holds a claim. An end that is no number, or too far away, was damaged, and is none."""
    return Condition(
        "(NOT attribute_type(#claimUntil, :n) OR #claimUntil <= :now OR #claimUntil > :latest)",
        {"n": "N", "now": now, "latest": now + MAX_CLAIM},
    )


def _failed(seen: Record, failure: Failure, attempts: int, retry: Retry) -> dict[str, object | None]:
    state = state_values(seen.name, seen.provider, retry.state, retry.due_at)
    return {"failure": to_data(failure), "attempts": attempts, **state}


def _pair(new: Successor) -> dict[str, object | None]:
    """Return the attributes of a new pair. Those that it does not have are removed, but for tokens that stay."""
    return {**dict.fromkeys((*PAIR_KEYS, UNKNOWN)), **new.values()}
