"""`tokenctl seed`: what is stored, what is refused, and whom it asks."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.deployment import Deployment, pair_of
from tests.support.command_line import Tokenctl, on_terminal

pytestmark = pytest.mark.xdist_group("stack")

DAYS_30 = timedelta(days=30)
ACCESS, REFRESH, CLIENT = "canary-access-token-of-a-test", "canary-refresh-token-of-a-test", "canary-client-id"


def empty(stack: Deployment) -> None:
    stack.cloud.client("secretsmanager").put_secret_value(SecretId=stack.outputs["SecretArn"], SecretString="{}")


FORMS: list[tuple[str, dict[str, Any], str]] = [
    ("ours", {"accessToken": ACCESS, "refreshToken": REFRESH, "clientId": CLIENT}, "its expiry is not known"),
    ("ExchangeCodeForToken", {"accessToken": ACCESS, "refreshToken": REFRESH, "expiresIn": 7776000}, "in 90 days"),
    ("Figma's own", {"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 864000, "x": 1}, "in 10 days"),
]


@pytest.mark.parametrize(("document", "said"), [form[1:] for form in FORMS], ids=[form[0] for form in FORMS])
def test_a_pair_of_every_form_is_stored_as_it_is_and_told_without_tokens(
    tokenctl: Tokenctl, stack: Deployment, tmp_path: Path, document: dict[str, Any], said: str
) -> None:
    empty(stack)
    file = tmp_path / "pair.json"
    file.write_text(json.dumps(document), encoding="utf-8-sig")
    done = tokenctl("seed", "--from", str(file))
    version, stored = stack.current()
    assert (done.code, stored) == (0, document)
    assert version in done.out
    assert said in done.out
    assert f"{file} still holds the tokens: delete it." in done.err
    for canary in (ACCESS, REFRESH, CLIENT):
        assert canary not in done.out + done.err


def test_the_function_works_with_what_was_seeded_from_a_pipe(tokenctl: Tokenctl, stack: Deployment) -> None:
    empty(stack)
    grant = stack.cloud.standin.grant()
    for options in ((), ("--from", "-", "--yes")):
        done = tokenctl("seed", *options, stdin=pair_of(grant, expires_in=DAYS_30))
        assert (done.code, done.err) == (0, "")
        assert "window fresh" in done.out
        assert stack.invoke({}).payload["accessToken"] == grant.access_token


WRONG = [
    ("nothing", "", "There is no token pair in it"),
    ("not JSON", f"token={ACCESS}", "What was given is not a token pair: it is not a JSON object."),
    ("no refresh token", json.dumps({"accessToken": ACCESS}), "`refreshToken` must be"),
    ("another provider", json.dumps({**FORMS[0][1], "provider": "sketch"}), "`provider` must be `figma`"),
    ("a wrong expiry", json.dumps({**FORMS[0][1], "expiresIn": -1}), "`expiresIn` must be"),
    ("not text", b"\xff\xfe\x00", "it is not UTF-8 text"),
]


@pytest.mark.parametrize(("given", "said"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_is_no_pair_is_refused_without_its_values_and_nothing_is_stored(
    tokenctl: Tokenctl, stack: Deployment, given: str | bytes, said: str
) -> None:
    before = stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    done = tokenctl("seed", "--yes", stdin=given)
    assert (done.code, done.out) == (252, "")
    assert said in done.err
    assert "Nothing was stored." in done.err
    assert len(done.err.splitlines()) == 1
    assert ACCESS not in done.err
    assert stack.current()[0] == before


@pytest.mark.parametrize(
    ("expires_at", "said"),
    [("2099-01-02T03:04:05Z", "No token lives as long as it says; 400 days"), ("2001-02-03", "has expired already")],
)
def test_an_expiry_far_from_now_is_stored_and_pointed_out(
    tokenctl: Tokenctl, stack: Deployment, expires_at: str, said: str
) -> None:
    pair = {**FORMS[0][1], "expiresAt": expires_at}
    done = tokenctl("seed", "--yes", stdin=json.dumps(pair))
    assert (done.code, stack.current()[1]) == (0, pair)
    assert said in done.err


def test_a_file_that_is_not_there_is_a_usage_error(tokenctl: Tokenctl, tmp_path: Path) -> None:
    done = tokenctl("seed", "--from", str(tmp_path / "none.json"))
    assert done.code == 252
    assert "cannot be read (No such file or directory)" in done.err


def test_it_refuses_to_replace_a_pair_when_there_is_nobody_to_ask(tokenctl: Tokenctl, stack: Deployment) -> None:
    before = stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    done = tokenctl("seed", stdin=json.dumps(FORMS[0][1]))
    assert done.code == 252
    assert "holds a token pair already" in done.err
    assert "say --yes" in done.err
    assert stack.current()[0] == before


@pytest.mark.parametrize("agreed", [False, True])
def test_on_a_terminal_it_asks_before_it_replaces_a_pair(
    stack: Deployment, terminal_env: dict[str, str], tmp_path: Path, *, agreed: bool
) -> None:
    before = stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    file = tmp_path / "pair.json"
    file.write_text(json.dumps(FORMS[0][1]))
    answer = "y" if agreed else "n"
    done = on_terminal(
        terminal_env, "seed", "--stage", "local", "--from", str(file), dialogue=[("Go on? [y/N]", answer)]
    )
    assert done.code == (0 if agreed else 255)
    assert ("Stored a token pair" in done.out, "Nothing was changed" in done.out) == (agreed, not agreed)
    assert (stack.current()[0] == before) is not agreed


def test_what_is_typed_at_the_prompts_is_stored_and_not_shown(stack: Deployment, terminal_env: dict[str, str]) -> None:
    empty(stack)
    done = on_terminal(
        terminal_env,
        *("seed", "--stage", "local"),
        dialogue=[
            ("Access token:", ACCESS),
            ("Refresh token:", REFRESH),
            ("app needs one:", CLIENT),
            ("unknown:", "900"),
        ],
    )
    assert done.code == 0, done.out
    assert stack.current()[1] == {"accessToken": ACCESS, "refreshToken": REFRESH, "clientId": CLIENT, "expiresIn": 900}
    for canary in (ACCESS, REFRESH, CLIENT):
        assert canary not in done.out


def test_without_a_stack_it_says_how_to_deploy_one(tokenctl: Tokenctl) -> None:
    done = tokenctl("seed", "--stage", "nowhere", stdin=json.dumps(FORMS[0][1]))
    assert done.code == 253
    assert "cdk deploy -c stage=nowhere" in done.err
    assert os.linesep not in done.err.rstrip()
