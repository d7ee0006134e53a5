"""The secret format: what the secret may hold, how it is read, and what is written back; and an issuer's answer."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refresh_token.core.grants import GRANTS
from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.issued_token import IssuedToken, RefreshTokenOnly
from refresh_token.core.secret_format import (
    parse_app_token,
    parse_exchanged_token,
    parse_pair,
    parse_pair_or_token,
    parser_for,
)
from refresh_token.core.text import is_credential
from refresh_token.core.token_pair import TokenPair
from refresh_token.core.values import MAX_VALUES
from refresh_token.errors import (
    IssuerProtocolException,
    ReauthorizationRequiredException,
    SecretMalformedException,
    SecretNotSeededException,
)
from tests.support.canaries import assert_clean

CREATED = datetime(2026, 11, 1, 8, 0, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)
HOUR = timedelta(hours=1)
EPOCH = int(NOW.timestamp())
LATEST = CREATED + timedelta(days=400)
ACCESS, REFRESH, CLIENT = "canary-access", "canary-refresh", "canary-client"
TOKENS = {"accessToken": ACCESS, "refreshToken": REFRESH}
FIGMA = IssuedBy("figma", "api.figma.com")
ISSUED = IssuedToken(access_token="new", expires_in=60)


def pair_of(document: object) -> TokenPair:
    return parse_pair(json.dumps(document), created=CREATED)


def a_pair(**changes: object) -> TokenPair:
    facts: dict[str, object] = {"access_token": ACCESS, "refresh_token": REFRESH, **changes}
    return TokenPair(**facts)  # type: ignore[arg-type]


OURS = {"provider": "figma", "expiresAt": "2027-02-21T12:00:00Z", "refreshedAt": "2026-11-23T12:00:00Z"}
ORIGIN = {"issuedBy": {"issuer": "figma", "host": "API.figma.com", "more": 1}, "grantedAt": "2026-11-01T08:00:00Z"}
FIGMAS = {"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 7_776_000}
IN_90_DAYS: dict[str, object] = {"expires_at": CREATED + timedelta(days=90), "refreshed_at": CREATED}
# (the secret's keys, the pair's fields)
NEW_YEAR, LONG_AGO = datetime(2027, 1, 1, tzinfo=UTC), datetime.fromtimestamp(10**9 + 1, UTC)
CAPPED: dict[str, object] = {"expires_at": LATEST, "refreshed_at": CREATED, "capped": True}


SAID = {"instance_url": "https://eu9.acme.example", "realmId": 4620816365, "share": 0.5}
API = {"base": "https://eu9.acme.example/v1", "header": "X-Acme-Token", "scheme": "", "headers": {"Acme-Version": "2"}}


NOT_AN_API: dict[str, object] = {
    "text": "canary",
    "a line break": {"scheme": "canary\r\nX-Injected:"},
    "no header's name": {"header": "X Canary"},
    "a header of the library": {"headers": {"Host": "canary"}},
    "a token": {"headers": {"X-Token": ACCESS}},
    "a key of a later release": {"canary": 1},
}


def tokens(**more: object) -> dict[str, object]:
    return {**TOKENS, **more}


FORMS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "ours": (
        {**TOKENS, **OURS, "clientId": CLIENT},
        {"client_id": CLIENT, "expires_at": datetime(2027, 2, 21, 12, tzinfo=UTC), "refreshed_at": NOW},
    ),
    "with its origin": ({**TOKENS, **ORIGIN}, {"issued_by": FIGMA, "granted_at": CREATED}),
    "raw answer of ExchangeCodeForToken": (tokens(expiresIn=7_776_000), IN_90_DAYS),
    "expiresIn as text": (tokens(expiresIn="7776000"), IN_90_DAYS),
    "expires_in with a decimal point": (tokens(expires_in=7_776_000.0), IN_90_DAYS),
    "Figma's answer": ({**FIGMAS, "user_id_string": "42"}, {**IN_90_DAYS, "unknown": {"user_id_string": "42"}}),
    "tokens alone": ({**TOKENS}, {}),
    "refresh token alone": ({"refreshToken": REFRESH}, {"access_token": ""}),
    "refresh token with a life": (
        {"refresh_token": REFRESH, "access_token": None, "clientId": CLIENT, "expires_in": 60},
        {"access_token": "", "client_id": CLIENT},
    ),
    "nulls": ({**TOKENS, **dict.fromkeys(("clientId", "expiresAt", "expiresIn", "issuedBy", "grantedAt"))}, {}),
    "both spellings, equal": (tokens(access_token=ACCESS, refresh_token=REFRESH), {}),
    "expiresAt before expiresIn": (
        tokens(expiresAt="2027-01-01T00:00:00Z", expiresIn="soon"),
        {"expires_at": NEW_YEAR},
    ),
    "expiresIn from refreshedAt": (
        tokens(expiresIn=3600, refreshedAt="2026-11-23T12:00:00Z"),
        {"expires_at": NOW + timedelta(hours=1), "refreshed_at": NOW},
    ),
    "expiresIn in epoch seconds": (tokens(expiresIn=EPOCH), {"expires_at": NOW, "refreshed_at": CREATED}),
    "expiresIn too far ahead": (tokens(expiresIn=10**9), CAPPED),
    "expiresIn after the last year": (tokens(expiresIn=10**15), CAPPED),
    "expiresIn from a time far ahead": (
        tokens(expiresIn=60, refreshedAt="2999-01-01T00:00:00Z"),
        {"expires_at": LATEST, "refreshed_at": datetime(2999, 1, 1, tzinfo=UTC), "capped": True},
    ),
    "expiresAt too far ahead": (
        tokens(expiresAt=(LATEST + timedelta(seconds=1)).isoformat()),
        {"expires_at": LATEST, "capped": True},
    ),
    "expiresAt as far ahead as may be": (tokens(expiresAt=LATEST.isoformat()), {"expires_at": LATEST}),
    "expiresIn in the past": (tokens(expiresIn=10**9 + 1), {"expires_at": LONG_AGO, "refreshed_at": CREATED}),
    "with what the provider said": (
        tokens(scope="read write", values=SAID, api=API),
        {"scope": "read write", "values": SAID, "api": API},
    ),
    "with tokens in it": (
        tokens(scope=f"a {ACCESS}", values={"a": REFRESH, "b": f"?a={ACCESS}"}, api={"headers": {"X": ACCESS}}),
        {},
    ),
    **{f"an API with {kind}": (tokens(api=value), {}) for kind, value in NOT_AN_API.items()},
    "scopes in a list": (tokens(scope=["read", "write"]), {"scope": "read write"}),
    "nothing said": (tokens(scope="", values={}, api=None), {}),
    "a time with offset": (
        tokens(expiresAt="2027-01-01T10:00:00+05:30"),
        {"expires_at": NEW_YEAR + timedelta(hours=4.5)},
    ),
    "a time with fraction, without offset": (
        tokens(expiresAt="2027-01-01T10:00:00.250"),
        {"expires_at": NEW_YEAR + timedelta(hours=10, milliseconds=250)},
    ),
}

NOT_SEEDED = {
    "empty": "",
    "blank": " \n\t",
    "empty object": "{}",
    "only a provider": '{"provider": "figma"}',
    "no tokens": '{"clientId": "x", "expiresIn": 5, "note": "to be seeded"}',
    "nulls": '{"accessToken": null, "refreshToken": null}',
    "Figma's keys, null": '{"access_token": null, "refresh_token": null}',
}

NOT_TEXT: dict[str, object] = {
    "zero": 0,
    "float": 0.5,
    "true": True,
    "empty": "",
    "list": [ACCESS],
    "object": {"x": ACCESS},
    "lone surrogate": "canary-\ud800",
}
NOT_A_TOKEN: dict[str, object] = {
    "line break at the end": "canary\n",
    "line break": "canary\r\nX-Injected: 1",
    "blank at the start": " canary",
    "NUL": "canary\0",
}
NOT_A_TIME: dict[str, object] = {
    **{kind: value for kind, value in NOT_TEXT.items() if kind != "lone surrogate"},
    "words": "canary tomorrow",
    "30th of February": "2027-02-30T00:00:00Z",
    "25 o'clock": "2027-02-03T25:00:00Z",
    "before the calendar in UTC": "0001-01-01T00:00:00+23:59",
    "after the calendar in UTC": "9999-12-31T23:59:59-23:59",
    "surrogate": "\ud800",
    "epoch as text": "1795435200",
}
NOT_A_DURATION: dict[str, object] = {
    "zero": 0,
    "minus one": -1,
    "a fraction": 3600.5,
    "true": True,
    "text": "soon",
    "list": [3600],
    "object": {},
}
TEXT_KEYS = ("accessToken", "refreshToken", "clientId", "access_token")
TIME_KEYS = ("expiresAt", "refreshedAt", "refreshExpiresAt", "grantedAt")
NOT_AN_ORIGIN: dict[str, object] = {
    **NOT_TEXT,
    "text": "canary",
    "no host": {"issuer": "canary"},
    "blank issuer": {"issuer": " ", "host": "canary"},
    "host with a surrogate": {"issuer": "canary", "host": "\ud800"},
}
NOT_VALUES: dict[str, object] = {
    "text": "canary",
    "list": ["canary"],
    **{f"with {kind}": {"x": value} for kind, value in {"true": True, "object": {}, "null": None, "NUL": "\0"}.items()},
    "without a name": {"": "canary"},
    "a long text": {"x": "c" * 2049},
    "too many": dict.fromkeys(map(str, range(33)), 1),
    "a number that readers round": {"x": 2**53 + 1},
}
MALFORMED_VALUES = [
    *[("issuedBy", kind, value) for kind, value in NOT_AN_ORIGIN.items()],
    *[(key, kind, value) for key in TEXT_KEYS for kind, value in NOT_TEXT.items()],
    *[(key, kind, value) for key in TIME_KEYS for kind, value in NOT_A_TIME.items()],
    *[(key, kind, value) for key in ("expiresIn", "expires_in") for kind, value in NOT_A_DURATION.items()],
    *[("provider", kind, value) for kind, value in {**NOT_TEXT, "null": None, "other": "canary-github"}.items()],
    ("refreshToken", "null", None),
    *[(key, kind, value) for key in TEXT_KEYS for kind, value in NOT_A_TOKEN.items()],
    *[("scope", kind, value) for kind, value in {"number": 7, "list": [1]}.items()],
    *[("values", kind, value) for kind, value in NOT_VALUES.items()],
    ("accessToken", "blank inside", "canary access"),
    ("accessToken", "not ASCII", "canary-ü"),
    ("accessToken", "too long", "c" * 16_385),
]
OUR_NAMES = {"access_token": "accessToken", "refresh_token": "refreshToken", "expires_in": "expiresIn"}

NOT_AN_OBJECT = {
    "null": "null",
    "number": "5",
    "text": '"canary"',
    "list": '["canary"]',
    "a bare token": "canary-access",
    "half an object": '{"accessToken": "canary',
    "two objects": "{} {}",
    "single quotes": "{'accessToken': 'canary'}",
    "NaN": '{"accessToken": "canary", "x": NaN}',
    "Infinity": '{"accessToken": "canary", "x": -Infinity}',
    "NaN under a repeated key": '{"accessToken": "canary", "refreshToken": "b", "x": NaN, "x": 1}',
    "an infinite number": '{"accessToken": "canary", "refreshToken": "b", "x": 1e999}',
    "a number of 5000 digits": '{"accessToken": "canary", "expiresIn": ' + "9" * 5000 + "}",
    "endless lists": "[" * 100_000,
    "endless objects": '{"a":' * 100_000,
    "too deep to be written": '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
    "NUL": "\0",
    "lone surrogate": "\ud800",
}


class TestParse:
    @pytest.mark.parametrize(("document", "fields"), FORMS.values(), ids=FORMS)
    def test_form(self, document: dict[str, object], fields: dict[str, object]) -> None:
        read = pair_of(document)
        assert read == a_pair(**fields)
        assert read.expires_at is None or read.expires_at.tzinfo is UTC

    def test_a_byte_order_mark_is_skipped(self) -> None:
        assert parse_pair(f"\ufeff{json.dumps(TOKENS)}\r\n", created=CREATED) == a_pair()

    @pytest.mark.parametrize("text", NOT_SEEDED.values(), ids=NOT_SEEDED)
    def test_not_seeded(self, text: str) -> None:
        with pytest.raises(SecretNotSeededException, match="tokenctl seed"):
            parse_pair(text, created=CREATED)

    def test_revoked(self) -> None:
        with pytest.raises(ReauthorizationRequiredException, match=r"on 2026-11-02T00:00:00Z\. Sign in") as caught:
            parse_pair('{"revokedAt": "2026-11-02", "provider": "figma"}', created=CREATED)
        assert caught.value.revoked
        again = pair_of({**TOKENS, "revokedAt": "2026-11-02"})
        assert (again, again.unknown) == (a_pair(), {})

    def malformed(self, text: str) -> str:
        with pytest.raises(SecretMalformedException) as caught:
            parse_pair(text, created=CREATED)
        assert_clean(caught.value)
        return str(caught.value)

    @pytest.mark.parametrize(
        ("key", "value"),
        [(key, value) for key, _, value in MALFORMED_VALUES],
        ids=[f"{key}-{kind}" for key, kind, _ in MALFORMED_VALUES],
    )
    def test_malformed_value_is_named_not_shown(self, key: str, value: object) -> None:
        ours = OUR_NAMES.get(key, key)
        document = {**{known: text for known, text in TOKENS.items() if known != ours}, key: value}
        message = self.malformed(json.dumps(document))
        assert f"`{ours}`" in message
        assert ours != "accessToken" or "spaces or line breaks: no HTTP header can carry anything else." in message

    @pytest.mark.parametrize("more", [{"expiresAt": "2027-02-21T12:00:00Z"}, {"expiresIn": 60, "refreshToken": None}])
    def test_a_live_access_token_alone_can_be_served(self, more: dict[str, object]) -> None:
        text = json.dumps({"accessToken": ACCESS, **more})
        assert "pair: `refreshToken` is missing. Nothing" in self.malformed(text)
        pair = parse_pair_or_token(text, created=CREATED)
        assert (pair.access_token, pair.refresh_token, bool(pair.expires_at)) == (ACCESS, "", True)

    @pytest.mark.parametrize("document", [{"accessToken": ACCESS}, {**TOKENS, "refreshToken": "", "expiresIn": 60}])
    def test_other_faults_stay_malformed(self, document: dict[str, object]) -> None:
        with pytest.raises(SecretMalformedException, match=r"`refreshToken` (must be|is missing)"):
            parse_pair_or_token(json.dumps(document), created=CREATED)

    def test_an_access_token_alone_is_malformed(self) -> None:
        assert "pair: `refreshToken` is missing. Nothing" in self.malformed(json.dumps({"accessToken": ACCESS}))

    @pytest.mark.parametrize(
        "theirs", [{"access_token": "other"}, {"refresh_token": "other"}, {"expiresIn": 1, "expires_in": 2}]
    )
    def test_two_spellings_must_agree(self, theirs: dict[str, object]) -> None:
        assert "differ" in self.malformed(json.dumps({**TOKENS, **theirs}))

    @pytest.mark.parametrize("text", NOT_AN_OBJECT.values(), ids=NOT_AN_OBJECT)
    def test_not_an_object(self, text: str) -> None:
        assert "pair: it is not a JSON object. Nothing was changed." in self.malformed(text)

    def test_an_expiry_after_the_last_year_is_malformed(self) -> None:
        why = "pair: `expiresIn` must be a positive whole number and must not reach beyond the year 9999. Nothing was"
        document = {**TOKENS, "expiresIn": 7_776_000, "refreshedAt": "9999-12-31T00:00:00Z"}
        assert why in self.malformed(json.dumps(document))


UNKNOWN = {
    "note": "kept",
    "nested": {"deep": [1, 2.5, None, True, {"x": "\ud800", "": []}]},
    "ünïcödé": "✓",
    "huge": 10**400,
    "ACCESSTOKEN": "another key",
    "client_id": "named like a field of ours",
    "unknown": 1,
}


def app_token(**document: object) -> TokenPair:
    return parse_app_token(json.dumps(document), created=CREATED)


class TestAppToken:
    @pytest.mark.parametrize("text", [text for kind, text in NOT_SEEDED.items() if "provider" not in kind])
    def test_may_be_missing(self, text: str) -> None:
        pair = parse_app_token(text, created=CREATED)
        assert (pair.access_token, pair.refresh_token, pair.expires_at) == ("", "", None)

    def test_is_read_like_that_of_a_pair(self) -> None:
        keys = {"accessToken": ACCESS, "expiresIn": 60, "values": SAID, "note": "kept"}
        pair = app_token(**keys)
        both = pair_of(tokens(**keys))
        assert pair == replace(both, refresh_token="")
        assert app_token(**json.loads(pair.to_json())) == pair

    @pytest.mark.parametrize(
        "document", [tokens(), {"refreshToken": REFRESH}, {"accessToken": 7}, {"provider": "acme"}, {"expiresAt": 7}]
    )
    def test_is_no_persons_token(self, document: dict[str, object]) -> None:
        with pytest.raises(SecretMalformedException, match=r"give it `\{\}`: the next request or run") as caught:
            app_token(**document)
        assert_clean(caught.value)
        assert "authorize" not in str(caught.value)


class TestExchangedToken:
    def test_ends_its_grant(self) -> None:
        document = {"access_token": ACCESS, "expires_in": 60, "refreshExpiresAt": "2030-01-01T00:00:00Z"}
        for more in ({}, {"refreshToken": REFRESH}):
            pair = parse_exchanged_token(json.dumps({**document, **more}), created=CREATED)
            assert pair.refresh_expires_at == pair.expires_at == CREATED + timedelta(minutes=1)
            assert (pair.access_token, pair.refresh_token, dict(pair.unknown)) == (ACCESS, "", more)

    def test_must_be_there(self) -> None:
        for document, error in (({}, SecretNotSeededException), ({"refreshToken": REFRESH}, SecretMalformedException)):
            with pytest.raises(error):
                parse_exchanged_token(json.dumps(document), created=CREATED)


class TestProvider:
    def test_of_a_pair_that_does_not_say_it(self) -> None:
        pair = parse_pair(json.dumps(TOKENS), created=CREATED, provider="acme")
        assert (pair.provider, json.loads(pair.to_json())["provider"]) == ("acme", "acme")

    @pytest.mark.parametrize("grant", GRANTS)
    def test_of_another_pair_is_malformed(self, grant: str) -> None:
        for theirs, ours in (("figma", "acme"), ("acme", "figma")):
            parse = parser_for(grant, ours)
            with pytest.raises(SecretMalformedException, match=f"`provider` must be `{ours}`"):
                parse(json.dumps({"accessToken": ACCESS, "provider": theirs, "expiresIn": 60}), created=CREATED)

    @pytest.mark.parametrize("grant", GRANTS)
    def test_of_a_pair_that_has_moved(self, grant: str) -> None:
        moved = {"connection": "acme/u1", "provider": "oauth2"}
        with pytest.raises(SecretMalformedException, match="has moved to the stack's fleet") as caught:
            parser_for(grant, "acme")(json.dumps(moved), created=CREATED)
        assert caught.value.moved_to == "acme/u1"
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
        document = {**moved, "provider": "acme", "accessToken": ACCESS, "expiresIn": 60}
        assert parser_for(grant, "acme")(json.dumps(document), created=CREATED).unknown == {"connection": "acme/u1"}

    @pytest.mark.parametrize("grant", GRANTS)
    def test_of_each_grant(self, grant: str) -> None:
        document = {"accessToken": ACCESS, "expiresIn": 60}
        for refreshable in (False, True):
            parse = parser_for(grant, "acme", refreshable=refreshable)
            if grant == "refresh_token" and refreshable:
                with pytest.raises(SecretMalformedException):
                    parse(json.dumps(document), created=CREATED)
            else:
                assert parse(json.dumps(document), created=CREATED).provider == "acme"


class TestWrite:
    def test_merges_what_the_provider_said(self) -> None:
        said = {"scope": "read", "values": {"a": 1, "b": "old"}, "api": API}
        pair = pair_of(tokens(**said))
        for issued, expected in (
            (ISSUED, {**said, "api": {}}),
            (
                replace(ISSUED, scope="write", values={"b": "new"}, api={"scheme": ""}),
                {"scope": "write", "values": {"a": 1, "b": "new"}, "api": {"scheme": ""}},
            ),
            (
                replace(ISSUED, values=dict.fromkeys(map(str, range(MAX_VALUES)), 2)),
                {"scope": "read", "values": dict.fromkeys(map(str, range(MAX_VALUES)), 2), "api": {}},
            ),
        ):
            after = pair.refreshed(issued, issued_by=FIGMA, client_id=None, expires_at=NOW, now=NOW)
            written = json.loads(after.to_json())
            assert {key: written.get(key, {}) for key in said} == expected

    def test_keeps_unknown_keys_and_replaces_other_spellings(self) -> None:
        pair = pair_of({**FIGMAS, **UNKNOWN})
        assert pair.client_id is None
        in_a_minute = NOW + timedelta(minutes=1)
        refreshed = pair.refreshed(ISSUED, issued_by=FIGMA, client_id=CLIENT, expires_at=in_a_minute, now=NOW)
        assert json.loads(refreshed.to_json()) == {
            **UNKNOWN,
            "provider": "figma",
            "accessToken": "new",
            "refreshToken": REFRESH,
            "clientId": CLIENT,
            "expiresAt": "2026-11-23T12:01:00Z",
            "refreshedAt": "2026-11-23T12:00:00Z",
            "grantedAt": "2026-11-23T12:00:00Z",
            "issuedBy": {"issuer": "figma", "host": "api.figma.com"},
        }

    def test_a_refresh_takes_over_a_new_refresh_token(self) -> None:
        rotated = replace(ISSUED, refresh_token="r2")
        pair = a_pair(capped=True, granted_at=CREATED)
        pair = pair.refreshed(rotated, issued_by=FIGMA, client_id=None, expires_at=NOW, now=NOW)
        assert (pair.refresh_token, pair.capped, pair.granted_at) == ("r2", False, CREATED)

    @pytest.mark.parametrize(
        ("new", "seconds", "old", "end"),
        [
            (None, 60, TOMORROW, NOW + timedelta(minutes=1)),
            (None, None, TOMORROW, TOMORROW),
            (REFRESH, None, TOMORROW, TOMORROW),
            (REFRESH, 0, TOMORROW, TOMORROW),
            (None, None, NOW, None),
            ("r2", 60, TOMORROW, NOW + timedelta(minutes=1)),
            ("r2", None, TOMORROW, None),
        ],
    )
    def test_the_grants_end(self, new: str | None, seconds: int | None, old: datetime, end: datetime | None) -> None:
        pair = a_pair(refresh_expires_at=old)
        issued = replace(ISSUED, refresh_token=new, refresh_expires_in=seconds)
        after = [pair.refreshed(issued, issued_by=FIGMA, client_id=None, expires_at=NOW, now=NOW)]
        if new:
            error = IssuerProtocolException("odd")
            alone = RefreshTokenOnly(refresh_token=new, error=error, refresh_expires_in=seconds)
            after.append(pair.with_refresh_token(alone, issued_by=FIGMA, client_id=None, now=NOW))
        assert [each.refresh_expires_at for each in after] == [end] * len(after)
        assert {(each.issued_by, each.granted_at) for each in after} == {(FIGMA, NOW)}

    @pytest.mark.parametrize(
        ("refreshed", "since", "seconds", "expected"),
        [
            (NOW - HOUR, None, 24 * 3600, NOW - HOUR),  # the end stays where it was
            (NOW - HOUR, None, 24 * 3600 + 1700, NOW - HOUR),  # but for a rounding
            (NOW - HOUR, None, 25 * 3600, None),  # each refresh moves it
            (NOW - HOUR, None, 24 * 3600 + 1800, None),
            (NOW - HOUR, None, None, NOW - HOUR),  # nothing new was said
            (NOW - HOUR, NOW - 9 * HOUR, None, NOW - 9 * HOUR),
            (NOW - HOUR, NOW - 9 * HOUR, 24 * 3600, NOW - 9 * HOUR),
            (NOW - HOUR, NOW - 9 * HOUR, 25 * 3600, None),
            (NOW - HOUR, NOW - 9 * HOUR, 3600, None),  # another end
            (None, None, 24 * 3600, None),  # since when is not known
        ],
    )
    def test_an_end_that_stays_is_noted(
        self, refreshed: datetime | None, since: datetime | None, seconds: int | None, expected: datetime | None
    ) -> None:
        pair = a_pair(refresh_expires_at=TOMORROW, refreshed_at=refreshed, refresh_expires_since=since)
        issued = replace(ISSUED, refresh_expires_in=seconds, refresh_token="r2" if seconds else None)
        after = pair.refreshed(issued, issued_by=FIGMA, client_id=None, expires_at=NOW, now=NOW)
        assert after.refresh_expires_since == expected
        moved = None if seconds is None or expected else NOW + timedelta(seconds=seconds)
        assert after.refresh_expires_at == (moved or TOMORROW), "one that stays is exactly the same, and told once"


class TestPair:
    def test_without_an_access_token_has_no_expiry(self) -> None:
        alone = RefreshTokenOnly(refresh_token="r2", error=IssuerProtocolException("odd"))
        pair = a_pair(access_token="").with_refresh_token(alone, issued_by=FIGMA, client_id=None, now=NOW)
        assert pair.expires_at is None

    def test_with_a_dead_access_token_has_no_lifetime(self) -> None:
        alone = RefreshTokenOnly(refresh_token="r2", error=IssuerProtocolException("odd"))
        used = a_pair(refreshed_at=NOW - timedelta(minutes=5))
        pair = used.with_refresh_token(alone, issued_by=FIGMA, client_id=None, now=NOW)
        assert (pair.expires_at, pair.refreshed_at, pair.lifetime) == (NOW, NOW, None)

    def test_recognises_its_refresh_token(self) -> None:
        pair = a_pair(refresh_token="grüße-✓")
        assert pair.has_refresh_token("grüße-✓")
        assert not pair.has_refresh_token("grüße")
        assert not pair.has_refresh_token("")

    @pytest.mark.parametrize(
        ("start", "left", "life"), [(NOW, 90, 90), (None, 0, None), (NOW, None, None), (NOW, -1, None), (NOW, 0, None)]
    )
    def test_lifetime(self, start: datetime | None, left: int | None, life: int | None) -> None:
        end = None if left is None else NOW + timedelta(days=left)
        assert a_pair(refreshed_at=start, expires_at=end).lifetime == (None if life is None else timedelta(days=life))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
texts = st.text(min_size=1).filter(lambda text: text.strip() and (text.isprintable() or text.isascii()))
times = st.none() | st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 - hypothesis wants it so
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda time: time.replace(microsecond=0))
KEYS = {
    "provider",
    *("refreshExpiresAt", "refreshExpiresSince"),
    *ORIGIN,
    *("scope", "values", "api"),
    "accessToken",
    "refreshToken",
    "clientId",
    "expiresAt",
    "refreshedAt",
    "expiresIn",
    *OUR_NAMES,
}


@given(
    pair=st.builds(
        TokenPair,
        access_token=st.from_regex(r"[!-~]{1,40}", fullmatch=True),
        refresh_token=texts.filter(is_credential),
        client_id=st.none() | texts.filter(is_credential),
        expires_at=times,
        refreshed_at=times,
        refresh_expires_at=times,
        refresh_expires_since=times,
        granted_at=times,
        scope=st.none() | st.just("read write"),
        values=st.just({}) | st.just(SAID),
        api=st.just({}) | st.just(API),
        issued_by=st.none() | st.builds(IssuedBy.of, texts, texts),
        unknown=st.dictionaries(st.text().filter(lambda key: key not in KEYS), json_values, max_size=4),
    )
)
def test_a_written_pair_is_read_back(pair: TokenPair) -> None:
    believed = pair.expires_at is None or pair.expires_at <= LATEST
    expected = pair if believed else replace(pair, expires_at=LATEST, capped=True)
    assert parse_pair(pair.to_json(), created=CREATED) == expected
