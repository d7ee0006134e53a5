"""The answers' JSON: each has exactly the documented keys, and never a refresh token or a client id."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from refresh_token.answers import Answer, answer_of
from refresh_token.core.ports import StoredPair
from refresh_token.core.results import BareToken, LiveToken, TickReport
from refresh_token.core.token_pair import TokenPair

EXPIRES = datetime(2027, 2, 21, 14, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
SECRETS = {"refresh_token": "canary", "client_id": "canary", "unknown": {"note": "canary"}}
ISSUED = EXPIRES - timedelta(days=90)
STORED = StoredPair("v-1", TokenPair(access_token="access", expires_at=EXPIRES, refreshed_at=ISSUED, **SECRETS))  # type: ignore[arg-type]
UNDATED = StoredPair("v-1", replace(STORED.pair, refreshed_at=None))
UNKNOWN = StoredPair("v-1", TokenPair(access_token="access", refresh_token="canary"))
FACTS: Answer = {"expiresAt": "2027-02-21T12:00:00Z", "versionId": "v-1"}
TOKEN: Answer = {"accessToken": "access", "expiresIn": 59, "state": "due"}

ACME = StoredPair("v-1", replace(UNDATED.pair, provider="acme", scope="read", values={"realm": 7}, api={"scheme": ""}))
SAID: Answer = {"provider": "acme", "scope": "read", "values": {"realm": 7}, "api": {"scheme": ""}}

ANSWERS: list[tuple[LiveToken | TickReport | BareToken, Answer]] = [
    (LiveToken(STORED, "due", 59), {**FACTS, **TOKEN, "refreshedAt": "2026-11-23T12:00:00Z"}),
    (LiveToken(UNDATED, "due", 59), {**FACTS, **TOKEN}),
    (LiveToken(ACME, "due", 59), {**FACTS, **TOKEN, **SAID}),
    (TickReport("refreshed", ACME), {**FACTS, "outcome": "refreshed"}),
    (TickReport("refreshed", STORED), {**FACTS, "outcome": "refreshed"}),
    (TickReport("fresh", UNKNOWN), {**FACTS, "outcome": "fresh", "expiresAt": None}),
    (BareToken("access", 7_776_000), {"accessToken": "access", "expiresIn": 7_776_000}),
]


@pytest.mark.parametrize(("result", "answer"), ANSWERS, ids=str)
def test_a_result_becomes_the_documented_answer(result: LiveToken | TickReport | BareToken, answer: Answer) -> None:
    assert answer_of(result) == answer
    assert "canary" not in json.dumps(answer) + repr(result)
    assert "access" not in repr(result).replace("access_token", "")
