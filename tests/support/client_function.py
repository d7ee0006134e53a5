"""What the client talks to over real sockets: Lambda's Invoke with a refresh function behind it, and Figma's API.

The function behaves as the real one does, in memory: it has one live token, which a report of the current version
replaces and a report of another version does not.
"""

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from tests.support.http_server import App

LIFE = 90 * 86_400
NAME = "refresh"
ARN = f"arn:aws:lambda:eu-west-1:123456789012:function:{NAME}:live"
PARAMETER = "/RefreshToken/test/function-arn"


def token_of(version: int) -> str:
    return f"figd_canary-{version}"


def raised(name: str, message: str) -> Response:
    """Return Lambda's answer after a function raised."""
    body = json.dumps({"errorType": name, "errorMessage": message, "stackTrace": []})
    return Response(body, 200, {"X-Amz-Function-Error": "Unhandled"})


def refused(status: int, code: str, message: str = "No.") -> Response:
    """Return an error from Lambda itself."""
    return Response(json.dumps({"Message": message}), status, {"x-amzn-ErrorType": code})


@dataclass
class Function(App):
    """Lambda with the refresh function. ``faults`` answer one request each, ``fault`` answers all of them.

    It is a fleet's function, too: each name that it is asked for is a connection with a token of its own.
    """

    name: str | None = None
    connections: dict[str, "Function"] = field(default_factory=dict)
    version: int = 1
    alive: bool = True
    """Whether the API accepts the current token."""
    age: float = 86_400
    """Seconds since the current token was issued."""
    is_dated: bool = True
    """Whether answers say when that was."""
    damps: bool = False
    """Whether it leaves a version alone that is reported within its first 30 seconds."""
    said: dict[str, Any] = field(default_factory=dict)
    """What answers say beside the token: `provider`, `scope`, `values`, `api`."""
    expires_in: int = LIFE
    state: str = "fresh"
    events: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    refreshes: int = 0
    faults: list[Response] = field(default_factory=list)
    fault: Response | None = None
    slow: threading.Event | None = None
    """Answers wait until it is set."""
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    parameter: str = ARN
    parameter_fault: Response | None = None
    parameter_reads: int = 0
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def token(self) -> str:
        return token_of(self.version) + (f"-{self.name.replace('/', '.')}" if self.name else "")

    @property
    def version_id(self) -> str:
        return f"version-{self.version}"

    def kill(self) -> None:
        """Kill the live token without the function noticing, some time after it was issued."""
        self.alive, self.age = False, 3600

    def refresh(self) -> None:
        """Replace the token, as a tick or another consumer's report does."""
        self.version, self.alive, self.age = self.version + 1, True, 0
        self.refreshes += 1

    def connection(self, name: str) -> "Function":
        return self.connections.setdefault(name, Function(name=name))

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        if self.name is None and "connection" in event:
            return self.connection(event["connection"]).answer(event)
        if event.get("failedVersionId") == self.version_id and not (self.damps and self.age < 30):
            self.refresh()
        dated = {"refreshedAt": (datetime.now(UTC) - timedelta(seconds=self.age)).isoformat()}
        return (dated if self.is_dated else {}) | {
            "accessToken": self.token,
            "expiresIn": self.expires_in,
            "expiresAt": (datetime.now(UTC) + timedelta(seconds=self.expires_in)).isoformat(),
            "versionId": self.version_id,
            "state": self.state,
            **({"connection": self.name} if self.name else {}),
            **self.said,
        }

    def respond(self, request: Request) -> Response:
        return self._parameter(request) if "X-Amz-Target" in request.headers else self._invoke(request)

    def _parameter(self, request: Request) -> Response:
        self.parameter_reads += 1
        assert request.headers["X-Amz-Target"] == "AmazonSSM.GetParameter"
        assert request.get_json(force=True)["Name"] == PARAMETER
        value = Response(json.dumps({"Parameter": {"Name": PARAMETER, "Value": self.parameter}}))
        return self.parameter_fault or value

    def _invoke(self, request: Request) -> Response:
        event = json.loads(request.get_data())
        with self._lock:
            self.paths.append(request.path)
            self.events.append(event)
        self.asked.release()
        if self.slow:
            self.slow.wait()
        with self._lock:
            if self.faults:
                return self.faults.pop(0)
            return self.fault or Response(json.dumps(self.answer(event)))


@dataclass
class Api(App):
    """A provider's API. It accepts the function's live token, and only in the headers that the function tells."""

    function: Function
    rejection: int = 403
    says: str = "No."
    """The body of a rejection."""
    says_on_success: str = ""
    challenge: str = "Bearer"
    encoding: str = "identity"
    is_public: bool = False
    """Whether it asks for no token."""
    url: str = ""
    forbidden: set[str] = field(default_factory=lambda: {"/forbidden"})
    redirects: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[str, str | None, bytes]] = field(default_factory=list)
    """(path, Authorization, body) of each request. Other headers for the token are noted like that one."""

    def respond(self, request: Request) -> Response:
        authorization = self.authorization_in(request)
        self.seen.append((request.path, authorization, request.get_data()))
        live = self.is_public or (self.function.alive and authorization == f"Bearer {self.function.token}")
        if request.path in self.forbidden or not live:
            headers = {"WWW-Authenticate": self.challenge, "Content-Encoding": self.encoding}
            return Response(self.says, self.rejection, headers)
        if request.path in self.redirects:
            return Response("", 302, {"Location": self.redirects[request.path]})
        return Response(self.says_on_success or f"hello {request.get_data().decode()}")

    def authorization_in(self, request: Request) -> str | None:
        wants = self.function.said.get("api", {})
        scheme, given = wants.get("scheme", "Bearer"), request.headers.get(wants.get("header", "Authorization"))
        more = {name: request.headers.get(name) for name in wants.get("headers", {})}
        if {given, *more.values()} == {None}:
            return None
        as_told = (given or "").startswith(scheme) and more == wants.get("headers", {})
        return (
            f"Bearer {(given or '').removeprefix(scheme).lstrip()}"
            if as_told
            else f"{given} with {more}"
            if more
            else given
        )
