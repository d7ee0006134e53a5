"""An issuer's token endpoint (RFC 6749, 3.2): sends a request, repeats it where that is safe, reads the answer."""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from refresh_token.adapters.deadline import Deadline
from refresh_token.core.text import is_access_token
from refresh_token.issuers.dialling import CONNECT_TIMEOUT
from refresh_token.issuers.https_connection import READ_TIMEOUT, HttpsConnection, NoReply, Reply
from refresh_token.issuers.refusal_errors import no_token_answer, unavailable
from refresh_token.issuers.retries import pause_before_retry, retry_after
from refresh_token.issuers.tls import function_tls_context
from refresh_token.oauth.body import members
from refresh_token.oauth.requests import TokenRequest
from refresh_token.oauth.responses import TokenResponse

MAX_ATTEMPTS: Final = 3
MAX_ATTEMPT_TIME: Final = CONNECT_TIMEOUT + READ_TIMEOUT

MIN_EXCHANGE_TIME: Final = 1.0
"""With fewer seconds than this left, nothing is sent: the answer would most likely come too late."""

MIN_FINAL_EXCHANGE_TIME: Final = 2.0
"""The same for a request that must not be sent twice, so that its answer must not be missed."""

_USER_AGENT: Final = "refresh-token"


Read = Callable[[TokenResponse], TokenResponse]
"""Brings an issuer's answer into the standard's form."""


class TokenEndpoint:
    """An issuer's endpoints, with one kept connection for each host.

    `repeatable` says that the issuer may act on the same request twice without harm; `any_text`, that an answer may be
    a token and nothing else; `attempts`, how often a request is sent at most.
    """

    def __init__(
        self,
        *,
        repeatable: bool,
        read: Read = lambda response: response,
        any_text: bool = False,
        attempts: int = MAX_ATTEMPTS,
    ) -> None:
        self._repeatable = repeatable
        self._attempts = attempts
        self._read = read
        self._any_text = any_text
        self._connections: dict[str, HttpsConnection] = {}
        self._min_time = MIN_EXCHANGE_TIME if repeatable else MIN_FINAL_EXCHANGE_TIME

    def send(self, request: TokenRequest, deadline: Deadline) -> TokenResponse:
        """Send a request and return the answer, a token or a refusal, by the deadline. Retries are included.

        Raises:
            IssuerUnavailableException: the issuer did not answer.
            IssuerProtocolException: the issuer answered with success, but with nothing that can be read.
            ConfigurationException: AWS_CA_BUNDLE or HTTPS_PROXY cannot be used.

        """
        connection, headers = self._connection(request.address), request.all_headers(_USER_AGENT)
        target = urlunsplit(("", "", *urlsplit(request.address)[2:])) or "/"
        for attempt in range(self._attempts):
            got = connection.send(
                request.method, target, request.body, headers, deadline=deadline, min_time=self._min_time
            )
            pause = pause_before_retry(got, attempt, repeatable=self._repeatable)
            last = attempt + 1 == self._attempts or self._has_token(got)
            if last or pause is None or not deadline.allows(pause + MAX_ATTEMPT_TIME):
                break
            time.sleep(pause)
        return self._response(got)

    def _connection(self, address: str) -> HttpsConnection:
        parts = urlsplit(address)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._connections:
            context = function_tls_context() if parts.scheme == "https" else None
            self._connections[origin] = HttpsConnection(origin, context)
        return self._connections[origin]

    def _has_token(self, got: Reply | NoReply) -> bool:
        """Tell whether a reply holds a usable access token, whatever its status: the refresh token is spent then."""
        return isinstance(got, Reply) and is_access_token(self._answer(got).document.get("access_token"))

    def _response(self, got: Reply | NoReply) -> TokenResponse:
        if isinstance(got, NoReply):
            raise unavailable(got.what, trusted=got.trusted)
        readable = members(got.body, got.content_type) is not None or (self._any_text and got.body is not None)
        if not readable and HTTPStatus.OK <= got.status < HTTPStatus.MULTIPLE_CHOICES:
            raise no_token_answer("it is not a JSON object, or it is too long")
        return self._answer(got)

    def _answer(self, reply: Reply) -> TokenResponse:
        document = members(reply.body, reply.content_type) or {}
        text = (reply.body or b"").decode(errors="replace") if self._any_text else ""
        return self._read(TokenResponse(reply.status, document, reply.challenge, text, retry_after(reply.retry_after)))
