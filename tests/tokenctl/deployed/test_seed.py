"""`tokenctl seed`: what it stores, what it refuses, and when it asks."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.deployment import Deployment, pair_of
from tests.support.command_line import Tokenctl, on_terminal
from tests.tokenctl.deployed.conftest import DAYS_30, put_secret

pytestmark = pytest.mark.xdist_group("stack")

ACCESS, REFRESH, CLIENT = "canary-access-token-of-a-test", "canary-refresh-token-of-a-test", "canary-client-id"
PAIR: dict[str, Any] = {"accessToken": ACCESS, "refreshToken": REFRESH, "clientId": CLIENT}

FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "ours": (PAIR, "expires at an unknown time"),
    "ExchangeCodeForToken": ({"accessToken": ACCESS, "refreshToken": REFRESH, "expiresIn": 7776000}, "in 90 days"),
    "Figma's own": ({"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 864000, "x": 1}, "in 10 days"),
}
WRONG: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "There is no token pair in it"),
    "not JSON": (f"token={ACCESS}", "The input is not a token pair: it is not a JSON object."),
    "no refresh token": (json.dumps({"accessToken": ACCESS}), "`refreshToken` must be"),
    "another provider": (json.dumps({**PAIR, "provider": "sketch"}), "`provider` must be `figma`"),
    "a wrong expiry": (json.dumps({**PAIR, "expiresIn": -1}), "`expiresIn` must be"),
    "not text": (b"\xff\xfe\x00", "it is not UTF-8 text"),
}


@pytest.fixture
def empty(stack: Deployment) -> None:
    put_secret(stack, SecretString="{}")


class TestStoring:
    @pytest.mark.parametrize(("document", "message"), FORMS.values(), ids=FORMS)
    @pytest.mark.usefixtures("empty")
    def test_every_form_is_stored_unchanged(
        self, tokenctl: Tokenctl, stack: Deployment, tmp_path: Path, document: dict[str, Any], message: str
    ) -> None:
        file = tmp_path / "pair.json"
        file.write_text(json.dumps(document), encoding="utf-8-sig")
        done = tokenctl("seed", "--from", str(file))
        version, stored = stack.current()
        assert (done.code, stored) == (0, document)
        assert version in done.out
        assert message in done.out
        assert f"{file} still holds the tokens: delete it." in done.err
        assert "canary" not in done.out + done.err

    @pytest.mark.parametrize("options", [(), ("--from", "-", "--yes")])
    @pytest.mark.usefixtures("empty")
    def test_the_function_uses_a_piped_pair(
        self, tokenctl: Tokenctl, stack: Deployment, options: tuple[str, ...]
    ) -> None:
        grant = stack.cloud.standin.grant()
        done = tokenctl("seed", *options, stdin=pair_of(grant, expires_in=DAYS_30))
        assert (done.code, done.err) == (0, "")
        assert "window fresh" in done.out
        assert stack.invoke({}).payload["accessToken"] == grant.access_token

    @pytest.mark.parametrize(
        ("expires_at", "message"),
        [("2099-01-02T03:04:05Z", "it counts as 400 days from now"), ("2001-02-03", "has already expired")],
    )
    def test_an_unlikely_expiry_is_pointed_out(
        self, tokenctl: Tokenctl, stack: Deployment, expires_at: str, message: str
    ) -> None:
        pair = {**PAIR, "expiresAt": expires_at}
        done = tokenctl("seed", "--yes", stdin=json.dumps(pair))
        assert (done.code, stack.current()[1]) == (0, pair)
        assert message in done.err

    @pytest.mark.usefixtures("empty")
    def test_typed_parts_are_stored_unseen(self, stack: Deployment, terminal_env: dict[str, str]) -> None:
        prompts = [("Access token:", ACCESS), ("Refresh token:", REFRESH), ("app needs one:", CLIENT)]
        done = on_terminal(terminal_env, "seed", "--stage", "local", dialogue=[*prompts, ("unknown:", "900")])
        assert done.code == 0, done.out
        assert stack.current()[1] == {**PAIR, "expiresIn": 900}
        assert "canary" not in done.out


class TestRefusing:
    @pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
    def test_what_is_not_a_pair_is_hidden(
        self, tokenctl: Tokenctl, stack: Deployment, text: str | bytes, message: str
    ) -> None:
        before = stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
        done = tokenctl("seed", "--yes", stdin=text)
        assert (done.code, done.out) == (252, "")
        assert message in done.err
        assert "Nothing was stored." in done.err
        assert len(done.err.splitlines()) == 1
        assert "canary" not in done.err
        assert stack.current()[0] == before

    def test_a_missing_file_is_a_usage_error(self, tokenctl: Tokenctl, tmp_path: Path) -> None:
        done = tokenctl("seed", "--from", str(tmp_path / "none.json"))
        assert (done.code, "cannot be read (No such file or directory)" in done.err) == (252, True)

    def test_a_missing_stack_says_how_to_deploy(self, tokenctl: Tokenctl) -> None:
        done = tokenctl("seed", "--stage", "nowhere", stdin=json.dumps(PAIR))
        assert (done.code, len(done.err.splitlines())) == (253, 1)
        assert "cdk deploy -c stage=nowhere" in done.err


class TestReplacing:
    def test_needs_yes_without_a_terminal(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        before = stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
        done = tokenctl("seed", stdin=json.dumps(PAIR))
        assert (done.code, stack.current()[0]) == (252, before)
        assert "already holds a token pair" in done.err
        assert "Add --yes" in done.err

    @pytest.mark.parametrize("agreed", [False, True])
    def test_asks_on_a_terminal(
        self, stack: Deployment, terminal_env: dict[str, str], tmp_path: Path, *, agreed: bool
    ) -> None:
        before = stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
        file = tmp_path / "pair.json"
        file.write_text(json.dumps(PAIR))
        words = ("seed", "--stage", "local", "--from", str(file))
        done = on_terminal(terminal_env, *words, dialogue=[("Go on? [y/N]", "y" if agreed else "n")])
        assert done.code == (0 if agreed else 255)
        assert ("Stored a token pair" in done.out, "Nothing was changed" in done.out) == (agreed, not agreed)
        assert (stack.current()[0] == before) is not agreed
