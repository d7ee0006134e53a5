"""Invoking the refresh function."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from tokenctl.errors import ServiceError, TokenctlError, redact
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.target import Target

READ_TIMEOUT: Final = 90
"""Seconds; the function itself may take 60."""

TICK: Final[Mapping[str, object]] = {"source": "aws.scheduler"}
"""The event of the schedule."""

SAMPLE_ANSWER: Final[Mapping[str, object]] = {
    "accessToken": "token",
    "expiresIn": 7_776_000,
    "expiresAt": "2030-01-01T00:00:00Z",
    "refreshedAt": "2029-10-03T00:00:00Z",
    "versionId": "version",
    "state": "fresh",
    "provider": "acme",
    "scope": "read write",
    "values": {"instance_url": "https://eu.acme.example"},
    "api": {"base": "https://eu.acme.example/v1", "header": "X-Acme-Token", "scheme": "", "headers": {"Version": "2"}},
}
"""A token answer, to test a query with."""

_OPTIONAL: Final = frozenset({"refreshedAt", "provider", "scope", "values", "api"})
"""What the function tells if it is known."""


def invoke(
    target: Target, event: Mapping[str, object], *, operation: str = "Invoke", secrets: Iterable[str] = ()
) -> dict[str, Any]:
    """Send an event to the function and return its answer; empty if the answer is not a JSON object.

    Errors of the function name `operation`. No message shows one of the `secrets`.

    Raises:
        ServiceError: the function raised an error, or Lambda refused the call.

    """
    # Only one attempt: a second one could refresh again and kill the token that the first one got.
    client = target.aws.client("lambda", read_timeout=READ_TIMEOUT, retries={"total_max_attempts": 1})
    call = {"FunctionName": target.function_name, "Payload": json.dumps(event).encode()}
    if target.qualifier is not None:
        call["Qualifier"] = target.qualifier
    with translate_aws_errors([*secrets, *target.function_name_secrets]):
        try:
            answer = client.invoke(**call)
        except client.exceptions.ResourceNotFoundException:
            if target.qualifier is None:
                raise
            raise ServiceError.in_aws_words(
                "ResourceNotFoundException",
                "Invoke",
                f"There is no such function, or it has no alias `{target.qualifier}`",
                f"Check --stage, --function-name and --region; `tokenctl doctor {target.option}` says what is missing.",
            ) from None
        payload = answer["Payload"].read()
    try:
        members = json.loads(payload)
    except ValueError:
        members = None
    document: dict[str, Any] = members if isinstance(members, dict) else {}
    if "FunctionError" in answer:
        # --function-name is not redacted here: the function never saw it, and it could be an ordinary word.
        message = str(document.get("errorMessage") or "see the function's log")
        message = message.replace("--stage <stage>", target.option)
        code = str(document.get("errorType") or "Unhandled")
        raise ServiceError.in_aws_words(redact(code, secrets), operation, redact(message, secrets))
    return document


def tick(target: Target) -> None:
    """Let the function look at its pair, as the schedule does, so that alarms which are mended end at once.

    Does not wait for the function. If it cannot be called, the schedule's next tick does the same.
    """
    with suppress(TokenctlError), translate_aws_errors():
        qualifier = {"Qualifier": target.qualifier} if target.qualifier else {}
        target.aws.client("lambda").invoke(
            FunctionName=target.function_name, InvocationType="Event", Payload=json.dumps(TICK).encode(), **qualifier
        )


def request_token(target: Target, event: Mapping[str, object]) -> dict[str, Any]:
    """Return the function's token answer; raises as `invoke`, and TokenctlError if the answer holds no token."""
    answer = invoke(target, event)
    if not answer.keys() >= SAMPLE_ANSWER.keys() - _OPTIONAL:
        raise TokenctlError(
            "The function's answer holds no token. Check with --function-name or --stage that it is the refresh "
            "function."
        )
    return answer
