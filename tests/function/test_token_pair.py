"""Contract 3: what the secret may hold, what is made of it, and what is written back."""

import json
import re
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refresh_token.errors import IssuerProtocolException, SecretMalformedException, SecretNotSeededException
from refresh_token.issued_token import MAX_TOKEN_LENGTH, IssuedToken
from refresh_token.token_pair import TokenPair, parse_pair
from refresh_token.windows import Expiry

CREATED = datetime(2026, 11, 1, 8, 0, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
ACCESS, REFRESH, CLIENT = "canary-access", "canary-refresh", "canary-client"
TOKENS = {"accessToken": ACCESS, "refreshToken": REFRESH}


def pair_of(document: object) -> TokenPair:
    return parse_pair(json.dumps(document), created=CREATED)


def a_pair(**changes: object) -> TokenPair:
    facts: dict[str, object] = {"access_token": ACCESS, "refresh_token": REFRESH, **changes}
    return TokenPair(**facts)  # type: ignore[arg-type]


FORMS: list[tuple[str, dict[str, object], TokenPair]] = [
    (
        "ours",
        {
            "provider": "figma",
            **TOKENS,
            "clientId": CLIENT,
            "expiresAt": "2027-02-21T12:00:00Z",
            "refreshedAt": "2026-11-23T12:00:00Z",
        },
        a_pair(client_id=CLIENT, expires_at=datetime(2027, 2, 21, 12, tzinfo=UTC), refreshed_at=NOW),
    ),
    (
        "the raw answer of ExchangeCodeForToken, counted from the version's creation",
        {**TOKENS, "expiresIn": 7_776_000},
        a_pair(expires_at=CREATED + timedelta(days=90), refreshed_at=CREATED),
    ),
    (
        "Figma's own answer, whose other keys are kept",
        {
            "access_token": ACCESS,
            "refresh_token": REFRESH,
            "expires_in": 7_776_000,
            "token_type": "bearer",
            "user_id_string": "42",
        },
        a_pair(
            expires_at=CREATED + timedelta(days=90),
            refreshed_at=CREATED,
            unknown={"token_type": "bearer", "user_id_string": "42"},
        ),
    ),
    ("tokens alone: no expiry is known", dict(TOKENS), a_pair()),
    ("nulls count as absent", {**TOKENS, "clientId": None, "expiresAt": None, "expiresIn": None}, a_pair()),
    ("both spellings, equal", {**TOKENS, "access_token": ACCESS, "refresh_token": REFRESH}, a_pair()),
    (
        "expiresAt wins over expiresIn",
        {**TOKENS, "expiresAt": "2027-01-01T00:00:00Z", "expiresIn": 60},
        a_pair(expires_at=datetime(2027, 1, 1, tzinfo=UTC)),
    ),
    (
        "expiresAt wins over an expiresIn that makes no sense",
        {**TOKENS, "expiresAt": "2027-01-01T00:00:00Z", "expiresIn": "soon"},
        a_pair(expires_at=datetime(2027, 1, 1, tzinfo=UTC)),
    ),
    (
        "expiresIn counts from refreshedAt where there is one",
        {**TOKENS, "expiresIn": 3600, "refreshedAt": "2026-11-23T12:00:00Z"},
        a_pair(expires_at=NOW + timedelta(hours=1), refreshed_at=NOW),
    ),
    (
        "expiresIn as epoch seconds",
        {**TOKENS, "expiresIn": int(NOW.timestamp())},
        a_pair(expires_at=NOW, refreshed_at=CREATED),
    ),
    (
        "expiresIn as epoch milliseconds",
        {**TOKENS, "expiresIn": int(NOW.timestamp()) * 1000},
        a_pair(expires_at=NOW, refreshed_at=CREATED),
    ),
    (
        "expiresIn beyond belief is capped",
        {**TOKENS, "expiresIn": 10**9},
        a_pair(expires_at=CREATED + timedelta(days=400), refreshed_at=CREATED, capped=True),
    ),
    (
        "expiresIn that counts from a moment far ahead is capped as well",
        {**TOKENS, "expiresIn": 60, "refreshedAt": "2999-01-01T00:00:00Z"},
        a_pair(expires_at=CREATED + timedelta(days=400), refreshed_at=datetime(2999, 1, 1, tzinfo=UTC), capped=True),
    ),
    (
        "expiresAt beyond belief is capped, too",
        {**TOKENS, "expiresAt": (CREATED + timedelta(days=400, seconds=1)).isoformat()},
        a_pair(expires_at=CREATED + timedelta(days=400), refreshed_at=None, capped=True),
    ),
    (
        "expiresAt at the end of what is believed",
        {**TOKENS, "expiresAt": (CREATED + timedelta(days=400)).isoformat()},
        a_pair(expires_at=CREATED + timedelta(days=400), refreshed_at=None),
    ),
    (
        "expiresIn whose end has passed: an expired pair, not a malformed one",
        {**TOKENS, "expiresIn": 10**9 + 1},
        a_pair(expires_at=datetime.fromtimestamp(10**9 + 1, UTC), refreshed_at=CREATED),
    ),
    (
        "a moment without an offset is UTC",
        {**TOKENS, "expiresAt": "2027-01-01T10:00:00"},
        a_pair(expires_at=datetime(2027, 1, 1, 10, tzinfo=UTC)),
    ),
    (
        "a moment with an offset",
        {**TOKENS, "expiresAt": "2027-01-01T10:00:00+05:30"},
        a_pair(expires_at=datetime(2027, 1, 1, 4, 30, tzinfo=UTC)),
    ),
    (
        "a moment with a fraction",
        {**TOKENS, "expiresAt": "2027-01-01T10:00:00.250Z"},
        a_pair(expires_at=datetime(2027, 1, 1, 10, 0, 0, 250_000, tzinfo=UTC)),
    ),
]


@pytest.mark.parametrize(("document", "pair"), [form[1:] for form in FORMS], ids=[form[0] for form in FORMS])
def test_a_secret_of_each_form_is_read(document: dict[str, object], pair: TokenPair) -> None:
    read = pair_of(document)
    assert read == pair
    assert read.expires_at is None or read.expires_at.tzinfo is UTC


NOT_SEEDED = {
    "empty text": "",
    "blank text": " \n\t",
    "an empty object": "{}",
    "only a provider": '{"provider": "figma"}',
    "a client id alone": '{"clientId": "x", "expiresIn": 5}',
    "tokens that are null": '{"accessToken": null, "refreshToken": null}',
    "Figma's keys, null": '{"access_token": null, "refresh_token": null}',
    "only keys that are not ours": '{"note": "to be seeded"}',
}


@pytest.mark.parametrize("text", NOT_SEEDED.values(), ids=NOT_SEEDED)
def test_a_secret_without_any_token_is_not_seeded_and_says_how_to_seed_it(text: str) -> None:
    with pytest.raises(SecretNotSeededException, match="tokenctl seed"):
        parse_pair(text, created=CREATED)


NOT_TEXT: dict[str, object] = {
    "number": 1,
    "zero": 0,
    "float": 0.5,
    "true": True,
    "false": False,
    "empty": "",
    "list": [ACCESS],
    "object": {"x": ACCESS},
    "lone surrogate": "canary-\ud800",
}
NOT_A_MOMENT: dict[str, object] = {
    **{kind: value for kind, value in NOT_TEXT.items() if kind != "lone surrogate"},
    "words": "canary tomorrow",
    "30th of February": "2027-02-30T00:00:00Z",
    "25 o'clock": "2027-02-03T25:00:00Z",
    "year 10000": "10000-01-01T00:00:00Z",
    "before the calendar in UTC": "0001-01-01T00:00:00+23:59",
    "after the calendar in UTC": "9999-12-31T23:59:59-23:59",
    "surrogate": "\ud800",
    "epoch as text": "1795435200",
}
NOT_A_DURATION: dict[str, object] = {
    "zero": 0,
    "minus one": -1,
    "float": 3600.0,
    "exponent": 1e3,
    "true": True,
    "false": False,
    "text": "3600",
    "empty": "",
    "list": [3600],
    "object": {},
}
MALFORMED_VALUES = [
    *[(key, kind, value) for key in ("accessToken", "refreshToken") for kind, value in NOT_TEXT.items()],
    *[("clientId", kind, value) for kind, value in NOT_TEXT.items()],
    *[("access_token", kind, value) for kind, value in NOT_TEXT.items()],
    *[(key, kind, value) for key in ("expiresAt", "refreshedAt") for kind, value in NOT_A_MOMENT.items()],
    *[(key, kind, value) for key in ("expiresIn", "expires_in") for kind, value in NOT_A_DURATION.items()],
    *[("provider", kind, value) for kind, value in {**NOT_TEXT, "null": None, "other": "canary-github"}.items()],
    ("accessToken", "null", None),
    ("refreshToken", "null", None),
]
OURS = {"access_token": "accessToken", "refresh_token": "refreshToken", "expires_in": "expiresIn"}


@pytest.mark.parametrize(
    ("key", "value"),
    [(key, value) for key, _, value in MALFORMED_VALUES],
    ids=[f"{key}-{kind}" for key, kind, _ in MALFORMED_VALUES],
)
def test_a_key_of_the_wrong_kind_is_malformed_and_the_message_names_it_without_its_value(
    key: str, value: object
) -> None:
    ours = OURS.get(key, key)
    document = {**{known: text for known, text in TOKENS.items() if known != ours}, key: value}
    with pytest.raises(SecretMalformedException) as caught:
        pair_of(document)
    assert f"`{ours}`" in str(caught.value)
    assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("missing", ["accessToken", "refreshToken"])
def test_half_a_pair_is_malformed(missing: str) -> None:
    with pytest.raises(SecretMalformedException, match=f"`{missing}` must be"):
        pair_of({key: value for key, value in TOKENS.items() if key != missing})


@pytest.mark.parametrize(
    "theirs", [{"access_token": "other"}, {"refresh_token": "other"}, {"expiresIn": 1, "expires_in": 2}]
)
def test_two_spellings_that_differ_are_malformed(theirs: dict[str, object]) -> None:
    with pytest.raises(SecretMalformedException, match="differ"):
        pair_of({**TOKENS, **theirs})


NOT_AN_OBJECT = {
    "null": "null",
    "number": "5",
    "text": '"canary"',
    "true": "true",
    "list": '["canary"]',
    "a bare token": "canary-access",
    "half an object": '{"accessToken": "canary',
    "two objects": "{} {}",
    "single quotes": "{'accessToken': 'canary'}",
    "NaN": '{"accessToken": "canary", "x": NaN}',
    "Infinity": '{"accessToken": "canary", "x": -Infinity}',
    "NaN under a key that is given again": '{"accessToken": "canary", "refreshToken": "b", "x": NaN, "x": 1}',
    "a number that is infinite in JSON's clothes": '{"accessToken": "canary", "refreshToken": "b", "x": 1e999}',
    "a number of 5000 digits": '{"accessToken": "canary", "expiresIn": ' + "9" * 5000 + "}",
    "lists nested without end": "[" * 100_000,
    "objects nested without end": '{"a":' * 100_000,
    "unknown keys nested beyond what can be written": '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
    "NUL": "\0",
    "lone surrogate": "\ud800",
    "byte order mark": '\ufeff{"accessToken": "canary"}',
}


@pytest.mark.parametrize("text", NOT_AN_OBJECT.values(), ids=NOT_AN_OBJECT)
def test_what_is_not_a_json_object_is_malformed(text: str) -> None:
    with pytest.raises(
        SecretMalformedException, match=re.escape("pair: it is not a JSON object. Nothing was")
    ) as caught:
        parse_pair(text, created=CREATED)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_duration_that_ends_after_the_last_year_is_malformed() -> None:
    why = "pair: `expiresIn` must be a positive whole number and must not reach beyond the year 9999. Nothing was"
    with pytest.raises(SecretMalformedException, match=re.escape(why)):
        pair_of({**TOKENS, "expiresIn": 7_776_000, "refreshedAt": "9999-12-31T00:00:00Z"})


UNKNOWN = {
    "note": "kept",
    "nested": {"deep": [1, 2.5, None, True, {"x": "\ud800", "": []}]},
    "ünïcödé": "✓",
    "huge": 10**400,
    "ACCESSTOKEN": "another key",
}


def test_a_refresh_ends_what_was_not_believed_of_the_expiry_before() -> None:
    capped = replace(pair_of(TOKENS), capped=True)
    issued = IssuedToken(access_token="new", expires_in=60)
    assert not capped.refreshed(issued, client_id=None, expires_at=NOW, now=NOW).capped


def test_unknown_keys_survive_reading_refreshing_and_writing() -> None:
    pair = pair_of({**TOKENS, **UNKNOWN})
    issued = IssuedToken(access_token="new", expires_in=60)
    refreshed = pair.refreshed(issued, client_id=None, expires_at=NOW + timedelta(minutes=1), now=NOW)
    assert json.loads(refreshed.to_json()) == {
        **UNKNOWN,
        "provider": "figma",
        "accessToken": "new",
        "refreshToken": REFRESH,
        "expiresAt": "2026-11-23T12:01:00Z",
        "refreshedAt": "2026-11-23T12:00:00Z",
    }


def test_an_unknown_key_that_is_called_like_a_field_of_ours_but_is_not_a_key_of_ours_survives() -> None:
    pair = pair_of({**TOKENS, "client_id": "theirs", "unknown": 1})
    assert json.loads(pair.to_json())["client_id"] == "theirs"
    assert json.loads(pair.to_json())["unknown"] == 1
    assert pair.client_id is None


def test_after_a_refresh_no_other_spelling_and_no_old_duration_is_left() -> None:
    pair = pair_of({"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 60})
    issued = IssuedToken(access_token="new", expires_in=60)
    written = pair.refreshed(issued, client_id=CLIENT, expires_at=NOW, now=NOW).to_json()
    assert sorted(json.loads(written)) == [
        "accessToken",
        "clientId",
        "expiresAt",
        "provider",
        "refreshToken",
        "refreshedAt",
    ]
    assert ACCESS not in written


def test_the_refresh_token_stays_unless_the_issuer_sent_another() -> None:
    kept = a_pair().refreshed(IssuedToken(access_token="a", expires_in=1), client_id=None, expires_at=NOW, now=NOW)
    rotated = a_pair().refreshed(
        IssuedToken(access_token="a", expires_in=1, refresh_token="r2"), client_id=None, expires_at=NOW, now=NOW
    )
    assert (kept.refresh_token, rotated.refresh_token) == (REFRESH, "r2")


def test_what_is_not_known_is_not_written() -> None:
    assert json.loads(a_pair().to_json()) == {"provider": "figma", **TOKENS}


def test_the_stored_refresh_token_is_recognised_and_no_other() -> None:
    pair = a_pair(refresh_token="grüße-✓")
    assert pair.has_refresh_token("grüße-✓")
    assert not pair.has_refresh_token("grüße")
    assert not pair.has_refresh_token("")


LIFETIMES = [
    ("both ends known", NOW, NOW + timedelta(days=90), timedelta(days=90)),
    ("no start", None, NOW, None),
    ("no end", NOW, None, None),
    ("the end before the start", NOW, NOW - timedelta(seconds=1), None),
    ("no time between", NOW, NOW, None),
]


@pytest.mark.parametrize(
    ("start", "end", "life"), [case[1:] for case in LIFETIMES], ids=[case[0] for case in LIFETIMES]
)
def test_the_lifetime_is_known_where_both_ends_are(
    start: datetime | None, end: datetime | None, life: timedelta | None
) -> None:
    assert a_pair(refreshed_at=start, expires_at=end).lifetime == life


def test_no_repr_shows_a_token_a_client_id_or_an_unknown_value() -> None:
    pair = a_pair(client_id=CLIENT, expires_at=NOW, unknown={"note": "canary-note"})
    issued = IssuedToken(access_token=ACCESS, expires_in=1, refresh_token=REFRESH)
    for shown in (repr(pair), str(pair), f"{pair}", repr(issued), str(issued), repr({"pair": [pair, issued]})):
        assert "canary" not in shown
    assert "2026" in repr(pair), "the rest is worth showing"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
texts = st.text(min_size=1).filter(lambda text: text.strip() and (text.isprintable() or text.isascii()))
moments = st.none() | st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 - hypothesis wants it so
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(microsecond=0))
READ_KEYS = {"provider", "accessToken", "refreshToken", "clientId", "expiresAt", "refreshedAt", "expiresIn", *OURS}


@given(
    pair=st.builds(
        TokenPair,
        access_token=texts,
        refresh_token=texts,
        client_id=st.none() | texts,
        expires_at=moments,
        refreshed_at=moments,
        unknown=st.dictionaries(st.text().filter(lambda key: key not in READ_KEYS), json_values, max_size=4),
    )
)
def test_what_is_written_is_read_again_as_the_same_pair(pair: TokenPair) -> None:
    believed = pair.expires_at is None or pair.expires_at <= CREATED + timedelta(days=400)
    capped = replace(pair, expires_at=CREATED + timedelta(days=400), capped=True)
    assert parse_pair(pair.to_json(), created=CREATED) == (pair if believed else capped)


keys = st.sampled_from(sorted(READ_KEYS)) | st.text(max_size=5)
anything = (
    json_values
    | st.just("figma")
    | st.integers(min_value=1, max_value=10**13)
    | st.datetimes().map(datetime.isoformat)
    | st.floats()
)


@given(text=st.text() | st.dictionaries(keys, anything, max_size=8).map(json.dumps) | anything.map(json.dumps))
def test_any_content_is_a_pair_not_seeded_or_malformed_and_a_pair_can_be_written_back(text: str) -> None:
    try:
        pair = parse_pair(text, created=CREATED)
    except (SecretNotSeededException, SecretMalformedException):
        return
    written = json.loads(pair.to_json(), parse_constant=pytest.fail)
    assert (written["accessToken"], written["refreshToken"]) == (pair.access_token, pair.refresh_token)


PLAIN = IssuedToken(access_token=ACCESS, expires_in=60)
GOOD_ANSWERS: list[tuple[str, tuple[object, ...], IssuedToken]] = [
    ("as modelled", (ACCESS, 60), IssuedToken(access_token=ACCESS, expires_in=60)),
    ("with null for a refresh token", (ACCESS, 60, None), IssuedToken(access_token=ACCESS, expires_in=60)),
    (
        "with a refresh token",
        (ACCESS, 60, REFRESH),
        IssuedToken(access_token=ACCESS, expires_in=60, refresh_token=REFRESH),
    ),
    *[
        (f"with a refresh token that is no text: {kind}", (ACCESS, 60, value), PLAIN)
        for kind, value in NOT_TEXT.items()
    ],
]


@pytest.mark.parametrize(("answer", "issued"), [case[1:] for case in GOOD_ANSWERS], ids=[c[0] for c in GOOD_ANSWERS])
def test_an_answer_of_the_right_types_is_taken(answer: tuple[object, ...], issued: IssuedToken) -> None:
    assert IssuedToken.from_answer(*answer) == issued


BAD_ANSWERS: list[tuple[str, tuple[object, ...], str]] = [
    *[(f"access token {kind}", (value, 60), "it holds no access token") for kind, value in NOT_TEXT.items()],
    ("access token null", (None, 60), "it holds no access token"),
    ("access token without an end", ("x" * (MAX_TOKEN_LENGTH + 1), 60), "its access token is too long"),
    ("access token too long in JSON", ("é" * (MAX_TOKEN_LENGTH // 6 + 1), 60), "its access token is too long"),
    *[
        (f"expiry {kind}", (ACCESS, value), "its expiry is not a whole number")
        for kind, value in {**NOT_A_DURATION, "null": None}.items()
        if kind not in ("zero", "minus one")
    ],
]


@pytest.mark.parametrize(("answer", "why"), [case[1:] for case in BAD_ANSWERS], ids=[case[0] for case in BAD_ANSWERS])
def test_an_answer_of_the_wrong_types_makes_no_sense(answer: tuple[object, ...], why: str) -> None:
    with pytest.raises(IssuerProtocolException) as caught:
        IssuedToken.from_answer(*answer)
    assert str(caught.value) == nonsense(why)


def nonsense(why: str) -> str:
    return (
        f"The issuer's answer makes no sense: {why}. Nothing was stored, but the previous token may be dead. Ask "
        "again; if this persists, the issuer has changed: look for a newer version of this stack."
    )


def test_the_longest_tokens_are_taken_and_a_longer_refresh_token_counts_as_none() -> None:
    longest = "x" * MAX_TOKEN_LENGTH
    issued = IssuedToken(access_token=longest, expires_in=60, refresh_token=longest)
    assert IssuedToken.from_answer(longest, 60, longest) == issued
    assert IssuedToken.from_answer(longest, 60, longest + "x") == replace(issued, refresh_token=None)


def issued_for(expires_in: int) -> IssuedToken:
    return IssuedToken(access_token=ACCESS, expires_in=expires_in)


def test_an_issued_token_knows_when_it_expires() -> None:
    assert issued_for(60).expiry(now=NOW) == Expiry(NOW + timedelta(minutes=1))
    assert issued_for(int(NOW.timestamp()) + 60).expiry(now=NOW) == Expiry(NOW + timedelta(minutes=1))
    assert issued_for(10**9).expiry(now=NOW) == Expiry(NOW + timedelta(days=400), capped=True)


@pytest.mark.parametrize(
    ("expires_in", "why"),
    [
        (0, "its expiry is not positive"),
        (-1, "its expiry is not positive"),
        (10**9 + 1, "its token has already expired"),
        (int(NOW.timestamp()), "its token has already expired"),
        (int(NOW.timestamp()) * 1000, "its token has already expired"),
    ],
)
def test_an_issued_token_that_is_already_past_makes_no_sense(expires_in: int, why: str) -> None:
    with pytest.raises(IssuerProtocolException) as caught:
        issued_for(expires_in).expiry(now=NOW)
    assert str(caught.value) == nonsense(why)
    assert caught.value.__context__ is None
