"""Amplify UI Builder's answers to RefreshToken and ExchangeCodeForToken, read from the body instead of by botocore.

botocore's parser makes a number of whatever ``int()`` takes (true, 1.5, "5"), drops a refresh token that the model does
not have, and raises errors that show a part of the body where it is JSON but not the expected object.
"""

import json
from http import HTTPStatus
from typing import Any, Final

from refresh_token.oauth.content_coding import decoded
from refresh_token.oauth.json_body import json_object
from refresh_token.oauth.responses import MAX_BYTES

_ANSWER_KEYS: Final = ("accessToken", "expiresIn", "refreshToken")
_CODE_KEYS: Final = ("__type", "code", "Code")
"""Where a REST-JSON error has its code, if not in the header ``x-amzn-ErrorType``."""


def read_body(response_dict: dict[str, Any], customized_response_dict: dict[str, object], **_: object) -> None:
    """Handle botocore's event ``before-parse``: pass on our keys unchanged, and leave the parser an error's code."""
    coding = response_dict["headers"].get("Content-Encoding")
    document = json_object(decoded(response_dict["body"], coding, max_bytes=MAX_BYTES)) or {}
    code: dict[str, str] = {}
    if response_dict["status_code"] < HTTPStatus.MULTIPLE_CHOICES:
        customized_response_dict.update({key: document.get(key) for key in _ANSWER_KEYS})
    else:
        code = {key: value for key in _CODE_KEYS if isinstance(value := document.get(key), str)}
    response_dict["body"] = json.dumps(code).encode()
