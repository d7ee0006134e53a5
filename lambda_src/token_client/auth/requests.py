"""Auth for requests: ``session.auth = TokenAuth(client)``, or ``auth=TokenAuth(client)`` for a single request."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session
from requests.auth import AuthBase
from requests.exceptions import RequestException, UnrewindableBodyError
from requests.structures import CaseInsensitiveDict
from requests.utils import rewind_body

from token_client.auth.evidence import evidence_of
from token_client.auth.further_headers import headers_for
from token_client.auth.rejections import AuthAdapter, Rejections, Trial
from token_client.auth.timeouts import seconds_of
from token_client.errors import TokenClientError

_DROPPED: Final = "authorization"
"""The header that requests drops on the way to another host, whatever the header of the token is called."""

_REQUEST: Final = Session.request.__code__
_MAX_FRAMES: Final = 10
"""Session.request is four calls above an auth."""

if TYPE_CHECKING:
    _Headers = CaseInsensitiveDict[str | bytes]
else:
    _Headers = CaseInsensitiveDict  # generic only in newer versions of requests


class TokenAuth(AuthAdapter, AuthBase):
    """Adds the token, and retries once with another one if the API rejects it (`rejected_statuses`).

    Only `hosts` get the token; by default every host over https, and loopback addresses over http. A generator's body
    cannot be sent again, so the adapter reports the rejection and returns the answer as it is. On a redirect to another
    host requests drops the token, and the adapter ignores that host's rejection. No redirect gets a login from netrc.

    A pickled session, request or response holds no token. A session asks again in its new process.

    Raises:
        TokenClientError: from the request, if no token is available within its timeout.
        ClientConfigurationException: an entry of `hosts` is not a host.

    """

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Sign a request."""
        address = urlsplit(str(r.url))
        if not self._rejections.hosts.allow(address.scheme, address.hostname, address.port):
            return r
        r.headers = _SignedHeaders(r.headers, self._rejections, self._rejections.begin(_timeout_of_the_request()))
        # The first hook, because a hook that raises ends the others.
        hooks = r.hooks["response"]
        r.hooks = {**r.hooks, "response": [_answered, *(hook for hook in hooks if hook is not _answered)]}
        return r


class _SignedHeaders(_Headers):
    """A request's headers with the token, and the trial of that token.

    requests copies a request for each hop of a redirect, and would put a login from netrc into the copy. A copy of
    these headers keeps the token and continues the same trial. Sending the request again later starts a new trial.
    """

    def __init__(self, headers: Mapping[str, str | bytes], rejections: Rejections, trial: Trial) -> None:
        super().__init__(headers)
        self._rejections = rejections
        self._token, self._signed = trial.token, trial.token.headers
        self._next: Trial | None = trial
        """The trial of the next answer."""
        self.redirected: Trial | None = None
        """The trial of the last answer, if that was a redirect."""
        self._write()

    def trial(self) -> Trial:
        """Return the trial of the answer that just arrived."""
        trial = self._next or self._rejections.resume(self._token)
        self._next = self.redirected = None
        return trial

    def sign(self, trial: Trial) -> None:
        """Replace the token with the trial's, for requests that are derived from this one or sent again."""
        self._token, self._signed = trial.token, trial.token.headers
        self._write()

    def _write(self) -> None:
        for name, value in headers_for(self._token, self).items():
            super().__setitem__(name, value)

    def __contains__(self, key: object) -> bool:
        """Whether there is such a header. requests asks for the one that it drops."""
        is_signed = str(key).lower() == _DROPPED and super().__contains__(self._token.api.header)
        return is_signed or super().__contains__(key)

    def __delitem__(self, key: str) -> None:
        """Remove a header, and every header of the token with the one that requests drops."""
        for name in self._signed if key.lower() == _DROPPED else ():
            if super().__contains__(name):
                super().__delitem__(name)
        if super().__contains__(key):
            super().__delitem__(key)

    def copy(self) -> "_SignedHeaders":
        kind = _SignedHop if self.redirected else _SignedHeaders
        copied = kind(self, self._rejections, self.redirected or self._rejections.resume(self._token))
        header = self._token.api.header
        value = self.get(header)
        if value is None:
            del copied[_DROPPED]
        elif value != self._token.authorization:  # the caller's own
            _Headers.__setitem__(copied, header, value)
        return copied

    __copy__ = copy

    def __deepcopy__(self, _memo: object) -> "_SignedHeaders":
        return self.copy()

    def __reduce__(self) -> tuple[object, ...]:
        return CaseInsensitiveDict, (self._without_token(),)  # what is stored elsewhere holds no token

    def __repr__(self) -> str:
        return repr(self._without_token())

    def _without_token(self) -> dict[str, str | bytes]:
        signed = {name.lower() for name in self._signed}
        return {name: value for name, value in self.items() if name.lower() not in signed}


