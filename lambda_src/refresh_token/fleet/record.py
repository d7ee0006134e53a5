"""The item of a connection, as it was read. Pure.

`core.secret_format` reads the pair's attributes, so the rules for a pair stand once. Only the tokens are apart: the
refresh token is encrypted, and the access token if the fleet says so. Attributes of the wrong type were changed by
hand. They count as missing here; the pair's are the parser's business.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from refresh_token.core.claims import Failure
from refresh_token.core.failure_record import read_failure
from refresh_token.fleet.attributes import Item, decode_item
from refresh_token.fleet.states import State
from refresh_token.fleet.table import ACCESS_TOKEN, PAIR_KEYS, PK, REFRESH_TOKEN, UNKNOWN, Sealed

MAX_CLAIM: Final = 1800
"""Seconds after which a claim cannot end: Lambda ends each process after 900 (AWS Lambda quotas), and clocks differ.
One that ends later was damaged, and holds nobody back."""

_END_OF_TIMES: Final = 9000
"""From this year on, a time counts as missing: adding to it would end after the last year that there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What an item, or its part in an index, says."""

    name: str
    provider: str
    state: State
    version: str = ""
    has_version: bool = True
    """False if there is none, so that no condition can name it."""

    stored_at: datetime | None = None
    due_at: int | None = None
    """When the dispatcher sends the connection, in epoch seconds."""

    policy: str | None = None
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    told: str | None = None
    """The end of the grant that somebody was told of, None if nobody was told of any."""

    claim_id: str | None = None
    claim_until: float | None = None
    """When the claim on the refresh ends, in epoch seconds."""

    open_claims: int = 0
    """How many claims in a row nobody has closed."""

    attempts: int = 0
    """How many refreshes in a row have failed."""

    failure: Failure | None = None
    access: str | Sealed | None = field(default=None, repr=False)
    refresh: Sealed | None = field(default=None, repr=False)
    facts: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The pair's keys without its tokens."""

    @property
    def expires_at(self) -> datetime | None:
        """When the access token expires, None if that is not known."""
        return _time(self.facts.get("expiresAt"))

    @property
    def refreshed_at(self) -> datetime | None:
        """When the pair was last refreshed, None if that is not known."""
        return _time(self.facts.get("refreshedAt"))

    @property
    def refresh_expires_at(self) -> datetime | None:
        """When the grant ends, as the provider says, None if it does not."""
        return _time(self.facts.get("refreshExpiresAt"))

    def is_claimed(self, now: float) -> bool:
        """Tell whether someone is refreshing the connection."""
        return self.claim_until is not None and now < self.claim_until <= now + MAX_CLAIM

    def document(self, access_token: str | None, refresh_token: str | None) -> str:
        """Return the secret's JSON for this pair with these tokens."""
        unknown = self.facts.get(UNKNOWN)
        kept = _object(unknown) if isinstance(unknown, str) else {}
        tokens = {ACCESS_TOKEN: access_token, REFRESH_TOKEN: refresh_token}
        known = {key: value for key, value in self.facts.items() if key != UNKNOWN}
        return json.dumps({**kept, **known, **{key: text for key, text in tokens.items() if text is not None}})


def read_record(item: Item) -> Record:
    """Read an item, or its part in an index."""
    values = decode_item(item)
    name = _text(values.get(PK)) or ""
    state = values.get("state")
    return Record(
        name=name,
        provider=_text(values.get("provider")) or "",
        state=State(state) if isinstance(state, str) and state in set(State) else State.MALFORMED,
        version=_text(values.get("version")) or "",
        has_version=isinstance(values.get("version"), str),
        stored_at=_time(values.get("storedAt")),
        due_at=_whole(values.get("dueAt")),
        policy=_text(values.get("policy")),
        params=_texts(values.get("params")),
        told=_text(values.get("told")),
        claim_id=_text(values.get("claimId")),
        claim_until=_number(values.get("claimUntil")),
        open_claims=_whole(values.get("openClaims")) or 0,
        attempts=_whole(values.get("attempts")) or 0,
        failure=read_failure(values["failure"]) if "failure" in values else None,
        access=_token(values.get(ACCESS_TOKEN)),
        refresh=_sealed(values.get(REFRESH_TOKEN)),
        facts={key: values[key] for key in (*PAIR_KEYS, UNKNOWN) if key in values},
    )


def _object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> dict[str, str]:
    return {key: text for key, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _token(value: object) -> str | Sealed | None:
    return value if isinstance(value, str) else _sealed(value)


def _sealed(value: object) -> Sealed | None:
    pieces = tuple(piece for piece in value if isinstance(piece, bytes)) if isinstance(value, list) else ()
    return pieces or None


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        known = time is not None and time.year < _END_OF_TIMES
        return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC) if time and known else None
    except (ValueError, OverflowError):
        return None
