"""What an item says, and how a pair is written into one: nothing is lost, and no refresh token shows."""

import json
from datetime import timedelta
from typing import Any

import pytest

from refresh_token.core.claims import Failure
from refresh_token.core.failure_record import UNREADABLE, to_data
from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.secret_format import parser_for
from refresh_token.core.token_pair import TokenPair
from refresh_token.fleet.attributes import decode, decode_item, encode
from refresh_token.fleet.record import Record, read_record
from refresh_token.fleet.states import State
from refresh_token.fleet.successor import StoredTokens, Successor, fits, new_item
from refresh_token.fleet.table import MAX_BYTES
from tests.support.fakes import NOW
from tests.support.fleet import DUE, HIDDEN, NAME, pair_of, successor

WHOLE = pair_of(
    client_id="client",
    refresh_expires_at=NOW + timedelta(days=100),
    granted_at=NOW - timedelta(days=5),
    provider="xero",
    scope="a b",
    values={"instance_url": "https://acme.example", "realmId": 7, "share": 0.25},
    api={"base": "https://api.example", "headers": {"X-Tenant": "t"}},
    issued_by=IssuedBy("xero", "identity.example"),
    unknown={"note": ["kept", {"deep": [None, True, 1e300]}], "state": "no attribute of ours", "": "nameless"},
)


def written(pair: TokenPair, **more: Any) -> Record:
    return read_record(new_item(NAME, successor(pair), due_at=DUE, **more))


@pytest.mark.parametrize("pair", [WHOLE, pair_of(), pair_of(expires_at=None, refreshed_at=None)])
def test_a_pair_is_read_as_written(pair: TokenPair) -> None:
    record = written(pair)
    text = record.document(pair.access_token, pair.refresh_token)
    assert parser_for("refresh_token", pair.provider)(text, created=NOW) == pair
    assert (record.expires_at, record.refreshed_at) == (pair.expires_at, pair.refreshed_at)


@pytest.mark.parametrize("unknown", [{}, {"refreshToken": "refresh-0"}])
def test_no_refresh_token_shows(unknown: dict[str, object]) -> None:
    pair = pair_of(unknown=unknown)
    assert "refresh-0" in pair.to_json()
    assert "refresh-0" not in repr(new_item(NAME, successor(pair), due_at=DUE))


def test_sealed_access_tokens_do_not_show() -> None:
    sealed = Successor(pair_of(), StoredTokens((b"a", b"b"), (HIDDEN,)), "V1", NOW)
    item = new_item(NAME, sealed, due_at=DUE)
    assert "access-0" not in repr(item)
    assert read_record(item).access == (b"a", b"b")


def test_a_repr_shows_neither_tokens_nor_params() -> None:
    shown = repr((written(WHOLE, params={"subdomain": "canary"}), successor(WHOLE)))
    assert [each for each in ("canary", "access-0", HIDDEN.decode(), "acme.example") if each in shown] == []


def test_choices_of_a_connection_are_kept() -> None:
    record = written(pair_of(), policy="demand", params={"subdomain": "acme"})
    assert (record.policy, record.params) == ("demand", {"subdomain": "acme"})


DAMAGED: dict[str, tuple[dict[str, Any], dict[str, object]]] = {
    "no state": ({"state": {"N": "7"}}, {"state": State.MALFORMED}),
    "a state of another release": ({"state": {"S": "resting"}}, {"state": State.MALFORMED}),
    "times": ({"storedAt": {"S": "soon"}, "expiresAt": {"N": "7"}}, {"stored_at": None, "expires_at": None}),
    "numbers": (
        {"claimUntil": {"S": "x"}, "openClaims": {"BOOL": True}, "dueAt": {"S": "x"}},
        {"claim_until": None, "open_claims": 0, "due_at": None},
    ),
    "a time at the end of all times": ({"storedAt": {"S": "9999-12-31T23:59:59Z"}}, {"stored_at": None}),
    "tokens": ({"accessToken": {"N": "7"}, "refreshToken": {"S": "clear"}}, {"access": None, "refresh": None}),
    "a failure": ({"failure": {"M": {"retryAt": {"S": "soon"}}}}, {"failure": UNREADABLE}),
    "no failure at all": ({"failure": {"L": []}}, {"failure": UNREADABLE}),
    "params": ({"params": {"M": {"a": {"N": "1"}, "b": {"S": "c"}}}}, {"params": {"b": "c"}}),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_attribute_counts_as_missing(what: str) -> None:
    attributes, expected = DAMAGED[what]
    record = read_record({**new_item(NAME, successor(pair_of()), due_at=DUE), **attributes})
    assert {name: getattr(record, name) for name in expected} == expected


def test_a_damaged_unknown_is_left_out() -> None:
    for text in ("no json", "[7]"):
        item = {**new_item(NAME, successor(pair_of()), due_at=DUE), "unknown": {"S": text}}
        assert json.loads(read_record(item).document("a", "r"))["accessToken"] == "a"


def test_an_empty_item_is_malformed() -> None:
    assert read_record({"pk": {"S": NAME}}) == Record(name=NAME, provider="", state=State.MALFORMED, has_version=False)


def test_a_failure_is_read_as_written() -> None:
    failure = Failure("X", NOW + timedelta(microseconds=1), refused=True, lost=True, count=2, since=NOW)
    assert read_record({"failure": encode(to_data(failure))}).failure == failure


@pytest.mark.parametrize(
    "value", [None, True, 0, -7, 10**37, 1.5, 2**53, 1e-130, 9.99e125, "", "text", b"x", {"a": [1, {"b": None}]}, []]
)
def test_a_value_keeps_its_form(value: object) -> None:
    assert decode(encode(value)) == value


@pytest.mark.parametrize("number", [10**38, -(10**38), 1e126, 1e-131, -1e300, float("inf"), float("nan")])
def test_a_number_too_large_becomes_text(number: float) -> None:
    assert encode(number) == {"S": repr(number)}


def test_sets_of_other_tools_are_read() -> None:
    assert decode_item({"a": {"SS": ["x"]}, "b": {"BS": [b"x"]}}) == {"a": ["x"], "b": [b"x"]}


def test_only_what_json_has_is_written() -> None:
    with pytest.raises(TypeError, match="object"):
        encode(object())


@pytest.mark.parametrize(("length", "room"), [(MAX_BYTES - 1000, True), (MAX_BYTES, False)])
def test_an_item_has_a_limit(length: int, room: bool) -> None:  # noqa: FBT001 - a column of the table
    assert fits(pair_of(refresh_token="x" * length)) is room
