"""An issuer's answer: what of it is used, and what counts as not said."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from refresh_token.core.issued_token import IssuedToken, RefreshTokenOnly, read_issued
from refresh_token.core.text import MAX_ACCESS_TOKEN_LENGTH, is_access_token, is_credential
from refresh_token.core.windows import Expiry
from refresh_token.errors import IssuerProtocolException, IssuerUnavailableException
from tests.support.canaries import assert_clean

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())
ACCESS, REFRESH = "canary-access", "canary-refresh"
LONGEST = "x" * MAX_ACCESS_TOKEN_LENGTH
NO_TEXT: tuple[object, ...] = (None, "", " ", "\n", 7, True, ["x"], {"x": 1}, "\ud800")
IN_A_MINUTE = Expiry(NOW + timedelta(minutes=1))
GUESS = Expiry(NOW + timedelta(seconds=600), said=False)
# what the issuer sends, the expiry that it means, whether that is noted as odd
EXPIRIES: list[tuple[object, Expiry, object]] = [
    *[(sent, IN_A_MINUTE, False) for sent in (60, 60.0, "60", "0060")],
    *[(sent, IN_A_MINUTE, False) for sent in (EPOCH + 60, f"{EPOCH + 60}", (EPOCH + 60) * 1000)],
    (10**9, Expiry(NOW + timedelta(days=400), capped=True), False),
    (None, GUESS, False),
    *[(sent, GUESS, True) for sent in (0, -1, 0.5, 10**30, float("nan"), float("inf"), 1e300, True)],
    *[(sent, GUESS, True) for sent in ("0", "-1", "", " 60", "60s", "1e3", "\u0663", "9" * 5000)],
    ([60], GUESS, True),
    *[(sent, GUESS, False) for sent in (10**9 + 1, EPOCH, EPOCH * 1000)],
]


class TestExpiry:
    @pytest.mark.parametrize(("sent", "expiry", "odd"), EXPIRIES, ids=[repr(sent)[:30] for sent, *_ in EXPIRIES])
    def test_what_is_not_said_is_guessed(self, sent: object, expiry: Expiry, odd: object) -> None:
        issued = read_issued(ACCESS, sent, default_lifetime=600)
        assert isinstance(issued, IssuedToken)
        assert issued.expiry(now=NOW) == expiry
        assert issued.odd == (("expires_in",) if odd else ())

    @pytest.mark.parametrize(
        ("sent", "expected"),
        [
            *[(sent, NOW + timedelta(days=1000)) for sent in (86_400_000, "86400000", 86_400_000.0)],
            *[(sent, None) for sent in (0, -1, "soon", None, EPOCH - 1, EPOCH, 10**15)],
        ],
    )
    def test_the_refresh_token_has_its_own(self, sent: object, expected: datetime | None) -> None:
        for access in (ACCESS, None):
            issued = read_issued(access, 60, "new", refresh_expires_in=sent)
            assert issued.refresh_expires_at(now=NOW) == expected


USABLE = ("x", "canary-access", LONGEST, "".join(map(chr, range(0x21, 0x7F))))
UNUSABLE: dict[str, str] = {
    LONGEST + "x": "its access token is too long",
    **dict.fromkeys(("canary\n", " canary", "can ary", "canary\x00", "can\r\nary", "canäry"), "no HTTP header can"),
}


class TestTokens:
    def test_an_access_token_fits_a_header(self) -> None:
        assert [value for value in USABLE if not is_access_token(value)] == []
        assert [value for value in (*NO_TEXT, *UNUSABLE) if is_access_token(value)] == []

    def test_a_refresh_token_fits_a_form(self) -> None:
        usable = (*USABLE, "ref resh", "réfresh", "x" * 100_000)
        assert [value for value in usable if not is_credential(value)] == []
        unusable = (*NO_TEXT, " x", "x ", "x\n", "x\ty", "x\x00y", "x\x7f", "x\x85y", "\u00a0x", "x\u200b", "\ufeffx")
        assert [value for value in unusable if is_credential(value)] == []

    @pytest.mark.parametrize("sent", [value for value in NO_TEXT if value not in (None, "")] + ["x\x00y"])
    def test_an_unusable_refresh_token_is_noted(self, sent: object) -> None:
        assert read_issued(ACCESS, 60, sent) == IssuedToken(access_token=ACCESS, expires_in=60, odd=("refresh_token",))

    @pytest.mark.parametrize("sent", [None, ""])
    def test_no_refresh_token_is_nothing_odd(self, sent: object) -> None:
        assert read_issued(ACCESS, 60, sent) == IssuedToken(access_token=ACCESS, expires_in=60)

    def test_white_space_around_refresh_tokens_goes(self) -> None:
        issued = IssuedToken(access_token=ACCESS, expires_in=60, refresh_token="new", odd=("refresh_token",))
        assert read_issued(ACCESS, 60, " new\n") == issued

    @pytest.mark.parametrize("refresh", ["new", LONGEST * 5])
    def test_usable_ones_are_taken(self, refresh: str) -> None:
        issued = IssuedToken(access_token=LONGEST, expires_in=60, refresh_token=refresh)
        assert read_issued(LONGEST, 60, refresh) == issued


HIDDEN = (ACCESS, "new-canary", "sent-canary", "app-canary")
NO_VALUES: tuple[object, ...] = ({"x": [1]}, {"x": {}}, {"x": None}, {"x": True}, {"x": "a\nb"}, {7: "x"}, [1], 7, None)


class TestWhatElseIsSaid:
    def read(self, **said: object) -> IssuedToken:
        issued = read_issued(ACCESS, 60, HIDDEN[1], sent=HIDDEN[2], secrets=HIDDEN[3:], **said)  # type: ignore[arg-type]
        assert isinstance(issued, IssuedToken)
        return issued

    def test_is_taken(self) -> None:
        values, api = (
            {"instance_url": "https://x", "realm": 7},
            {"header": "X-Acme", "scheme": "", "headers": {"V": "2"}},
        )
        issued = self.read(scope=["read", "write"], values=values, api=api)
        assert (issued.scope, issued.values, issued.api) == ("read write", values, api)
        assert "https://x" not in repr(issued)

    @pytest.mark.parametrize("secret", HIDDEN)
    def test_without_what_holds_a_secret(self, secret: str) -> None:
        url = f"https://x/?t={secret}"
        api = {"base": url, "headers": {"V": url, "W": "2"}}
        issued = self.read(scope=f"read {secret}", values={"a": secret, "b": url, "c": "kept"}, api=api)
        assert (issued.scope, issued.values, issued.api) == (None, {"c": "kept"}, {"headers": {"W": "2"}})

    @pytest.mark.parametrize("said", NO_VALUES, ids=repr)
    def test_without_what_is_no_value(self, said: object) -> None:
        issued = self.read(scope=said, values=said, api=said)
        assert (issued.values, issued.api, issued.access_token) == ({}, {}, ACCESS)


NONSENSE = [*((value, "it holds no access token") for value in NO_TEXT[:-1]), *UNUSABLE.items()]


class TestNoAccessToken:
    @pytest.mark.parametrize(("access_token", "why"), NONSENSE, ids=[repr(value)[:30] for value, _ in NONSENSE])
    def test_is_an_error_without_its_values(self, access_token: object, why: str) -> None:
        with pytest.raises(IssuerProtocolException, match=re.escape(why)) as caught:
            read_issued(access_token, 60, REFRESH, sent=REFRESH)
        assert "Nothing was stored" in str(caught.value)
        assert_clean(caught.value)

    @pytest.mark.parametrize(("access_token", "why"), NONSENSE, ids=[repr(value)[:30] for value, _ in NONSENSE])
    def test_may_hold_a_new_refresh_token(self, access_token: object, why: str) -> None:
        issued = read_issued(access_token, 60, "canary-new", sent=REFRESH)
        assert isinstance(issued, RefreshTokenOnly)
        assert issued.refresh_token == "canary-new"
        assert why in str(issued.error)
        assert_clean(issued.error)
        assert "canary" not in repr(issued)

    def test_means_the_refusal_if_it_is_one(self) -> None:
        refusal = IssuerUnavailableException("later")
        assert read_issued(None, None, "new", refusal=refusal) == RefreshTokenOnly(refresh_token="new", error=refusal)
        with pytest.raises(IssuerUnavailableException):
            read_issued(None, None, None, refusal=refusal)
