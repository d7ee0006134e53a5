"""A record of every call, so that tests can count the calls to the provider. It holds digests, never tokens."""

import dataclasses
import hashlib
import json
import threading
from dataclasses import dataclass

from werkzeug import Request


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of one operation.

    `at` is in epoch seconds. `status` is None while the call runs, and stays None if the connection was dropped.
    """

    operation: str
    at: float
    request_id: str
    credential: str | None
    user: str | None = None
    """Whose token or code it is, if the stand-in issued it."""
    port: int | None = None
    """The caller's end of the connection."""
    status: int | None = None


class CallRecord:
    """The calls so far, in order of arrival. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, Call] = {}

    def begin(self, call: Call) -> None:
        """Record that a call arrived."""
        with self._lock:
            self._calls[call.request_id] = call

    def finish(self, request_id: str, status: int) -> None:
        """Record the status of its answer, unless the record was cleared in the meantime."""
        with self._lock:
            if call := self._calls.get(request_id):
                self._calls[request_id] = dataclasses.replace(call, status=status)

    def all(self) -> list[Call]:
        """Return every call, in order of arrival."""
        with self._lock:
            return list(self._calls.values())

    def clear(self) -> None:
        """Forget every call."""
        with self._lock:
            self._calls.clear()


def digest(token: str) -> str:
    """Return the digest that the record keeps instead of a token: good for comparing, useless as a token."""
    return hashlib.sha256(token.encode()).hexdigest()[:12]


def credential_of(request: Request) -> str | None:
    """Return the token or code in a request of any operation."""
    try:
        body = json.loads(request.get_data())
    except ValueError:
        body = None
    json_body = body if isinstance(body, dict) else {}
    candidates = [
        *(json_body.get(name) for name in ("token", "code")),
        *(request.form.get(name) for name in ("refresh_token", "code")),
        bearer_token(request),
    ]
    return next((value for value in candidates if isinstance(value, str) and value), None)


def bearer_token(request: Request) -> str | None:
    """Return the access token in `Authorization: Bearer` or, as Figma also takes it, in `X-Figma-Token`."""
    if request.authorization and request.authorization.type == "bearer":
        return request.authorization.token
    return request.headers.get("X-Figma-Token")
