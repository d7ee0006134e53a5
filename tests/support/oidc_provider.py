"""An OAuth server that nobody here wrote: the npm package oidc-provider, in a process of its own."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

CLIENT_ID = "canary:app"
CLIENT_SECRET = "canary +&%=:/~secret"
"""Characters that HTTP Basic must form-encode (RFC 6749, 2.3.1)."""


@dataclass(frozen=True)
class OidcProvider:
    url: str

    def sign_in(self, client: str = CLIENT_ID) -> str:
        """Return the first refresh token of a new grant."""
        answer = urllib3.request("POST", f"{self.url}/sign-in?{urlencode({'client': client})}", timeout=10)
        return str(json.loads(answer.data)["refresh_token"])

    @property
    def profile(self) -> dict[str, Any]:
        """Describe this server as a profile."""
        address = {
            "authorize": "auth",
            "token": "token",
            "revoke": "token/revocation",
            "introspect": "token/introspection",
            "device": "device/auth",
            "register": "reg",
        }
        return {
            "name": "acme",
            "title": "Acme",
            "grant": "refresh_token",
            "address": {key: f"{self.url}/{path}" for key, path in address.items()},
            "sign_in": {"scopes": ["openid", "offline_access"]},
        }

    def pair(self) -> dict[str, str]:
        """Return a live pair of a new grant, in the form of the server's answer."""
        answer = self._post("token", grant_type="refresh_token", refresh_token=self.sign_in())
        return {key: answer[key] for key in ("access_token", "refresh_token", "expires_in")}

    def registered(self, address: str, token: str) -> Any:
        """Return a client that was registered (RFC 7592)."""
        answer = urllib3.request("GET", address, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        return json.loads(answer.data)

    def answer_device(self, user_code: str, *, allow: bool) -> None:
        """Do what a person does at the verification address."""
        path = f"device/{'allow' if allow else 'deny'}?user_code={quote(user_code)}"
        assert urllib3.request("POST", f"{self.url}/{path}", timeout=10).status == HTTPStatus.OK

    def accepts(self, access_token: str) -> bool:
        headers = {"Authorization": f"Bearer {access_token}"}
        return urllib3.request("GET", f"{self.url}/me", headers=headers, timeout=10).status == HTTPStatus.OK

    def revoke(self, token: str) -> None:
        """Revoke a token and its grant (RFC 7009)."""
        self._post("token/revocation", token=token)

    def _post(self, path: str, **parameters: str) -> Any:
        login = urllib3.make_headers(basic_auth=f"{quote(CLIENT_ID, safe='')}:{quote(CLIENT_SECRET, safe='')}")
        headers = {**login, "Content-Type": "application/x-www-form-urlencoded"}
        answer = urllib3.request("POST", f"{self.url}/{path}", body=urlencode(parameters), headers=headers, timeout=10)
        assert answer.status == HTTPStatus.OK, answer.data
        return json.loads(answer.data or "{}")


@contextmanager
def oidc_provider(*clients: Mapping[str, object]) -> Iterator[OidcProvider]:
    """Run the server, which knows these clients as well, until its input ends.

    It needs `node` on PATH and the packages that `npm ci` installs.
    """
    program = Path(__file__).with_suffix(".mjs")
    command = [str(shutil.which("node")), str(program), CLIENT_ID, CLIENT_SECRET, json.dumps(clients)]
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
