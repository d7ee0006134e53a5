"""How else a sign-in ends: the real command in its own process, and plain HTTP instead of a browser."""

import re
import signal
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from local.standin import CLIENT_ID
from refresh_token.core.windows import MAX_LIFETIME
from tests.support.authorize_command import Refuse, Start, address_in, allow_shown, assert_stored, authorize
from tests.support.bare_stack import Stack
from tests.support.command_line import on_terminal
from tests.support.consent import PATIENCE, allowed, asked
from tests.support.processes import wait_until

pytestmark = pytest.mark.xdist_group("endings")

AGAIN = "Nothing was stored. Run the command again."
EXPIRES = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
UNTIL = ", whose access token lives until"
LIVE = {
    "provider": "figma",
    "accessToken": "figd_old",
    "refreshToken": "figr_old",
    "expiresAt": EXPIRES.isoformat(),
    "note": "not ours",
}


def exchanges(stack: Stack) -> int:
    return len(stack.cloud.standin.calls("ExchangeCodeForToken"))


def test_options_reach_the_consent_page(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = start("--port", str(port), "--redirect-host", "localhost", "--scope", "file_content:read")
    assert command.asked["redirect_uri"] == f"http://localhost:{port}/callback"
    assert command.asked["scope"] == "current_user:read file_content:read"
    assert command.asked["client_id"] == CLIENT_ID
    assert command.allow().status == 200
    assert command.end().code == 0


class TestBadResponses:
    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({}, f"Figma's answer holds no code. {AGAIN}"),
            ({"error": "invalid_scope"}, f"Figma's page could not continue the sign-in (invalid_scope). {AGAIN}"),
            ({"error": "<b>figd_whatever</b>"}, f"Figma's page could not continue the sign-in. {AGAIN}"),
        ],
        ids=["no code", "known error", "made-up error"],
    )
    def test_end_in_an_error(self, start: Start, stack: Stack, parameters: dict[str, str], message: str) -> None:
        command = start()
        state = command.asked["state"]
        page = command.visit(command.redirect(state=state, error_description="figd_more", **parameters))
        done = command.end()
        assert (done.code, done.err) == (254, f"tokenctl: {message}\n")
        assert page.status == 502
        assert "figd_" not in page.data.decode()
        assert stack.stored() is None

    def test_that_are_forged_are_counted(self, start: Start, stack: Stack) -> None:
        command = start("--timeout", "3")
        for state in ("", "guessed"):
            assert command.visit(command.redirect(code="x", state=state)).status == 400
        done = command.end()
        assert done.code == 255
        assert "Ignored 2 redirect(s)" in done.err
        assert done.err.endswith(f"tokenctl: Nobody answered within 3 seconds. {AGAIN}\n")
        assert stack.stored() is None


class TestRefusedBeforeTheBrowserOpens:
    @pytest.mark.parametrize(
        ("options", "code", "message"),
        [
            (("--client-id", " "), 252, "--client-id is empty. Give the client id of the app."),
            (("--issuer", "figma"), 253, "has no secret for an app's credentials among its outputs."),
            (("--token-url", "https://a.example"), 252, "--token-url does not apply to the issuer amplify"),
            (("--stage", "nowhere"), 253, "There is no stack RefreshToken-nowhere"),
        ],
        ids=["empty client id", "another issuer", "another address", "no stack"],
    )
    def test_wrong_options(self, refuse: Refuse, options: tuple[str, ...], code: int, message: str) -> None:
        assert message in refuse(*options, code=code)

    def test_a_missing_client_id(self, stack: Stack) -> None:
        done = on_terminal(stack.cloud.env, "authorize", "--stage", stack.stage, "--no-browser")
        assert done.code == 252
        assert done.out.startswith("tokenctl: --client-id is missing. Give the client id of the Figma app")

    def test_a_port_in_use(self, refuse: Refuse) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            message = refuse("--port", str(port), code=253)
        assert message.startswith(f"tokenctl: Port {port} of 127.0.0.1 cannot be used: Address already in use.")

    def test_an_unreadable_secret(self, refuse: Refuse, stack: Stack) -> None:
        stack.cloud.client("secretsmanager").delete_secret(SecretId=stack.secret)
        message = refuse(code=254)
        assert "is scheduled for deletion. To restore it: `tokenctl repair --stage " in message


@pytest.mark.parametrize("browser", ["", "fails"])
def test_without_a_browser_the_address_is_printed(start: Start, stack: Stack, tmp_path: Path, browser: str) -> None:
    script = tmp_path / "fails"
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o755)
    named = str(script) if browser else ""
    command = start(env={"PATH": str(tmp_path), "DISPLAY": "", "WAYLAND_DISPLAY": "", "BROWSER": named})
    assert command.allow().status == 200
    assert command.end().code == 0
    assert_stored(stack)


