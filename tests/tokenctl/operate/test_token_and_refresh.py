"""`tokenctl token` and `tokenctl refresh`."""

from datetime import timedelta

import pytest

from local.deployment import Deployment
from tests.support.command_line import Tokenctl, on_terminal

pytestmark = pytest.mark.xdist_group("stack")

DAYS_30 = timedelta(days=30)


def calls(stack: Deployment) -> int:
    return len(stack.cloud.standin.calls("RefreshToken"))


def test_it_prints_the_live_token_and_nothing_else(tokenctl: Tokenctl, stack: Deployment) -> None:
    grant = stack.cloud.standin.grant()
    stack.seed(grant, expires_in=DAYS_30)
    done = tokenctl("token")
    assert (done.code, done.out, done.err) == (0, f"{grant.access_token}\n", "")


def test_a_rejected_version_gives_a_token_that_works(tokenctl: Tokenctl, stack: Deployment) -> None:
    dead = stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    stack.cloud.standin.kill()
    answer = tokenctl("token", "--failed-version", dead, "--output", "json").json
    assert set(answer) == {"accessToken", "expiresIn", "expiresAt", "versionId", "state"}
    assert answer["versionId"] == stack.current()[0] != dead
    assert stack.cloud.standin.accepts(answer["accessToken"])


def test_a_token_that_could_not_be_refreshed_comes_with_a_warning(tokenctl: Tokenctl, stack: Deployment) -> None:
    grant = stack.cloud.standin.grant()
    stack.seed(grant, expires_in=timedelta(hours=2))
    stack.cloud.standin.revoke()
    done = tokenctl("token")
    assert (done.code, done.out) == (0, f"{grant.access_token}\n")
    assert "could not be refreshed and lives until" in done.err


@pytest.mark.parametrize("show", [False, True])
def test_on_a_terminal_the_token_is_shown_only_when_asked_to(
    stack: Deployment, terminal_env: dict[str, str], *, show: bool
) -> None:
    grant = stack.cloud.standin.grant()
    stack.seed(grant, expires_in=DAYS_30)
    done = on_terminal(terminal_env, "token", "--stage", "local", *(["--show"] if show else []))
    assert done.code == (0 if show else 252)
    assert (grant.access_token in done.out, "say --show" in done.out) == (show, not show)


def test_an_error_of_the_function_is_one_line_with_its_type_and_exit_code_254(
    tokenctl: Tokenctl, stack: Deployment
) -> None:
    stack.cloud.client("secretsmanager").put_secret_value(SecretId=stack.outputs["SecretArn"], SecretString="{}")
    for command in (("token",), ("refresh", "--yes")):
        done = tokenctl(*command)
        assert (done.code, done.out) == (254, "")
        assert done.err.startswith(
            "tokenctl: An error occurred (SecretNotSeededException) when calling the Invoke operation"
        )
        assert "holds no token pair yet" in done.err
        assert "tokenctl seed" in done.err
        assert len(done.err.splitlines()) == 1


def test_a_function_that_is_another_one_is_found_out(tokenctl: Tokenctl, played: object) -> None:
    consumer = played.consumer  # type: ignore[attr-defined]
    done = tokenctl("token", "--function-name", consumer)
    assert done.code in {254, 255}
    assert done.out == ""


def test_refresh_makes_one_call_and_tells_the_new_version_without_the_token(
    tokenctl: Tokenctl, stack: Deployment
) -> None:
    grant = stack.cloud.standin.grant()
    before = stack.seed(grant, expires_in=DAYS_30)
    done = tokenctl("refresh", "--yes")
    now, pair = stack.current()
    assert (done.code, done.err) == (0, "")
    assert now in done.out != before
    assert pair["expiresAt"] in done.out
    assert "in 90 days" in done.out
    assert calls(stack) == 1
    assert not stack.cloud.standin.accepts(grant.access_token)
    again = tokenctl("refresh", "--yes", "--output", "json").json
    assert set(again) == {"versionId", "expiresAt", "expiresIn", "state"}


def test_refresh_does_nothing_when_there_is_nobody_to_ask(tokenctl: Tokenctl, stack: Deployment) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    done = tokenctl("refresh")
    assert done.code == 252
    assert "kills the current access token" in done.err
    assert calls(stack) == 0


@pytest.mark.parametrize(("answer", "code", "made"), [("n", 255, 0), ("y", 0, 1)])
def test_refresh_says_what_dies_and_asks(
    stack: Deployment, terminal_env: dict[str, str], answer: str, code: int, made: int
) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    done = on_terminal(terminal_env, "refresh", "--stage", "local", dialogue=[("Go on? [y/N]", answer)])
    assert "every consumer that keeps it gets errors" in " ".join(done.out.split())
    assert (done.code, calls(stack)) == (code, made)


def test_a_refused_refresh_says_that_a_person_must_sign_in(tokenctl: Tokenctl, stack: Deployment) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    stack.cloud.standin.revoke()
    done = tokenctl("refresh", "--yes")
    assert done.code == 254
    assert "sign in" in done.err
