"""Asks the refresh function for a live token and calls Figma's ``GET /v1/me`` with it."""

import json
import os
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any

import boto3

LAMBDA = boto3.client("lambda")


def lambda_handler(_event: object, _context: object) -> dict[str, object]:
    """Return what Figma said and how the token came about, without the token.

    Figma rejects a token that another refresh has killed. Then the function is told which version was rejected, and
    gives one that works.
    """
    token = _ask({"provider": "figma"})
    status, user = _me(token["accessToken"])
    rejected = status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    if rejected:
        token = _ask({"provider": "figma", "failedVersionId": token["versionId"]})
        status, user = _me(token["accessToken"])
    return {
        "status": status,
        "user": user,
        "reported": rejected,
        **{key: token[key] for key in ("versionId", "state", "expiresIn", "expiresAt")},
    }


def _ask(event: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    answer = LAMBDA.invoke(FunctionName=os.environ["REFRESH_FUNCTION"], Payload=json.dumps(event))
    payload = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise RuntimeError(payload["errorMessage"])  # it holds no token
    return payload


def _me(access_token: str) -> tuple[int, str | None]:
    url = f"{os.environ['FIGMA_URL']}/v1/me"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {access_token}"})  # noqa: S310 - from the stack
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - from the stack
            return answer.status, json.load(answer)["handle"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, None
