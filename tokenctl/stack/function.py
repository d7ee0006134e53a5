"""Asking the deployed function."""

import json
from collections.abc import Mapping
from typing import Any, Final

from tokenctl.errors import ServiceError, TokenctlError
from tokenctl.stack.target import Target, explained

LONGEST_ANSWER: Final = 90
"""Seconds; the function itself may take 60."""


def invoke(target: Target, event: Mapping[str, object]) -> dict[str, Any]:
    """Return the function's answer.

    Raises:
        ServiceError: the function raised, or Lambda refused. An error of the function keeps its message: no message of
            contract 2 holds a token.
        TokenctlError: the answer is no JSON object.

    """
    # One attempt: a second one could refresh again, and kill the token that the first one got.
    client = target.connection.client("lambda", read_timeout=LONGEST_ANSWER, retries={"total_max_attempts": 1})
    function_name = target.function_name
    # Lambda repeats the name, which may be a value that went astray.
    with explained([target.named_function] if target.named_function else ()):
        answer = client.invoke(FunctionName=function_name, Payload=json.dumps(event).encode())
        payload = answer["Payload"].read()
    try:
        members = json.loads(payload)
    except ValueError:
        members = None
    if "FunctionError" in answer:
        error = members if isinstance(members, dict) else {}
        message = " ".join(str(error.get("errorMessage", "see the function's log")).split())
        raise ServiceError(
            f"An error occurred ({error.get('errorType', 'Unhandled')}) when calling the Invoke operation: {message}"
        )
    if not isinstance(members, dict):
        raise TokenctlError("The function's answer makes no sense. Is it the right one? See --function-name.")
    return members


def asked_for_a_token(target: Target, event: Mapping[str, object]) -> dict[str, Any]:
    """Return the function's token answer; raises as `invoke`, and TokenctlError for any other answer."""
    answer = invoke(target, {"provider": "figma", **event})
    if not {"accessToken", "expiresIn", "expiresAt", "versionId", "state"} <= set(answer):
        raise TokenctlError("The function's answer holds no token. Is it the right one? See --function-name.")
    return answer
