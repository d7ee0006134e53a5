"""Every change that people make of a connection's item, as the arguments of one call of DynamoDB. Pure.

`TableName` is missing. `tokenctl` makes these calls. If the condition of one does not hold, nothing changes, and the
error `ConditionalCheckFailedException` shows the item as it is: read it and try again.
"""

from collections.abc import Mapping
from datetime import datetime
from math import ceil
from typing import Literal

from refresh_token.core.claims import Failure
from refresh_token.core.failure_record import to_data
from refresh_token.core.windows import iso_utc
from refresh_token.fleet.attributes import Item, encode
from refresh_token.fleet.record import Record
from refresh_token.fleet.states import State
from refresh_token.fleet.successor import state_values
from refresh_token.fleet.table import ACCESS_TOKEN, PK, REFRESH_TOKEN
from refresh_token.fleet.update import Condition, Request, equals, names_in, update
from refresh_token.fleet.writes import MAX_OPEN_CLAIMS, NO_CLAIM, NO_FAILURE, free

Over = str | None | Literal[True]
"""What a new item may replace: the version of this id; None: nothing; True: anything."""


def seed(item: Item, *, over: Over, now: float | None = None) -> Request:
    """Return the PutItem of an item that `successor.new_item` made, if it may replace what is there.

    A refresh that is running is superseded by another version. With ``now``, the same version is not stored again while
    its refresh runs, or a second one could begin.
    """
    condition = Condition("attribute_not_exists(#pk)" if over is None else "", {})
    if isinstance(over, str):
        condition = Condition("#version = :over", {"over": over})
        if now is not None and item["version"] == encode(over):
            condition &= free(now)
    given = {f":{key}": encode(value) for key, value in condition.given.items()}
    names = names_in(condition.text)
    return {
        "Item": dict(item),
        **({"ConditionExpression": condition.text, "ExpressionAttributeNames": names} if names else {}),
        **({"ExpressionAttributeValues": given} if given else {}),
        "ReturnValues": "ALL_OLD",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def pause(seen: Record) -> Request:
    """Return the UpdateItem that takes a connection out of the refreshes. One that is running may end."""
    return _as_seen(seen, state_values(seen.name, seen.provider, State.PAUSED, None))


def resume(seen: Record, *, due_at: int, now: datetime) -> Request:
    """Return the UpdateItem that undoes what has taken a connection out of the refreshes.

    One that was paused becomes what it was before. Any other becomes active, and what failed is forgotten, but for a
    lost answer: the access token is dead whatever an operator says. One that was revoked has no tokens, so it needs a
    new pair instead.
    """
    after = resumed_state(seen)
    if seen.state is State.PAUSED:
        retry_at = ceil(seen.failure.retry_at.timestamp()) if seen.failure else due_at
        due = max(due_at, retry_at) if after.is_kept_alive else None
        return _as_seen(seen, state_values(seen.name, seen.provider, after, due))
    lost = Failure(seen.failure.reason, now, lost=True) if seen.failure and seen.failure.lost else None
    failure = {**NO_FAILURE, "failure": to_data(lost)} if lost else NO_FAILURE
    return _as_seen(seen, {**state_values(seen.name, seen.provider, after, due_at), **failure, "openClaims": None})


def resumed_state(seen: Record) -> State:
    """Return the state of a connection after its resume."""
    if seen.state is not State.PAUSED:
        return State.ACTIVE
    if seen.open_claims >= MAX_OPEN_CLAIMS:
        return State.STUCK
    if seen.failure is None:
        return State.ACTIVE
    return State.REFUSED if seen.failure.refused else State.COOLING


def revoke(seen: Record, *, version: str, now: datetime) -> Request:
    """Return the UpdateItem that deletes the tokens of a connection whose grant an operator has revoked.

    A refresh that is running is superseded.
    """
    gone = dict.fromkeys((ACCESS_TOKEN, REFRESH_TOKEN, "expiresAt", "refreshExpiresAt"))
    revoked = {"version": version, "storedAt": iso_utc(now), "revokedAt": iso_utc(now)}
    state = state_values(seen.name, seen.provider, State.REVOKED, None)
    return _as_seen(seen, {**gone, **revoked, **state, **NO_FAILURE, **NO_CLAIM})


def remove(name: str, *, now: float) -> Request:
    """Return the DeleteItem of a connection that nobody is refreshing. Its answer is the item as it was."""
    return _delete(name, Condition("attribute_exists(#pk)", {}) & free(now))


def remove_claimed(name: str, claim_id: str) -> Request:
    """Return the DeleteItem of a connection whose claim the caller holds. Its answer is the item as it was."""
    return _delete(name, equals(claimId=claim_id))


def _delete(name: str, condition: Condition) -> Request:
    return {
        "Key": {PK: encode(name)},
        "ConditionExpression": condition.text,
        "ExpressionAttributeNames": names_in(condition.text),
        "ExpressionAttributeValues": {f":{key}": encode(value) for key, value in condition.given.items()},
        "ReturnValues": "ALL_OLD",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _as_seen(seen: Record, values: Mapping[str, object | None]) -> Request:
    """Change a connection if its version and state are still those that the operator saw."""
    return update(seen.name, equals(version=seen.version, state=seen.state), values)
