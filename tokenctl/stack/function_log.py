"""The log of the refresh function."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from refresh_token.core.windows import iso_utc
from tokenctl.errors import GoneError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.deploy_command import how_to_restore
from tokenctl.stack.deployed_stack import DeployedStack

_MAX_PAGES: Final = 50
"""Each page is the result of searching up to 1 MB of log events."""

_AROUND: Final = ("START RequestId: ", "END RequestId: ")
"""How the lines begin that Lambda prints around each request. Its REPORT stays: it says what a crash ran out of."""


def last_line(
    deployed: DeployedStack, messages: tuple[str, ...], now: datetime, *spans: timedelta
) -> dict[str, Any] | None:
    """Return the last log line with one of the messages, searching one span after the other until one is found."""
    for span in spans:
        if lines := lines_of(deployed, messages, now - span):
            return lines[-1]
    return None


def lines_of(
    deployed: DeployedStack, messages: tuple[str, ...], start: datetime, *, group: str | None = None
) -> list[dict[str, Any]]:
    """Return the log lines with one of the messages, in the order of time; `group` is another log group."""
    lines = [line for line in _lines(deployed, messages, start, group) if line["message"] in messages]
    return sorted(lines, key=lambda line: str(line["at"]))  # stable: keeps the order within a second


def _lines(
    deployed: DeployedStack, messages: tuple[str, ...], start: datetime, group: str | None
) -> Iterator[dict[str, Any]]:
    pattern = " || ".join(f'($.message = "{message}")' for message in messages)
    for at, text in _events(deployed, f"{{ {pattern} }}", start, _MAX_PAGES, group):
        yield {"message": None, **_json_object(text), "at": at}


def search_log(
    deployed: DeployedStack, text: str, start: datetime, *, group: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the log lines that contain a text, in the order of time; `group` is another log group than the function's.

    Each has `at` and `message`; one that the function itself has written has its other members as well. Metrics and
    what Lambda prints around each request are left out. Raises ServiceError or ConfigurationError.
    """
    pattern = "" if not text or {'"', "\\"} & set(text) else f'"{text}"'
    for at, found in _events(deployed, pattern, start, None, group):
        line = _json_object(found)
        if text in found and "_aws" not in line and not found.startswith(_AROUND):
            yield {"at": at, "message": found, **line}


def _events(
    deployed: DeployedStack, pattern: str, start: datetime, max_pages: int | None, group: str | None = None
) -> Iterator[tuple[str, str]]:
    """Yield when each event was logged (ISO 8601) and its text."""
    client = deployed.target.aws.client("logs")
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=group or deployed.target.function_configuration["LoggingConfig"]["LogGroup"],
        **({"filterPattern": pattern} if pattern else {}),
        startTime=int(start.timestamp() * 1000),
    )
    with translate_aws_errors():
        try:
            for page in islice(pages, max_pages):
                for event in page["events"]:
                    yield iso_utc(datetime.fromtimestamp(event["timestamp"] / 1000, UTC)), event["message"]
        except client.exceptions.ResourceNotFoundException:
            how = f"To create it: {how_to_restore(deployed.target)}."
            raise GoneError("the function's log group", how) from None


def _json_object(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}
