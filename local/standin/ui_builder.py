"""Amplify UI Builder's two token operations, as the AWS API reference and botocore's model describe them."""

import json
from typing import Any, Final

from werkzeug import Request, Response

from local.standin.aws_model import AwsError, parameters
from local.standin.grants import Grants, RefusedError

OPERATIONS: Final = ("RefreshToken", "ExchangeCodeForToken")


def refresh_token(grants: Grants, request: Request, provider: str) -> Response:
    """`POST /tokens/{provider}/refresh`. The answer holds a refresh token only if rotation is on."""
    try:
        body = parameters("RefreshToken", provider, request)
        grant = grants.refresh(body["token"], body.get("clientId"))
    except (AwsError, RefusedError) as error:
        return refused(error)
    answer: dict[str, Any] = {"accessToken": grant.access_token, "expiresIn": grant.expires_in}
    if grant.refresh_token != body["token"]:
        answer["refreshToken"] = grant.refresh_token
    return _json(answer)


def exchange_code_for_token(grants: Grants, request: Request, provider: str) -> Response:
    """`POST /tokens/{provider}`: exchange a code for a pair."""
    try:
        body = parameters("ExchangeCodeForToken", provider, request)
        grant = grants.exchange(body["code"], body["redirectUri"], body.get("clientId"))
    except (AwsError, RefusedError) as error:
        return refused(error)
    return _json(
        {"accessToken": grant.access_token, "expiresIn": grant.expires_in, "refreshToken": grant.refresh_token}
    )


def refused(error: AwsError | RefusedError) -> Response:
    """Return an error in AWS's rest-json protocol. A refusal by Figma is an invalid parameter."""
    if isinstance(error, RefusedError):
        return aws_error(400, "InvalidParameterException", str(error))
    return aws_error(error.status, error.code, error.message)


def aws_error(status: int, code: str, message: str) -> Response:
    """Return an error in rest-json: the type in a header, the message in the body."""
    response = _json({"message": message}, status)
    response.headers["x-amzn-errortype"] = code
    return response


def _json(members: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(members), status, content_type="application/json")
