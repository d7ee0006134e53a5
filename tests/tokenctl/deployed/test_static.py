"""A stack whose token a person renews (issuer=static): rotate, and what the other commands make of it."""

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from refresh_token.core.windows import iso_utc
from tests.support.bare_stack import Stack
from tests.support.command_line import Tokenctl, on_terminal

pytestmark = pytest.mark.xdist_group("deployed")

OLD, NEW = "canary-old-token-of-a-person", "canary-new-token-of-a-person"
OWNER = {"issuedBy": {"issuer": "figma", "host": "api.figma.com"}}
ELSEWHERE = {"issuedBy": {"issuer": "figma", "host": "elsewhere.example"}}
IN_A_YEAR = ("--expires-in-days", "365")


def ends_in(days: int) -> str:
    return iso_utc(datetime.now(UTC) + timedelta(days=days))


@pytest.fixture
def static(bare: Stack) -> Stack:
    bare.set_environment(ISSUER="static")
    bare.put({"accessToken": OLD, "expiresAt": ends_in(20), "refreshToken": "canary-kept", "note": "kept", **OWNER})
    return bare


class TestRotate:
    @pytest.mark.parametrize("form", ["text", "JSON", "JSON string", "file"])
    def test_stores_the_next_token(self, static: Stack, tokenctl: Tokenctl, tmp_path: Path, form: str) -> None:
        document = {"accessToken": NEW, "expiresAt": ends_in(10), "refreshToken": "canary-other", **ELSEWHERE}
        texts = {"JSON": json.dumps(document), "JSON string": json.dumps(NEW)}
        text = texts.get(form, f"{NEW}\n")
        (tmp_path / "token").write_text(text)
        words = ("--from", str(tmp_path / "token")) if form == "file" else ()
        done = tokenctl("rotate", "--stage", static.stage, *words, *IN_A_YEAR, stdin=text)
        assert done.code == 0, done.err
        assert "canary" not in done.out + done.err
        assert ("still holds the token: delete it." in done.err) is (form == "file")
        held: Any = static.stored()
        assert (held["accessToken"], held["note"], held["refreshToken"]) == (NEW, "kept", "canary-kept")
        assert {"issuedBy": held["issuedBy"]} == OWNER, "the refresh token would go anywhere"
        assert held["expiresAt"][:10] == ends_in(365)[:10]
        assert held["refreshedAt"][:10] == ends_in(0)[:10]
        assert "in 365 days" in done.out

    def test_hides_what_is_typed(self, static: Stack, terminal_env: dict[str, str]) -> None:
        dialogue = [("New access token:", f" {NEW} "), ("date and time:", "2030-01-01")]
        done = on_terminal(terminal_env, "rotate", "--stage", static.stage, dialogue=dialogue)
        assert done.code == 0, done.out
        held: Any = static.stored()
        assert (held["accessToken"], held["expiresAt"]) == (NEW, "2030-01-01")
        assert "canary" not in done.out

    def test_answers_with_what_it_stored(self, static: Stack, tokenctl: Tokenctl) -> None:
        done = tokenctl("rotate", "--stage", static.stage, *IN_A_YEAR, "--output", "json", stdin=NEW)
        held: Any = static.stored()
        assert (done.json["refreshedAt"], done.json["expiresAt"]) == (held["refreshedAt"], held["expiresAt"])

    def test_is_ended_with_the_echo_back(self, static: Stack, terminal_env: dict[str, str]) -> None:
        ended = [("New access token:", signal.SIGTERM)]
        assert on_terminal(terminal_env, "rotate", "--stage", static.stage, dialogue=ended).code == 130

    @pytest.mark.parametrize(
        ("words", "text", "message"),
        [
            ((), NEW, "Say when the token ends: give --expires-at or --expires-in-days."),
            (("--expires-at", "tomorrow"), NEW, "--expires-at must be an ISO 8601 date, such as 2027-03-31"),
            (("--expires-at", "2020-01-01"), NEW, "The new token has already ended."),
            (("--expires-at", "9999-01-01"), NEW, "The new token would end in more than 3650 days."),
            (("--expires-at", "2030-01-01", *IN_A_YEAR), NEW, "Give only one of --expires-at and --expires-in-days."),
            (IN_A_YEAR, OLD, "This token is stored already."),
            (IN_A_YEAR, "two words", "`accessToken` must be"),
            (IN_A_YEAR, "", "`accessToken` must be"),
            (IN_A_YEAR, "null", "neither a token nor an object with `accessToken`"),
            (IN_A_YEAR, f'["{NEW}"]', "neither a token nor an object with `accessToken`"),
        ],
    )
    def test_refuses_what_consumers_could_not_use(
        self, static: Stack, tokenctl: Tokenctl, words: tuple[str, ...], text: str, message: str
    ) -> None:
        before = static.stored()
        done = tokenctl("rotate", "--stage", static.stage, *words, stdin=text)
        assert (done.code, static.stored()) == (252, before)
        assert message in done.err
        assert "canary" not in done.err

    def test_has_no_place_with_another_issuer(self, bare: Stack, tokenctl: Tokenctl) -> None:
        done = tokenctl("rotate", "--stage", bare.stage, *IN_A_YEAR, stdin=NEW)
        assert (done.code, bare.stored()) == (253, None)
        assert f"run `tokenctl refresh --stage {bare.stage}`" in done.err


