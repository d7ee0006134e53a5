"""Auth for requests: ``session.auth = TokenAuth(client)``, or ``auth=TokenAuth(client)`` for a single request."""

from collections.abc import Collection
from functools import partial
from typing import Any, Final

from requests import PreparedRequest, Response
from requests.auth import AuthBase
from requests.exceptions import UnrewindableBodyError
from requests.utils import rewind_body

from token_client.auth.rejections import REJECTED, Rejections, Trial
from token_client.errors import TokenClientError
from token_client.source import TokenSource

_HEADER: Final = "Authorization"


class TokenAuth(AuthBase):
    """Adds the token, and retries once with another one if the API rejects it (`rejected_statuses`).

    A generator's body cannot be sent again, so the adapter reports the rejection and returns the answer as it is. On a
    redirect to another host requests drops the token, and the adapter ignores that host's rejection.

    Raises:
        TokenClientError: from the request, if no token is available.

    """

    def __init__(self, source: TokenSource, *, rejected_statuses: Collection[int] = REJECTED) -> None:
        self._rejections = Rejections(source, statuses=rejected_statuses)

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Sign a request."""
        trial = self._rejections.begin()
        r.headers[_HEADER] = trial.token.authorization
        r.register_hook("response", partial(_answered, trial))
        return r


def _answered(trial: Trial, response: Response, **sending: Any) -> Response:  # noqa: ANN401 - requests' own
    """Handle an answer; a redirected request inherits this hook."""
    # Send through the adapter: the session would call the hooks again.
    while _should_repeat(trial, response):
        # Read the body to its end, so that the connection can be reused.
        _ = response.content
        response.close()
        # Sign the original as well: requests derives a redirect that follows from it.
        response.request.headers[_HEADER] = trial.token.authorization
        again = response.request.copy()
        answer: Response = response.connection.send(again, **sending)
        answer.history.append(response)
        answer.request = again
        response = answer
    return response


def _should_repeat(trial: Trial, response: Response) -> bool:
    if response.request.headers.get(_HEADER) != trial.token.authorization:
        return False  # another host's answer
    try:
        return trial.should_repeat(response.status_code, can_repeat=partial(_rewind, response.request))
    except TokenClientError:
        response.close()
        raise


def _rewind(request: PreparedRequest) -> bool:
    """Put a file back to its start. Return whether the body can be sent again: none, in memory, or a rewound file."""
    if request.body is None or isinstance(request.body, str | bytes):
        return True
    try:
        rewind_body(request)
    except UnrewindableBodyError:
        return False
    return True
