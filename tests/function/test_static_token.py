"""A token that a person renews: what the secret must hold, and the use cases."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from refresh_token import errors
from refresh_token.core.secret_format import parse_static_token
from refresh_token.core.static_token import StaticToken
from refresh_token.core.token_pair import TokenPair
from refresh_token.core.windows import iso_utc
from tests.support.canaries import assert_clean
from tests.support.faked_core import World
from tests.support.fakes import NOW
from tests.support.windows import LEFT

ENDS = NOW + timedelta(days=1000)
TOKEN = {"accessToken": "canary-access", "expiresAt": iso_utc(ENDS)}
NO_END = "pair: `expiresAt` must say when the token ends, or when you want to be reminded of it. Nothing was"
DEAD = errors.ReauthorizationRequiredException


def parse(document: object) -> TokenPair:
    return parse_static_token(json.dumps(document), created=NOW)


class TestParse:
    @pytest.mark.parametrize(
        "document",
        [
            TOKEN,
            {"access_token": "canary-access", "expires_in": 1000 * 86_400},
            {**TOKEN, "refreshToken": None, "note": "kept"},
            {**TOKEN, "refreshToken": "canary\nnot used"},
        ],
    )
    def test_a_token_with_its_end(self, document: dict[str, object]) -> None:
        pair = parse(document)
        assert pair.refreshed_at == (NOW if "expires_in" in document else None)
        assert (pair.access_token, pair.refresh_token, pair.expires_at, pair.capped) == (
            "canary-access",
            "",
            ENDS,
            False,
        )
        kept = {key: value for key, value in document.items() if key in {"refreshToken", "note"}}
        assert json.loads(pair.to_json()).items() >= kept.items(), "what is not used is kept"
        assert parse(json.loads(pair.to_json())) == pair

    @pytest.mark.parametrize(
        ("document", "why", "error"),
        [
            ({"accessToken": "canary-access"}, NO_END, errors.SecretMalformedException),
            ({**TOKEN, "accessToken": "canary access"}, "`accessToken` must be", errors.SecretMalformedException),
            (
                {**TOKEN, "accessToken": None, "refreshToken": "canary"},
                "pair: `accessToken` is missing. N",
                errors.SecretMalformedException,
            ),
            ({**TOKEN, "expiresAt": "canary"}, "`expiresAt` must be", errors.SecretMalformedException),
            ({"expiresAt": iso_utc(ENDS)}, "no token pair yet", errors.SecretNotSeededException),
        ],
    )
    def test_others_are_named(
        self, document: dict[str, object], why: str, error: type[errors.RefreshTokenError]
    ) -> None:
        with pytest.raises(error, match=why) as caught:
            parse(document)
        assert_clean(caught.value)


USES: dict[str, Callable[[StaticToken], Any]] = {
    "ask": lambda token: token.live_token(),
    "report old": lambda token: token.report_failure("V0"),
    "report current": lambda token: token.report_failure("V1"),
    "tick": lambda token: token.tick(),
    "force": lambda token: token.force(),
    "exchange": lambda token: token.exchange("refresh", None),
}


class StaticWorld(World):
    """A token in a window; whoever makes an issuer fails."""

    def __init__(self, window: str = "fresh") -> None:
        super().__init__(policy="auto", static=True)
        self.make_issuer = lambda: pytest.fail("no issuer")
        self.seeded(window, access_token="access-1")
        self.token = StaticToken(connection=self.connection, clock=self.clock, telemetry=self.telemetry)

    def use(self, use: str) -> Any:
        return USES[use](self.token)

    def counted(self) -> int:
        return len(self.telemetry.facts("refresh_failed", "first"))


# A use, the token's window, and the state or outcome
ANSWERS = [
    *(("tick", window, "fresh") for window in ("fresh", "advisory", "mandatory")),
    *((use, "fresh", "fresh") for use in ("ask", "report old")),
    *((use, window, "due") for use in ("ask", "report old") for window in ("advisory", "mandatory")),
]
ROTATE = "Create a new token at the provider and run `tokenctl rotate --stage <stage>`."
ENDED = f"The stored token ended at 2026-11-23T11:59:59Z. {ROTATE}"
REJECTED = f"The provider rejects the stored token before its end: it was revoked, or lacks a permission. {ROTATE}"
FORCED = f"`force` cannot refresh this token: a person renews it (`issuer=static`). {ROTATE}"
EXCHANGED = (
    "`refreshTokenBody` cannot be used here: this stack refreshes no tokens, because a person renews its token "
    "(`issuer=static`). Leave it out to get the token."
)

# A use, the token's window, the error, its message, and how often it is counted
ERRORS = [
    *((use, "expired", DEAD, ENDED, 0) for use in ("ask", "report old")),
    ("tick", "expired", DEAD, ENDED, 1),
    *(("report current", window, DEAD, REJECTED, 1) for window in ("fresh", "mandatory")),
    ("report current", "expired", DEAD, ENDED, 1),
    ("force", "fresh", errors.InvalidParameterException, FORCED, 0),
    ("exchange", "fresh", errors.InvalidParameterException, EXCHANGED, 0),
]


class TestUses:
    @pytest.mark.parametrize(("use", "window", "expected"), ANSWERS)
    def test_answer(self, use: str, window: str, expected: str) -> None:
        world = StaticWorld(window)
        answer = world.use(use)
        assert expected == (answer.outcome if use == "tick" else answer.state)
        assert answer.stored == world.store.read()
        assert world.counted() == 0

    @pytest.mark.parametrize(("use", "window", "error", "why", "counted"), ERRORS)
    def test_error(self, use: str, window: str, error: type[errors.RefreshTokenError], why: str, counted: int) -> None:
        world = StaticWorld(window)
        with pytest.raises(error) as caught:
            world.use(use)
        assert str(caught.value) == why
        failed = {"reason": DEAD.__name__, "version_id": "V1", "first": True}
        assert [facts for name, facts in world.telemetry.reports if name == "refresh_failed"] == [failed] * counted

    @pytest.mark.parametrize("left", [0.0, 0.5])
    def test_it_ends_at_its_end(self, left: float) -> None:
        world = StaticWorld()
        world.store.put("V1b", TokenPair(access_token="a", refresh_token="r", expires_at=NOW))
        world.clock.time = NOW - timedelta(seconds=left)
        with pytest.raises(DEAD, match="before its end" if left else "ended at"):
            world.token.report_failure("V1b")
        for use in ("ask", "tick"):
            if left:
                world.use(use)
            else:
                with pytest.raises(DEAD):
                    world.use(use)
        assert world.telemetry.facts("token_age", "overdue") == [not left]
        assert world.telemetry.facts("grant_state", "needs_sign_in") == [True], "it was reported, or has ended"
        assert world.telemetry.facts("grant_state", "pair_not_stored") == [False]

    def test_a_lock_that_fails_changes_no_answer(self) -> None:
        world = StaticWorld()
        world.lock.fault = errors.IssuerUnavailableException("lock down")
        assert world.use("tick").outcome == "fresh"
        assert "grant_state" not in world.telemetry.names(), "nobody knows whether it was reported"
        with pytest.raises(DEAD, match="before its end"):
            world.use("report current")
        assert {"lock_not_read", "lock_not_closed"} <= {*world.telemetry.names()}

    def test_windows_scale_to_a_short_life(self) -> None:
        world, ends = StaticWorld(), NOW + timedelta(days=4)
        world.store.put("V2", TokenPair(access_token="a", refresh_token="r", refreshed_at=NOW, expires_at=ends))
        answer = world.token.live_token()
        assert (answer.state, answer.expires_in) == ("fresh", 4 * 86_400)

    @pytest.mark.parametrize("window", ["mandatory", "expired"])
    def test_a_tick_measures_the_token(self, window: str) -> None:
        world, left = StaticWorld(window), LEFT[window]
        assert left is not None
        try:
            world.token.tick()
        except DEAD:
            assert window == "expired"
        facts = {"version_id": "V1", "seconds_left": left.total_seconds(), "overdue": window == "expired"}
        assert world.telemetry.reports[0] == ("token_age", facts)

    @pytest.mark.parametrize("text", ["", "no JSON", '{"revokedAt": "2026-11-01"}'])
    @pytest.mark.parametrize("use", ["ask", "report current", "tick"])
    def test_an_unusable_secret_names_the_command(self, use: str, text: str) -> None:
        world = StaticWorld()
        world.store.put_text("V2", text)
        with pytest.raises(
            (
                errors.SecretNotSeededException,
                errors.SecretMalformedException,
                errors.ReauthorizationRequiredException,
            ),
            match="tokenctl rotate --stage",
        ) as caught:
            world.use(use)
        assert "seed" not in str(caught.value)