class _SignedHop(_SignedHeaders):
    """The headers of a redirect's next hop. They ignore a login from netrc, which would replace the token."""

    def __setitem__(self, key: str, value: str | bytes) -> None:
        if key.lower() != _DROPPED:
            super().__setitem__(key, value)


def _answered(response: Response, **send_options: Any) -> Response:  # noqa: ANN401 - requests' own
    """Handle an answer; a redirected request inherits this hook."""
    headers = response.request.headers
    if not isinstance(headers, _SignedHeaders):
        return response  # somebody replaced the headers, and the token with them
    trial = headers.trial()
    trial.timeout = seconds_of(send_options.get("timeout"))
    # Send through the adapter: the session would call the hooks again.
    while _should_repeat(trial, response, is_streamed=bool(send_options.get("stream"))):
        # Read the body to its end, so that the connection can be reused.
        _read(response)
        response.close()
        # Sign the original as well: requests derives a redirect that follows from it.
        headers.sign(trial)
        again = response.request.copy()
        again.headers = headers.copy()
        answer: Response = response.connection.send(again, **send_options)
        answer.history.append(response)
        answer.request = again
        response = answer
    headers.redirected = trial if response.is_redirect else None
    return response


def _should_repeat(trial: Trial, response: Response, *, is_streamed: bool) -> bool:
    if response.request.headers.get(trial.token.api.header) != trial.token.authorization:
        return False  # another host's answer
    challenge = response.headers.get("WWW-Authenticate", "")
    # A streamed body is the caller's to read.
    body = _read(response) if trial.is_rejection(response.status_code) and not is_streamed else b""
    try:
        return trial.should_repeat(
            response.status_code,
            evidence_of([challenge], body),
            can_repeat=partial(_can_repeat, response),
        )
    except TokenClientError:
        response.close()
        raise


def _read(response: Response) -> bytes:
    """Return the body, or nothing if it is cut off or cannot be decoded."""
    with suppress(RequestException):
        return response.content or b""
    return b""


def _can_repeat(response: Response) -> bool:
    """Put a file back to its start. Return whether the body can be sent again: none, in memory, or a rewound file."""
    request = response.request
    if not hasattr(response, "connection"):
        return False  # it comes from an adapter of the caller's
    if request.body is None or isinstance(request.body, str | bytes | bytearray | memoryview):
        return True
    try:
        rewind_body(request)
    except (UnrewindableBodyError, ValueError):  # ValueError: the file is closed
        return False
    return True


def _timeout_of_the_request() -> float | None:
    """Return the timeout of the request that is being signed. requests does not pass it to an auth."""
    frame = sys._getframe(1)  # noqa: SLF001 - inspect's function for it reads source files
    for _ in range(_MAX_FRAMES):
        if frame.f_code is _REQUEST:
            return seconds_of(frame.f_locals.get("timeout"))
        if frame.f_back is None:
            break
        frame = frame.f_back
    return None