class TestTheOtherCommands:
    def test_seed_needs_no_refresh_token(self, static: Stack, tokenctl: Tokenctl) -> None:
        text = json.dumps({"accessToken": NEW, "expiresAt": ends_in(90)})
        assert tokenctl("seed", "--stage", static.stage, "--yes", stdin=text).code == 0
        held: Any = static.stored()
        assert held["accessToken"] == NEW

    @pytest.mark.parametrize(
        ("days", "level", "meaning"),
        [(40, "OK  ", "renew it in time"), (20, "WARN", "renew it in time"), (-1, "FAIL", "dead: consumers get")],
    )
    def test_doctor_and_status_watch_the_end(
        self, static: Stack, tokenctl: Tokenctl, days: int, level: str, meaning: str
    ) -> None:
        static.put({"accessToken": OLD, "expiresAt": ends_in(days), "refreshToken": "canary-kept", **OWNER})
        done = tokenctl("doctor", "--stage", static.stage)
        assert done.line("window").startswith(level)
        assert (f"tokenctl rotate --stage {static.stage}" in done.line("window")) is (level != "OK  ")
        for check in ("issuer", "app secret", "secret", "grant", "policy"):
            assert done.line(check).startswith("OK"), done.line(check)
        status = tokenctl("status", "--stage", static.stage).out
        assert meaning in " ".join(status.split())
        assert "figma" not in done.out + status, "the owner is that of an old refresh token"

    @pytest.mark.parametrize(
        ("days", "level", "says"),
        [(20, "WARN", "consumers get it until"), (-1, "FAIL", "so it cannot be refreshed. Fix: `tokenctl authorize")],
    )
    def test_the_next_issuer_finds_no_refresh_token(
        self, static: Stack, tokenctl: Tokenctl, days: int, level: str, says: str
    ) -> None:
        static.put({"accessToken": OLD, "expiresAt": ends_in(days)})
        static.set_environment(ISSUER="figma")
        done = tokenctl("doctor", "--stage", static.stage)
        line = done.line("secret")
        assert line.startswith(f"{level}  secret        holds an access token, but no refresh token")
        assert says in line
        assert f"`tokenctl authorize --stage {static.stage}`" in line
        token = tokenctl("status", "--stage", static.stage, "--output", "json").json["token"]
        assert (token["expiresAt"][:10], token["hasRefreshToken"]) == (ends_in(days)[:10], False)
        assert "must sign in" in tokenctl("status", "--stage", static.stage).out or level == "FAIL"

    @pytest.mark.parametrize(
        "words",
        [
            ("authorize", "--no-browser"),
            ("exchange-code-for-token", "--provider", "figma", "--request", "code=c,redirectUri=u", "--store", "--yes"),
        ],
        ids=lambda words: words[0],
    )
    def test_a_sign_in_names_rotate(self, static: Stack, tokenctl: Tokenctl, words: tuple[str, ...]) -> None:
        done = tokenctl(*words, "--stage", static.stage)
        assert done.code == 253
        assert static.cloud.standin.calls("ExchangeCodeForToken") == []
        assert f"`tokenctl rotate --stage {static.stage}`" in done.err