class TestAPastedRedirect:
    def test_needs_no_way_back_to_this_machine(self, stack: Stack) -> None:
        pasted: list[str] = []

        def paste(seen: str) -> str:
            pasted.append(allowed(address_in(seen)))
            return pasted[0]

        wrong = "http://127.0.0.1:8976/callback?code=canary&state=canary"
        words = (*authorize(stack), "--no-browser")
        done = on_terminal(
            stack.cloud.env, *words, dialogue=[("Ctrl-C stops.", wrong), ("belongs to this sign-in.", paste)]
        )
        assert done.code == 0, done.out
        assert "paste it here and press Enter" in done.out
        assert re.search(r"[45]:\d\d left", done.out)
        assert "canary" not in done.out
        assert parse_qs(urlsplit(pasted[0]).query)["code"][0] not in done.out
        assert exchanges(stack) == 1
        assert_stored(stack)

    def test_can_be_a_denial(self, stack: Stack) -> None:
        def paste(seen: str) -> str:
            query = asked(address_in(seen))
            return f"{query['redirect_uri']}?error=access_denied&state={query['state']}"

        words = (*authorize(stack), "--no-browser")
        done = on_terminal(stack.cloud.env, *words, dialogue=[("Ctrl-C stops.", paste)])
        assert (done.code, stack.stored()) == (255, None)
        assert "The sign-in was denied on Figma's page." in done.out


def test_a_pair_that_cannot_be_stored(start: Start, stack: Stack) -> None:
    command = start()
    secret = stack.secret
    stack.cloud.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    page = command.allow()
    done = command.end()
    assert (page.status, done.code) == (502, 254)
    assert "ends an older one of the same user, but it could not be stored" in done.err
    assert "PutSecretValue" in done.err
    for grant in stack.cloud.standin.grants():
        for token in (grant.access_token, grant.refresh_token):
            assert token not in done.err + done.out + page.data.decode()


class TestCtrlC:
    def test_while_it_waits(self, start: Start, stack: Stack) -> None:
        command = start()
        command.process.send_signal(signal.SIGINT)
        done = command.end()
        assert done.code == 130
        assert f"Interrupted. {AGAIN}" in done.err
        assert "Traceback" not in done.err
        assert stack.stored() is None

    def test_during_the_exchange(self, start: Start, stack: Stack) -> None:
        stack.cloud.standin.fail("ExchangeCodeForToken", delay=PATIENCE)
        command = start()
        address = urllib3.util.parse_url(allowed(command.address))
        with socket.create_connection((address.host, address.port)) as tab:
            tab.sendall(f"GET {address.request_uri} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
            wait_until(lambda: exchanges(stack))
            command.process.send_signal(signal.SIGINT)
            done = command.end()
            page = tab.makefile("rb").read().decode()
        assert done.code == 130
        assert "Interrupted. A pair may or may not have been stored." in done.err
        assert page.startswith("HTTP/1.1 503 ")
        assert "tokenctl was stopped" in page


class TestAStoredPair:
    @pytest.mark.parametrize(
        ("stored", "life"),
        [
            (LIVE, lambda: f"{UNTIL} {EXPIRES:%Y-%m-%d %H:%M} UTC. This"),
            (
                {**LIVE, "expiresAt": "2099-01-02T03:04:05Z"},
                lambda: f"{UNTIL} {datetime.now(UTC) + MAX_LIFETIME:%Y-%m-%d} ",
            ),
            ({"accessToken": "figd_old", "refreshToken": "figr_old"}, lambda: ". This"),
        ],
        ids=["live", "expiry beyond belief", "no expiry"],
    )
    def test_needs_yes_without_a_terminal(
        self, refuse: Refuse, stack: Stack, stored: dict[str, str], life: Callable[[], str]
    ) -> None:
        stack.put(stored)
        message = refuse(code=252)
        expected = f"tokenctl: The secret of RefreshToken-{stack.stage} already holds a token pair{life()}"
        assert message.startswith(expected)
        assert message.endswith("Nothing was changed. Add --yes to continue without a question.\n")
        assert stack.stored() == stored

    @pytest.mark.parametrize("agreed", [True, False], ids=["agreed", "--yes"])
    def test_is_replaced_with_consent(self, stack: Stack, *, agreed: bool) -> None:
        stack.put(LIVE)
        words = (*authorize(stack), "--no-browser", *(() if agreed else ("--yes",)))
        shown = ("Ctrl-C stops.", allow_shown)
        done = on_terminal(stack.cloud.env, *words, dialogue=[("Go on? [y/N]", "y"), shown] if agreed else [shown])
        assert done.code == 0
        assert ("already holds a token pair" in done.out) is agreed
        stored = stack.stored()
        assert stored is not None
        assert stored["accessToken"] == stack.cloud.standin.live_access_token
        assert stored["note"] == LIVE["note"]
        assert datetime.fromisoformat(stored["expiresAt"]) > datetime.now(UTC)
