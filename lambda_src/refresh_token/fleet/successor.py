"""A pair as it is written into the item of a connection, and the item of a new one. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from refresh_token.core.token_pair import TokenPair
from refresh_token.core.windows import iso_utc
from refresh_token.fleet.attributes import Attribute, encode_item
from refresh_token.fleet.names import slot_of
from refresh_token.fleet.states import State, trouble_of
from refresh_token.fleet.table import ACCESS_TOKEN, MAX_BYTES, PAIR_KEYS, PK, REFRESH_TOKEN, UNKNOWN, Sealed


@dataclass(frozen=True, slots=True)
class StoredTokens:
    """The tokens of a pair as they are stored. None leaves a token as it is, or out of a new item."""

    access: str | Sealed | None = field(repr=False)
    refresh: Sealed | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Successor:
    """A new pair, its tokens as they are stored, and the id of its version."""

    pair: TokenPair
    tokens: StoredTokens
    version: str
    stored_at: datetime

    def values(self) -> dict[str, object]:
        """Return the attributes of the pair."""
        own = {"version": self.version, "storedAt": iso_utc(self.stored_at)}
        return {**pair_values(self.pair), **token_values(self.tokens), **own}


def pair_values(pair: TokenPair) -> dict[str, object]:
    """Return the attributes of a pair, without its tokens.

    A refresh token that the grant does not use is no part of them: nothing of an item shows one.
    """
    document: dict[str, Any] = json.loads(pair.to_json())
    known: dict[str, object] = {key: document[key] for key in PAIR_KEYS if key in document}
    tokens = (ACCESS_TOKEN, REFRESH_TOKEN)
    unknown = {key: value for key, value in document.items() if key not in known and key not in tokens}
    return {**known, **({UNKNOWN: json.dumps(unknown)} if unknown else {})}


def token_values(tokens: StoredTokens) -> dict[str, object]:
    """Return the attributes of the tokens."""
    both = {ACCESS_TOKEN: tokens.access, REFRESH_TOKEN: tokens.refresh}
    return {key: value for key, value in both.items() if value}


def state_values(name: str, provider: str, state: State, due_at: int | None) -> dict[str, object | None]:
    """Return the attributes that a state decides; None for those that an item in that state does not have.

    A connection is in the index of due ones exactly while it is kept alive, so none is forgotten.
    """
    if state.is_kept_alive != (due_at is not None):
        raise ValueError(f"a connection that is {state} has {'a' if state.is_kept_alive else 'no'} due time")
    slot = slot_of(provider, name) if state.is_kept_alive else None
    return {"state": state, "slot": slot, "dueAt": due_at, "trouble": trouble_of(state, name)}


def new_item(
    name: str,
    new: Successor,
    *,
    due_at: int,
    policy: str | None = None,
    params: Mapping[str, str] | None = None,
) -> dict[str, Attribute]:
    """Return the item of a connection that starts with this pair. A policy of its own comes before the fleet's."""
    values: dict[str, object | None] = {
        PK: name,
        **state_values(name, new.pair.provider, State.ACTIVE, due_at),
        "policy": policy,
        "params": dict(params) if params else None,
        **new.values(),
    }
    return encode_item({key: value for key, value in values.items() if value is not None})


def fits(pair: TokenPair) -> bool:
    """Tell whether a pair is small enough for an item."""
    return len(pair.to_json().encode()) <= MAX_BYTES
