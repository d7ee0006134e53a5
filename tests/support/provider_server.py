"""Plays a provider as its document says (`tests/support/behaviours/*.toml`), under its real host names.

It is a proxy: whoever opens a tunnel to any host gets this server, with a certificate for that host. So a profile is
tested with the very addresses that it names. What a request lacks, has too much or has wrong is noted in `faults`.

A behaviour is written from the document by somebody who has not read the profile. Its first comment says what could
not be read. `source`, `read`; `[given]`: `params`, `keys` of the app's secret, `scope`; `[sign_in]`: `page`, `query`
that it must get, `redirect` that it adds; then the requests `[code]`, `[exchange]`, `[[steps]]`, `[refresh]`,
`[revoke]` and `[user]`: `method`, `url`, `type` (form, json, query or none), `fields` that must be there (`others =
"ignored"` allows more), `headers`, `status`, `answer`, and `life` in seconds. `old` in `[refresh]` says what becomes
of the refresh token that was sent: `works`, `dead`, or `grace:` with seconds. `[[refusals]]`: `when`, `status`,
`answer`, `means` (grant, app, settings or later), `documented`. `[jwt]`: `alg`, `header`, `claims`, `absent`,
`max_seconds`. `[values]`: what consumers get. In all of them `{id}`, `{secret}`, `{code}`, `{redirect}`,
`{verifier}`, `{challenge}`, `{access}`, `{refresh}`, `{new_access}`, `{new_refresh}`, `{jwt}`, `{basic(id:secret)}`,
`{now+3600}` and `{epoch+3600}` stand for what they say.
"""

import base64
import json
import re
import socket
import ssl
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from tests.support.certificates import Authority
from tests.support.signed_jwt import verified
from tests.support.token_server import accepting

BEHAVIOURS: Final = Path(__file__).with_name("behaviours")
TYPES: Final = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
STEPS: Final = ("code", "exchange", "refresh", "revoke", "user")
GET: Final = {"method": "GET", "type": "none"}
HANDING_OUT: Final = ("code", "exchange", "refresh")

_MOMENT: Final = re.compile(r"\{(now|epoch)\+(\d+)(?::([^}]+))?\}")
_BASIC: Final = re.compile(r"\{basic\((\w*)(?::(\w*))?\)\}")


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    method: str
    url: str
    """Without the query."""

    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def type(self) -> str:
        """How its fields are sent."""
        content = self.headers.get("content-type", "").split(";")[0].strip()
        by_content = {content_type: name for name, content_type in TYPES.items()}
        return by_content.get(content, content) if self.body else "query" if self.query else "none"

    def fields(self, kind: str) -> dict[str, Any]:
        if kind == "json":
            document = json.loads(self.body or b"{}")
            return document if isinstance(document, dict) else {"": document}
        text = self.body.decode() if kind == "form" else ""
        return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))) or dict(self.query)


