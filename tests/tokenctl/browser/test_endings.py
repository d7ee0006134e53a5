"""How else a sign-in ends: the real command in its own process, and plain HTTP in place of a browser."""

import re
import signal
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import urllib3

from local.standin import CLIENT_ID
from refresh_token.windows import MAX_LIFETIME
from tests.support.bare_stack import Stack
from tests.support.chromium import PATIENCE
from tests.support.command_line import on_terminal
from tests.tokenctl.browser.conftest import Run, Start, allow, allowed, authorize

pytestmark = pytest.mark.xdist_group("endings")

EXPIRES = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
LIVE = {
    "provider": "figma",
    "accessToken": "figd_old",
    "refreshToken": "figr_old",
    "expiresAt": EXPIRES.isoformat(),
    "note": "not ours",
}


def test_the_consent_page_is_asked_for_the_scopes_and_the_registered_address(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = start("--port", str(port), "--redirect-host", "localhost", "--scope", "file_content:read")
    assert command.asked["redirect_uri"] == f"http://localhost:{port}/callback"
    assert command.asked["scope"] == "current_user:read file_content:read"
    assert command.asked["client_id"] == CLIENT_ID
    assert allow(command).status == 200
    assert command.end()[0] == 0


def test_a_redirect_without_a_code_ends_in_an_error(start: Start, stack: Stack) -> None:
    command = start()
    page = command.visit(command.redirect(state=command.asked["state"]))
    assert (page.status, "holds no code" in page.data.decode()) == (502, True)
    code, _, errors = command.end()
    assert (code, errors) == (
        254,
        "tokenctl: Figma's answer holds no code. Nothing was stored. Run the command again.\n",
    )
    assert stack.stored() is None


@pytest.mark.parametrize(
    ("error", "said"), [("invalid_scope", " (invalid_scope)"), ("<b>figd_whatever</b>", "")], ids=["known", "made up"]
)
def test_a_refusal_of_the_consent_page_is_told_where_its_reason_is_known(start: Start, error: str, said: str) -> None:
    command = start()
    page = command.visit(command.redirect(state=command.asked["state"], error=error, error_description="figd_more"))
    code, _, errors = command.end()
    assert (code, errors) == (
        254,
        f"tokenctl: Figma's page could not go on with the sign-in{said}. Nothing was stored. Run the command again.\n",
    )
    assert "figd_" not in page.data.decode()


def test_forged_redirects_do_not_prolong_the_waiting_and_are_counted_at_its_end(start: Start, stack: Stack) -> None:
    command = start("--timeout", "3")
    for state in ("", "guessed"):
        assert command.visit(command.redirect(code="x", state=state)).status == 400
    code, _, errors = command.end()
    assert code == 255
    assert "Ignored 2 redirect(s)" in errors
    assert errors.endswith("tokenctl: Nobody answered within 3 seconds. Nothing was stored. Run the command again.\n")
    assert stack.stored() is None


def test_a_replay_right_after_the_end_is_told_that_it_is_over(start: Start, stack: Stack) -> None:
    command = start()
    redirect = allowed(command.address)
    assert command.visit(redirect).status == 200
    assert command.process.stdout is not None
    assert any("token lives until" in line for line in command.process.stdout)
    late = [command.visit(redirect), command.visit(redirect.partition("?")[0])]
    assert [(page.status, "Already answered" in page.data.decode()) for page in late] == [(409, True)] * 2
    assert command.end()[0] == 0
    assert len(stack.cloud.standin.calls("ExchangeCodeForToken")) == 1


def test_an_empty_client_id_is_refused(run: Run) -> None:
    process = run("--no-browser", "--client-id", " ")
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (252, "")
    assert errors == "tokenctl: --client-id is empty. Give the client id of the Figma app.\n"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--issuer", "figma", "--yes"), 253, "has no place for an app's credentials: its issuer is amplify"),
        (("--issuer", "figma"), 252, "is amplify, and will refuse a refresh token from figma. Deploy it with"),
        (("--token-url", "https://a.example"), 252, "--token-url is not for the issuer amplify"),
    ],
    ids=["an app of one's own", "another issuer", "another address"],
)
def test_what_a_stack_of_amplifys_has_no_use_for(run: Run, options: tuple[str, ...], code: int, said: str) -> None:
    output, errors = (process := run("--no-browser", *options)).communicate("", timeout=PATIENCE)
    assert (process.returncode, output, said in errors) == (code, "", True), errors


