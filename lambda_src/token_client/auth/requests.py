"""Auth for requests: ``session.auth = TokenAuth(client)``, or ``auth=`` of a single request."""

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
    """Adds the token, and tries once more with another when it is rejected (`rejected_statuses`).

    The body of a generator cannot be sent again: then the rejection is reported and the answer returned as it is. A
    redirect to another host loses the token, as requests sees to it, and what that host says is not about the token.

    Raises:
        TokenClientError: from the request, when there is no token to be had.

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
    """Look at an answer, also that of a redirected request, which inherits this hook."""
    # Straight to the adapter: hooks are the session's business, so nothing else calls this meanwhile.
    while _is_to_be_repeated(trial, response):
        # Read to the end, so that the connection can be used again.
        _ = response.content
        response.close()
        # The request itself as well: a redirect that comes next is made from it.
        response.request.headers[_HEADER] = trial.token.authorization
        again = response.request.copy()
        answer: Response = response.connection.send(again, **sending)
        answer.history.append(response)
        answer.request = again
        response = answer
    return response


def _is_to_be_repeated(trial: Trial, response: Response) -> bool:
    if response.request.headers.get(_HEADER) != trial.token.authorization:
        return False  # another host's answer
    try:
        return trial.is_to_be_repeated(response.status_code, can_be=partial(_rewound, response.request))
    except TokenClientError:
        response.close()
        raise


def _rewound(request: PreparedRequest) -> bool:
    """Whether the body can be sent again: there is none, it is in memory, or a file that was put back to its start."""
    if request.body is None or isinstance(request.body, str | bytes):
        return True
    try:
        rewind_body(request)
    except UnrewindableBodyError:
        return False
    return True
