"""An OAuth server that nobody here wrote: the npm package oidc-provider, in a process of its own."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote, urlencode

import urllib3

CLIENT_ID = "canary:app"
CLIENT_SECRET = "canary +&%=:/~secret"
"""Characters that HTTP Basic must form-encode (RFC 6749, 2.3.1)."""


@dataclass(frozen=True)
class OidcProvider:
    url: str

    def sign_in(self) -> str:
        """Return the first refresh token of a new grant."""
        answer = urllib3.request("POST", f"{self.url}/sign-in", timeout=10)
        return str(json.loads(answer.data)["refresh_token"])

    def accepts(self, access_token: str) -> bool:
        headers = {"Authorization": f"Bearer {access_token}"}
        return urllib3.request("GET", f"{self.url}/me", headers=headers, timeout=10).status == HTTPStatus.OK

    def revoke(self, token: str) -> None:
        """Revoke a token and its grant (RFC 7009)."""
        login = urllib3.make_headers(basic_auth=f"{quote(CLIENT_ID, safe='')}:{quote(CLIENT_SECRET, safe='')}")
        headers = {**login, "Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode({"token": token})
        answer = urllib3.request("POST", f"{self.url}/token/revocation", body=body, headers=headers, timeout=10)
        assert answer.status == HTTPStatus.OK


@contextmanager
def oidc_provider() -> Iterator[OidcProvider]:
    """Run the server until its input ends. It needs `node` on PATH and the packages that `npm ci` installs."""
    program = Path(__file__).with_suffix(".mjs")
    command = [str(shutil.which("node")), str(program), CLIENT_ID, CLIENT_SECRET]
    # `node` may be a script that starts the real one, so ending the process would leave that one behind.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        port = process.stdout.readline().strip()
        assert port, "it did not start: run npm ci"
        try:
            yield OidcProvider(f"http://127.0.0.1:{port}")
        finally:
            process.stdin.close()