def test_amplify_needs_the_client_id_of_the_app(stack: Stack) -> None:
    done = on_terminal(stack.cloud.env, "authorize", "--stage", stack.stage, "--no-browser")
    assert (done.code, done.out.startswith("tokenctl: --client-id is missing. Give the client id of")) == (252, True)


def test_a_code_that_is_too_old_stores_nothing(start: Start, stack: Stack) -> None:
    command = start()
    redirect = allowed(command.address)
    stack.cloud.standin.advance(31)
    page = command.visit(redirect)
    code, _, errors = command.end()
    assert (page.status, code) == (502, 254)
    assert "It lives 30 seconds" in errors
    assert stack.stored() is None


def test_a_pair_that_cannot_be_stored_is_an_error_that_says_what_it_killed(start: Start, stack: Stack) -> None:
    command = start()
    secret = stack.secret
    stack.cloud.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    page = allow(command)
    code, output, errors = command.end()
    assert (page.status, code) == (502, 254)
    assert "ends an older one of the same user, but it could not be stored" in errors
    assert "PutSecretValue" in errors
    for grant in stack.cloud.standin.grants():
        assert grant.access_token not in errors + output + page.data.decode()
        assert grant.refresh_token not in errors + output + page.data.decode()


def test_a_port_that_is_taken_ends_it_before_anything_is_opened(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = run("--no-browser", "--port", str(port))
        output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 253
    assert errors.startswith(f"tokenctl: Port {port} of 127.0.0.1 cannot be used: Address already in use.")
    assert output == ""


def test_ctrl_c_while_it_waits_stores_nothing(start: Start, stack: Stack) -> None:
    command = start()
    command.process.send_signal(signal.SIGINT)
    code, _, errors = command.end()
    assert code == 130
    assert "Interrupted. Nothing was stored. Run the command again." in errors
    assert "Traceback" not in errors
    assert stack.stored() is None


def test_ctrl_c_after_the_answer_does_not_claim_to_know(start: Start, stack: Stack) -> None:
    stack.cloud.standin.fail("ExchangeCodeForToken", delay=PATIENCE)
    command = start()
    redirect = allowed(command.address)
    address = urllib3.util.parse_url(redirect)
    with socket.create_connection((address.host, address.port)) as tab:
        tab.sendall(f"GET {address.request_uri} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        deadline = time.monotonic() + PATIENCE
        while not stack.cloud.standin.calls("ExchangeCodeForToken"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        command.process.send_signal(signal.SIGINT)
        code, _, errors = command.end()
        page = tab.makefile("rb").read().decode()
    assert code == 130
    assert "Interrupted. Whether a pair was stored is not known." in errors
    assert page.startswith("HTTP/1.1 503 ")
    assert "tokenctl was stopped" in page


@pytest.mark.parametrize("answer", ["n", ""])
def test_a_live_pair_stays_unless_the_operator_agrees(stack: Stack, answer: str) -> None:
    stack.put(LIVE)
    done = on_terminal(stack.cloud.env, *authorize(stack), "--no-browser", dialogue=[("Go on? [y/N]", answer)])
    assert done.code == 255
    assert f"holds a token pair already (until {EXPIRES:%Y-%m-%d %H:%M} UTC)" in done.out
    assert done.out.endswith("tokenctl: Nothing was changed.\r\n")
    assert "http" not in done.out
    assert "figd_" not in done.out
    assert stack.stored() == LIVE


def test_an_expiry_that_no_token_has_is_not_repeated_but_the_one_that_the_function_believes(
    run: Run, stack: Stack
) -> None:
    stack.put({**LIVE, "expiresAt": "2099-01-02T03:04:05Z"})
    _, errors = run("--no-browser").communicate("", timeout=PATIENCE)
    assert f"(until {datetime.now(UTC) + MAX_LIFETIME:%Y-%m-%d} " in errors


def test_where_nobody_can_be_asked_a_live_pair_stays(run: Run, stack: Stack) -> None:
    stack.put(LIVE)
    process = run("--no-browser")
    _, errors = process.communicate("", timeout=PATIENCE)
    assert process.returncode == 252
    assert errors.startswith(f"tokenctl: The secret of RefreshToken-{stack.stage} holds a token pair already")
    assert errors.endswith("There is nobody to ask: say --yes to go on. Nothing was changed.\n")
    assert stack.stored() == LIVE


def test_a_pair_of_unknown_expiry_counts_as_live(run: Run, stack: Stack) -> None:
    stack.put({"accessToken": "figd_old", "refreshToken": "figr_old"})
    process = run("--no-browser")
    _, errors = process.communicate("n\n", timeout=PATIENCE)
    assert "holds a token pair already (until unknown)" in errors


@pytest.mark.parametrize("agreed", [True, False], ids=["agreed", "--yes"])
def test_a_live_pair_is_replaced_when_the_operator_agrees(stack: Stack, *, agreed: bool) -> None:
    stack.put(LIVE)

    def allow_what_is_shown(seen: str) -> None:
        address = re.search(r"^http\S+", seen, re.MULTILINE)
        assert address
        urllib3.request("GET", allowed(address[0]), retries=False, timeout=PATIENCE)

    words = (*authorize(stack), "--no-browser", *(() if agreed else ("--yes",)))
    shown = ("Ctrl-C stops.", allow_what_is_shown)
    done = on_terminal(stack.cloud.env, *words, dialogue=[("Go on? [y/N]", "y"), shown] if agreed else [shown])
    assert done.code == 0
    assert ("holds a token pair already" in done.out) is agreed
    stored = stack.stored()
    assert stored is not None
    assert stored["accessToken"] == stack.cloud.standin.live_access_token
    assert stored["note"] == LIVE["note"]
    assert datetime.fromisoformat(stored["expiresAt"]) > datetime.now(UTC)


def test_what_is_no_pair_is_replaced_without_a_question(start: Start, stack: Stack) -> None:
    stack.put({"note": "seed me"})
    command = start()
    allow(command)
    assert command.end()[0] == 0


def test_a_secret_that_cannot_be_read_ends_it_before_anything_is_opened(run: Run, stack: Stack) -> None:
    stack.cloud.client("secretsmanager").delete_secret(SecretId=stack.secret)
    process = run("--no-browser")
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (254, "")
    assert errors.startswith(
        "tokenctl: An error occurred (InvalidRequestException) when calling the GetSecretValue operation: "
    )
    assert errors.endswith(" See `SecretUnavailableException` in docs/runbook.md.\n")


def test_without_any_browser_it_says_how_to_do_without(run: Run, tmp_path: Path) -> None:
    process = run(env={"PATH": str(tmp_path), "DISPLAY": "", "WAYLAND_DISPLAY": "", "BROWSER": ""})
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 253
    assert "Say --no-browser" in errors
    assert output == ""


def test_a_browser_that_does_not_open_is_told_and_its_address_is_not_printed(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "browser"
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o755)
    process = run("--timeout", "1", env={"BROWSER": str(script)})
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 255
    assert "The browser did not open. Stop with Ctrl-C and say --no-browser" in errors
    assert CLIENT_ID not in output + errors
    assert "state=" not in output + errors


def test_without_a_stack_nothing_begins(run: Run) -> None:
    process = run("--no-browser", "--stage", "nowhere")
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (253, "")
    assert errors.startswith("tokenctl: There is no stack RefreshToken-nowhere")
