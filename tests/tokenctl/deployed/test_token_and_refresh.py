"""`tokenctl token`, `tokenctl refresh` and `tokenctl tick`."""

from datetime import timedelta

import pytest

from local.cloud import LocalCloud
from local.deployment import Deployment
from tests.support.command_line import Tokenctl, on_terminal
from tests.support.deployed_stack import put_secret, refreshes
from tests.support.emulated_function import create_function
from tests.support.windows import ADVISORY, FRESH, MANDATORY

pytestmark = pytest.mark.xdist_group("deployed")


class TestToken:
    def test_prints_the_live_token_only(self, tokenctl: Tokenctl, fresh: str) -> None:
        done = tokenctl("token")
        assert (done.code, done.out, done.err) == (0, f"{fresh}\n", "")

    def test_a_rejected_version_is_replaced(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        dead = stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
        stack.cloud.standin.kill()
        answer = tokenctl("token", "--failed-version", dead, "--output", "json").json
        assert set(answer) == {"accessToken", "expiresIn", "expiresAt", "refreshedAt", "versionId", "state"}
        assert answer["versionId"] == stack.current()[0] != dead
        assert stack.cloud.standin.accepts(answer["accessToken"])

    def test_a_degraded_token_comes_with_a_warning(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        grant = stack.cloud.standin.grant()
        stack.seed(grant, expires_in=timedelta(hours=2))
        stack.cloud.standin.revoke()
        done = tokenctl("token")
        assert (done.code, done.out) == (0, f"{grant.access_token}\n")
        assert "could not be refreshed and lives until" in done.err

    @pytest.mark.parametrize("show", [False, True])
    def test_a_terminal_sees_it_only_on_request(self, fresh: str, terminal_env: dict[str, str], *, show: bool) -> None:
        done = on_terminal(terminal_env, "token", "--stage", "local", *(["--show"] if show else []))
        assert done.code == (0 if show else 252)
        assert (fresh in done.out, "add --show" in done.out) == (show, not show)

    def test_another_function_is_recognized(self, tokenctl: Tokenctl, cloud: LocalCloud) -> None:
        create_function(cloud, "another", "def handler(event, context):\n    return {'status': 200}\n")
        for command in ("token", "tick"):
            done = tokenctl(command, "--function-name", "another")
            assert done.code in {254, 255}
            assert done.out == ""

    @pytest.mark.parametrize("words", [("token",), ("tick",), ("refresh", "--yes")])
    def test_a_functions_error_is_254(self, tokenctl: Tokenctl, stack: Deployment, words: tuple[str, ...]) -> None:
        put_secret(stack, SecretString="{}")
        done = tokenctl(*words)
        assert (done.code, done.out) == (254, "")
        assert done.err.startswith("tokenctl: An error occurred (")
        assert ") when calling the Invoke operation" in done.err
        assert "holds no token pair yet" in done.err
        assert "tokenctl seed" in done.err
        assert len(done.err.splitlines()) == 1


class TestRefresh:
    def test_makes_one_call_and_hides_the_token(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        grant = stack.cloud.standin.grant()
        before = stack.seed(grant, expires_in=FRESH)
        done = tokenctl("refresh", "--yes")
        now, pair = stack.current()
        assert (done.code, done.err) == (0, "")
        assert now in done.out
        assert now != before
        assert pair["expiresAt"] in done.out
        assert "in 90 days" in done.out
        assert refreshes(stack) == 1
        assert not stack.cloud.standin.accepts(grant.access_token)
        again = tokenctl("refresh", "--yes", "--output", "json").json
        assert set(again) == {"versionId", "expiresAt", "expiresIn", "state"}

    @pytest.mark.usefixtures("fresh")
    def test_needs_yes_without_a_terminal(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        done = tokenctl("refresh")
        assert (done.code, refreshes(stack)) == (252, 0)
        assert "ends the current access token" in done.err


OUTCOMES: dict[str, tuple[timedelta, bool, str]] = {
    "fresh": (FRESH, False, "fresh: the token is not due. Version "),
    "refreshed": (MANDATORY, False, "refreshed: there is a new token. Version "),
    "degraded": (ADVISORY, True, "degraded: the token is due, but could not be refreshed; see `tokenctl errors`. "),
}


class TestTick:
    @pytest.mark.parametrize(("left", "down", "text"), OUTCOMES.values(), ids=OUTCOMES)
    def test_shows_the_outcome(
        self, tokenctl: Tokenctl, stack: Deployment, left: timedelta, text: str, *, down: bool
    ) -> None:
        before = stack.seed(stack.cloud.standin.grant(), expires_in=left, refreshedAt="2026-01-01T00:00:00Z")
        if down:
            stack.cloud.standin.fail("RefreshToken", status=503, times=None)
        done = tokenctl("tick")
        version, pair = stack.current()
        assert (done.code, done.out.startswith(text), done.err) == (0, True, "")
        assert f"Version {version}, expires {pair['expiresAt'][:19]}Z (in " in done.out
        assert (version != before) is text.startswith("refreshed")

    @pytest.mark.usefixtures("fresh")
    def test_answers_as_the_function_does(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        version, pair = stack.current()
        answer = tokenctl("tick", "--output", "json").json
        assert answer == {"outcome": "fresh", "versionId": version, "expiresAt": f"{pair['expiresAt'][:19]}Z"}
