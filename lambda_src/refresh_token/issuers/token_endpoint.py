"""An issuer's token endpoint (RFC 6749, 3.2): posts a request, repeats it where that is safe, reads the answer."""

import time
from functools import cached_property
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from refresh_token.adapters.deadline import Deadline
from refresh_token.core.text import is_access_token
from refresh_token.issuers.dialling import CONNECT_TIMEOUT
from refresh_token.issuers.https_connection import READ_TIMEOUT, HttpsConnection, NoReply, Reply
from refresh_token.issuers.refusal_errors import no_token_answer, unavailable
from refresh_token.issuers.retries import pause_before_retry
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


class TokenEndpoint:
    """The endpoint at `url`. `repeatable` says that the issuer may act on the same request twice without harm."""

    def __init__(self, url: str, *, repeatable: bool) -> None:
        self._url = url
        self._repeatable = repeatable
        self._min_time = MIN_EXCHANGE_TIME if repeatable else MIN_FINAL_EXCHANGE_TIME

    def post(self, request: TokenRequest, deadline: Deadline) -> TokenResponse:
        """Send a request and return the answer, a token or a refusal, by the deadline. Retries are included.

        Raises:
            IssuerUnavailableException: the issuer did not answer.
            IssuerProtocolException: the issuer answered with success, but with nothing that can be read.
            ConfigurationException: AWS_CA_BUNDLE or HTTPS_PROXY cannot be used.

        """
        body, headers = request.body, request.all_headers(_USER_AGENT)
        for attempt in range(MAX_ATTEMPTS):
            got = self._connection.post(body, headers, deadline=deadline, min_time=self._min_time)
            pause = pause_before_retry(got, attempt, repeatable=self._repeatable)
            last = attempt + 1 == MAX_ATTEMPTS or _has_token(got)
            if last or pause is None or not deadline.allows(pause + MAX_ATTEMPT_TIME):
                break
            time.sleep(pause)
        return _response(got)

    @cached_property
    def _connection(self) -> HttpsConnection:
        return HttpsConnection(self._url, function_tls_context() if urlsplit(self._url).scheme == "https" else None)


def _has_token(got: Reply | NoReply) -> bool:
    """Tell whether a reply holds a usable access token, whatever its status: the refresh token is spent then."""
    document = members(got.body, got.content_type) if isinstance(got, Reply) else None
    return is_access_token((document or {}).get("access_token"))


def _response(got: Reply | NoReply) -> TokenResponse:
    if isinstance(got, NoReply):
        raise unavailable(got.what, trusted=got.trusted)
    document = members(got.body, got.content_type)
    if document is None and HTTPStatus.OK <= got.status < HTTPStatus.MULTIPLE_CHOICES:
        raise no_token_answer("it is not a JSON object, or it is too long")
    return TokenResponse(got.status, document or {}, challenge=got.challenge)