@dataclass
class Provider:
    """A provider with one app, one grant and its tokens. `known` holds what the placeholders stand for."""

    behaviour: Mapping[str, Any]
    public_key: PublicKeyTypes | None = None
    known: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """The steps that were asked for, in order."""

    refusal: Mapping[str, Any] | None = None
    """What the next refresh is answered with, if it is a refusal."""

    def __post_init__(self) -> None:
        given = self.behaviour.get("given", {})
        self.known |= {"id": "canary-id", "secret": "canary-secret", "scope": given.get("scope", "")}
        self.known |= given.get("params", {}) | given.get("keys", {})
        self.known |= {"access": f"canary-access-{token_hex(8)}", "refresh": f"canary-refresh-{token_hex(8)}"}

    def page(self, url: str) -> dict[str, str]:
        """Return what the redirect brings after a person has agreed on the page at `url`."""
        sign_in, (address, _, _) = self.behaviour["sign_in"], url.partition("?")
        query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
        self.known |= {"redirect": "http://127.0.0.1:8976/callback", "code": f"canary-code-{token_hex(8)}"}
        if "code_challenge" in query:
            self.known["challenge"] = query["code_challenge"]
            self.known["challenge_method"] = query.get("code_challenge_method", "plain")
        self._expect("the page", self._filled(sign_in["page"]), address)
        for name, wanted in sign_in.get("query", {}).items():
            self._expect(f"the page's {name}", self._filled(wanted), query.get(name))
        if not query.get("state"):
            self.faults.append("the page got no state")
        return {name: self._filled(value) for name, value in sign_in.get("redirect", {}).items()}

    def respond(self, asked: Asked) -> tuple[int, str]:
        """Answer a request: status and body."""
        step = self._step_of(asked)
        if step is None:
            self.faults.append(f"nothing is at {asked.method} {asked.url} for these fields")
            return 404, '{"error": "not_found"}'
        name, wanted = step
        self.asked.append(name)
        self._check(name, wanted, asked)
        if name == "refresh" and self.refusal:
            return self.refusal["status"], self._filled(self.refusal["answer"])
        return wanted.get("status", 200), self._answer(name, wanted)

    def _step_of(self, asked: Asked) -> tuple[str, Mapping[str, Any]] | None:
        """Return the step at this address whose fixed fields fit best."""
        steps = {name: {**(GET if name == "user" else {}), **step} for name, step in self._steps()}
        found = [(self._likeness(step, asked), name, step) for name, step in steps.items() if self._is_at(step, asked)]
        return max(found, key=lambda one: one[0])[1:] if found else None

    def _steps(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for number, step in enumerate(self.behaviour.get("steps", ())):
            yield f"step {number + 1}", step
        yield from ((name, self.behaviour[name]) for name in STEPS if name in self.behaviour)

    def _is_at(self, step: Mapping[str, Any], asked: Asked) -> bool:
        url = urlsplit(self._filled(step["url"]))
        own = dict(parse_qsl(url.query, keep_blank_values=True))
        at = f"{url.scheme}://{url.netloc}{url.path}"
        return (step.get("method", "POST"), at) == (asked.method, asked.url) and own.items() <= asked.query.items()

    def _likeness(self, step: Mapping[str, Any], asked: Asked) -> tuple[int, int]:
        fields = asked.fields(step.get("type", "form"))
        fixed = {name: value for name, value in step.get("fields", {}).items() if "{" not in str(value)}
        fitting = sum(fields.get(name) == value for name, value in fixed.items())
        return fitting - len(fixed), fitting

    def _check(self, name: str, step: Mapping[str, Any], asked: Asked) -> None:
        kind = step.get("type", "form")
        self._expect(f"{name}: the form of the fields", kind, asked.type)
        fields, wanted = asked.fields(kind), dict(step.get("fields", {}))
        if kind == "query":
            own = dict(parse_qsl(urlsplit(self._filled(step["url"])).query, keep_blank_values=True))
            fields = {name: value for name, value in fields.items() if name not in own}
        for key, value in wanted.items():
            self._match(f"{name}: {key}", value, fields.get(key))
        for key in set(fields) - set(wanted) if step.get("others") != "ignored" else ():
            self.faults.append(f"{name}: {key} was not asked for")
        for key, value in step.get("headers", {}).items():
            self._match(f"{name}: header {key}", value, asked.headers.get(key.lower()))
        if "Authorization" not in step.get("headers", {}) and "authorization" in asked.headers:
            self.faults.append(f"{name}: an Authorization that nobody asked for")

    def _match(self, what: str, wanted: object, found: object) -> None:
        if isinstance(wanted, dict) and isinstance(found, dict):
            for key in wanted.keys() | found.keys():
                self._match(f"{what}.{key}", wanted.get(key), found.get(key))
        elif not isinstance(wanted, str):
            self._expect(what, wanted, found)
        elif "{verifier}" in wanted:
            self.faults += [] if isinstance(found, str) and self._proves(found) else [f"{what} proves nothing"]
        elif "{jwt}" in wanted:
            before, after = wanted.split("{jwt}")
            token = str(found).removeprefix(before).removesuffix(after)
            self.faults += [f"{what}: {fault}" for fault in self._jwt_faults(token)]
        else:
            self._expect(what, self._filled(wanted), found)

    def _proves(self, verifier: str) -> bool:
        """Tell whether it is the verifier of the page's challenge (RFC 7636, 4.6)."""
        hashed = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
        return self.known.get("challenge") == (hashed if self.known.get("challenge_method") == "S256" else verifier)

    def _jwt_faults(self, token: str) -> Iterator[str]:
        jwt = self.behaviour["jwt"]
        assert self.public_key is not None
        header, claims = verified(token, self.public_key, jwt["alg"])
        wanted = {"header": (jwt.get("header", {}), header), "claims": (jwt.get("claims", {}), claims)}
        for part, (wants, has) in wanted.items():
            for key, value in wants.items():
                if has.get(key) != self._deep(value):
                    yield f"the {part}'s {key} is {has.get(key)!r}"
            yield from (f"the {part} has {key}" for key in jwt.get("absent", ()) if key in has)
        life = jwt.get("max_seconds", 3600)
        if not 0 < int(claims["exp"]) - int(datetime.now(UTC).timestamp()) <= life:
            yield "it lives too long, or not at all"

    def _deep(self, value: Any) -> Any:
        return self._filled(value) if isinstance(value, str) else value

    def _answer(self, name: str, step: Mapping[str, Any]) -> str:
        new = {"new_access": f"canary-access-{token_hex(8)}", "new_refresh": f"canary-refresh-{token_hex(8)}"}
        answer = self._filled(step.get("answer", ""), new)
        if name in HANDING_OUT:
            self.known["access"] = new["new_access"]
            if "{new_refresh}" in step.get("answer", ""):
                self.known["refresh"] = new["new_refresh"]
        return answer

    def _filled(self, text: str, new: Mapping[str, str] | None = None) -> str:
        def moment(found: re.Match[str]) -> str:
            at = datetime.now(UTC) + timedelta(seconds=int(found[2]))
            if found[1] == "epoch":
                return str(int(at.timestamp()))
            return at.strftime(found[3]) if found[3] else at.isoformat(timespec="seconds").replace("+00:00", "Z")

        def basic(found: re.Match[str]) -> str:
            user, password = (self.known.get(found[group] or "", "") for group in (1, 2))
            return base64.b64encode(f"{user}:{password}".encode() if found[2] is not None else user.encode()).decode()

        text = _BASIC.sub(basic, _MOMENT.sub(moment, text))
        for name, value in {**self.known, **(new or {})}.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def _expect(self, what: str, wanted: object, found: object) -> None:
        if wanted != found:
            self.faults.append(f"{what} is {found!r}, not {wanted!r}")


def behaviours() -> tuple[str, ...]:
    """Return the names of the providers whose behaviour is described."""
    return tuple(sorted(file.stem for file in BEHAVIOURS.glob("*.toml")))


def behaviour(name: str) -> dict[str, Any]:
    return tomllib.loads((BEHAVIOURS / f"{name}.toml").read_text(encoding="utf-8"))


@dataclass
class ProviderServer:
    """Where the played provider is: `port` is that of the proxy, `authority` signs its certificates."""

    authority: Authority
    port: int = 0
    provider: Provider | None = None
    contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)
    tunnels: list[socket.socket] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead every https connection here."""
        return {
            "HTTPS_PROXY": f"http://127.0.0.1:{self.port}",
            "https_proxy": f"http://127.0.0.1:{self.port}",
            "AWS_CA_BUNDLE": str(self.authority.bundle),
        }

    def serve(self, client: socket.socket, _: int) -> None:
        with suppress(OSError), client, client.makefile("rb") as stream:
            line = stream.readline().decode()
            while stream.readline().strip():
                pass
            host = line.split()[1].rsplit(":", 1)[0]
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with self._context(host).wrap_socket(client, server_side=True) as tunnel, tunnel.makefile("rb") as inner:
                self.tunnels.append(tunnel)
                while asked := _read(inner, host):
                    status, body = self._respond(asked)
                    content = body.encode()
                    kind = "application/json" if body[:1] in ("{", "[") else "text/plain"
                    head = (
                        f"HTTP/1.1 {status} Whatever\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
                    )
                    tunnel.sendall(head.encode() + content)

    def _respond(self, asked: Asked) -> tuple[int, str]:
        assert self.provider is not None
        try:
            return self.provider.respond(asked)
        except Exception as error:  # noqa: BLE001 - a fault of the request or of the behaviour: the test shows it
            self.provider.faults.append(f"{asked.method} {asked.url}: {error!r}")
            return 500, ""

    def _context(self, host: str) -> ssl.SSLContext:
        if host not in self.contexts:
            self.contexts[host] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self.contexts[host].load_cert_chain(self.authority.issue(host))
        return self.contexts[host]


def _read(stream: Any, host: str) -> Asked | None:
    line = stream.readline().decode().split()
    if not line:
        return None
    headers: dict[str, str] = {}
    while header := stream.readline().decode().strip():
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    path, _, query = line[1].partition("?")
    body = stream.read(int(headers.get("content-length", "0")))
    fields = dict(parse_qsl(query, keep_blank_values=True))
    return Asked(line[0], f"https://{host}{path}", fields, headers, body)


@contextmanager
def provider_server(folder: Path) -> Iterator[ProviderServer]:
    """Serve until the block ends. The block sets `provider`."""
    server = ProviderServer(Authority(folder, "providers"))
    with accepting(server.serve) as server.port:
        yield server
        for tunnel in server.tunnels:  # the clients keep their connections, which would keep the threads
            with suppress(OSError):
                socket.socket.shutdown(tunnel, socket.SHUT_RDWR)
