"""`tokenctl authorize` as it runs, and what it must store and hide."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import urllib3

from local.standin import CLIENT_ID, CLIENT_SECRET
from tests.support.bare_stack import Stack
from tests.support.command_line import Done
from tests.support.consent import PATIENCE, allowed, asked


@dataclass
class Command:
    """The command as it runs; `address` is where it sends the browser."""

    process: subprocess.Popen[str]
    address: str

    @property
    def asked(self) -> dict[str, str]:
        return asked(self.address)

    def redirect(self, **parameters: str) -> str:
        return f"{self.asked['redirect_uri']}?{urlencode(parameters)}"

    def visit(self, url: str) -> urllib3.BaseHTTPResponse:
        return urllib3.request("GET", url, retries=False, timeout=PATIENCE)

    def allow(self) -> urllib3.BaseHTTPResponse:
        """Allow the request and follow the redirect; return the last page."""
        return self.visit(allowed(self.address))

    def end(self) -> Done:
        """Wait for the end. The output is what followed the address."""
        output, errors = self.process.communicate(timeout=PATIENCE)
        return Done(self.process.returncode, output, errors)


Start = Callable[..., Command]
Run = Callable[..., subprocess.Popen[str]]
Refuse = Callable[..., str]


def authorize(stack: Stack) -> tuple[str, ...]:
    app = ("--client-id", CLIENT_ID) if stack.issuer == "amplify" else ()
    return ("authorize", "--stage", stack.stage, *app, "--authorize-url", f"{stack.cloud.standin.url}/oauth")


def address_in(seen: str) -> str:
    """Return the address on the terminal."""
    address = re.search(r"^http\S+", seen, re.MULTILINE)
    assert address
    return address[0]


def allow_shown(seen: str) -> None:
    """Do what a person does with the address on the terminal."""
    urllib3.request("GET", allowed(address_in(seen)), retries=False, timeout=PATIENCE)


def assert_private(command: Command, stack: Stack, *shown: str) -> None:
    """Check that no text shows state, token or client id, except for the address itself."""
    secrets = [command.asked["state"], CLIENT_ID, CLIENT_SECRET]
    for grant in stack.cloud.standin.grants():
        secrets += [grant.access_token, grant.refresh_token]
    for text in shown:
        assert not [secret for secret in secrets if secret in text.replace(command.address, "")]


def assert_stored(stack: Stack) -> None:
    """Check that the stand-in's grant is in the secret."""
    stored, grant = stack.stored(), stack.cloud.standin.grants()[0]
    assert stored is not None
    assert {key: stored[key] for key in ("provider", "accessToken", "refreshToken", "clientId")} == {
        "provider": "figma",
        "accessToken": grant.access_token,
        "refreshToken": grant.refresh_token,
        "clientId": CLIENT_ID,
    }
