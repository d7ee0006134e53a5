"""Contract 1, the answers."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from refresh_token.answers import answer_of
from refresh_token.ports import StoredPair
from refresh_token.results import BareToken, LiveToken, TickReport
from refresh_token.token_pair import TokenPair

EXPIRES = datetime(2027, 2, 21, 14, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
PAIR = TokenPair(
    access_token="canary-access",
    refresh_token="canary-refresh",
    client_id="canary-client",
    expires_at=EXPIRES,
    refreshed_at=datetime(2026, 11, 23, tzinfo=UTC),
    unknown={"note": "canary-note"},
)
STORED = StoredPair("v-1", PAIR)


@pytest.mark.parametrize("state", ["fresh", "due", "degraded"])
def test_a_live_token_is_the_token_answer(state: str) -> None:
    assert answer_of(LiveToken(STORED, state, 59)) == {  # type: ignore[arg-type]
        "accessToken": "canary-access",
        "expiresIn": 59,
        "expiresAt": "2027-02-21T12:00:00Z",
        "versionId": "v-1",
        "state": state,
    }


@pytest.mark.parametrize("outcome", ["fresh", "refreshed", "degraded"])
def test_a_tick_is_a_report_without_any_token(outcome: str) -> None:
    answer = answer_of(TickReport(outcome, STORED))  # type: ignore[arg-type]
    assert answer == {"outcome": outcome, "versionId": "v-1", "expiresAt": "2027-02-21T12:00:00Z"}
    assert "canary" not in json.dumps(answer)


def test_a_tick_on_a_pair_of_unknown_expiry_reports_null() -> None:
    pair = TokenPair(access_token="a", refresh_token="r")
    assert answer_of(TickReport("degraded", StoredPair("v", pair)))["expiresAt"] is None


def test_the_bare_operation_answers_what_the_issuer_did_and_nothing_else() -> None:
    assert answer_of(BareToken("canary-access", 7_776_000)) == {"accessToken": "canary-access", "expiresIn": 7_776_000}


def test_no_answer_holds_a_refresh_token_or_a_client_id() -> None:
    for result in (LiveToken(STORED, "fresh", 1), TickReport("fresh", STORED), BareToken("access", 1)):
        shown = json.dumps(answer_of(result)) + repr(result)
        assert "canary-refresh" not in shown
        assert "canary-client" not in shown
        assert "canary-note" not in shown
        assert "canary" not in repr(result)
