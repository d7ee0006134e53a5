"""The code for a token pair, through Amplify UI Builder's ExchangeCodeForToken."""

import json
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from refresh_token.token_pair import PROVIDER, TokenPair
from tokenctl.errors import ServiceError, TokenctlError
from tokenctl.sign_in.consent import Consent
from tokenctl.sign_in.issued import pair_issued
from tokenctl.stack.target import Connection, explained

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 25
"""A code lives 30 seconds: nothing is gained by waiting longer for the first answer."""

_ANSWER_KEYS: Final = ("accessToken", "expiresIn", "refreshToken")
_CODE_KEYS: Final = ("__type", "code", "Code")
"""Where a REST-JSON error has its code, if not in the header `x-amzn-ErrorType`."""


def exchange_client(connection: Connection) -> Any:  # noqa: ANN401 - as Connection.client
    """Return the client that exchanges codes; raises ConfigurationError, for instance without a region."""
    client = replace(
        connection,
        connect_timeout=CONNECT_SECONDS if connection.connect_timeout is None else connection.connect_timeout,
        read_timeout=READ_SECONDS if connection.read_timeout is None else connection.read_timeout,
    ).client("amplifyuibuilder")
    client.meta.events.register("before-parse.amplifyuibuilder.ExchangeCodeForToken", _read_body)
    return client


def exchange(client: Any, consent: Consent, code: str, *, now: datetime) -> TokenPair:  # noqa: ANN401 - boto3's
    """Exchange the code that answers `consent`; `now` (UTC) is when its tokens begin to live.

    Raises:
        ServiceError: the code is refused, the service fails, or its answer makes no sense.
        TokenctlError: the service cannot be reached.

    """
    request = {"code": code, "redirectUri": consent.redirect_uri, "clientId": consent.client_id}
    try:
        with explained():
            answer = _exchanged(client, request)
        parts = (answer.get("accessToken"), answer.get("expiresIn"), answer.get("refreshToken"))
        return pair_issued(parts, consent, now=now, who="Amplify UI Builder's")
    except TokenctlError as error:
        raise type(error)(f"{error} Nothing was stored. Run the command again.") from None


def _exchanged(client: Any, request: dict[str, str]) -> dict[str, Any]:  # noqa: ANN401 - boto3's
    from botocore.exceptions import ClientError

    try:
        answer: dict[str, Any] = client.exchange_code_for_token(provider=PROVIDER, request=request)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "InvalidParameterException":
            raise
    else:
        return answer
    raise ServiceError(
        "The code was refused. It lives 30 seconds and works once, for the app with this client id, whose secret "
        "Amplify must hold, and for this redirect address."
    )


def _read_body(response_dict: dict[str, Any], customized_response_dict: dict[str, object], **_: object) -> None:
    """Read the body in place of botocore's parser, and leave the parser what it can read.

    The parser lets Python errors out that show a part of the body, and makes a number of whatever `int()` takes.
    """
    try:
        body = json.loads(response_dict["body"])
    except (ValueError, RecursionError):
        body = None
    document = body if isinstance(body, dict) else {}
    if response_dict["status_code"] < HTTPStatus.MULTIPLE_CHOICES:
        customized_response_dict.update({key: document.get(key) for key in _ANSWER_KEYS})
        document = {}
    kept = {key: value for key in _CODE_KEYS if isinstance(value := document.get(key), str)}
    response_dict["body"] = json.dumps(kept).encode()
