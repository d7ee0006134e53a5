"""Amplify UI Builder's answers to RefreshToken and ExchangeCodeForToken, read from the body instead of by botocore.

botocore's parser makes a number of whatever ``int()`` takes (true, 1.5, "5"), drops a refresh token that the model does
not have, and raises errors that show a part of the body where it is JSON but not the expected object.

Amplify passes Figma's answer on. A refusal that is only temporary has the same code as one for good, so the words tell
them apart.
"""

import json
from http import HTTPStatus
from typing import Any, Final

from refresh_token.oauth.body import json_object
from refresh_token.oauth.content_coding import decoded
from refresh_token.oauth.refusals import is_temporary
from refresh_token.oauth.responses import MAX_BYTES

_ANSWER_KEYS: Final = ("accessToken", "expiresIn", "refreshToken")
MODELLED: Final = "InvalidParameterException"
"""The operations' only modelled error. Anything else with 400, 401 or 403 may come from a firewall."""

_THROTTLED: Final = "ThrottlingException"
_CODE_HEADER: Final = "x-amzn-ErrorType"
_CODE_KEYS: Final = ("__type", "code", "Code")
"""Where a REST-JSON error has its code, if not in the header _CODE_HEADER."""

_MESSAGE_KEYS: Final = ("message", "Message", "errorMessage")


def read_body(response_dict: dict[str, Any], customized_response_dict: dict[str, object], **_: object) -> None:
    """Handle botocore's event ``before-parse``: pass on our keys unchanged, and leave the parser an error's code.

    A modelled error whose words say that it is temporary gets the code of throttling, so botocore tries again.
    """
    headers = response_dict["headers"]
    body = decoded(response_dict["body"], headers.get("Content-Encoding"), max_bytes=MAX_BYTES)
    document = json_object(body) or {}
    code: dict[str, str] = {}
    if response_dict["status_code"] < HTTPStatus.MULTIPLE_CHOICES:
        customized_response_dict.update({key: document.get(key) for key in _ANSWER_KEYS})
    else:
        code = _texts(document, _CODE_KEYS)
        is_modelled = any(MODELLED in text for text in (headers.get(_CODE_HEADER, ""), *code.values()))
        if is_modelled and is_temporary(" ".join(_texts(document, _MESSAGE_KEYS).values())):
            headers[_CODE_HEADER] = _THROTTLED
    response_dict["body"] = json.dumps(code).encode()


def _texts(document: dict[str, Any], keys: tuple[str, ...]) -> dict[str, str]:
    return {key: value for key in keys if isinstance(value := document.get(key), str)}
