"""The log of the refresh function."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from refresh_token.core.windows import iso_utc
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.deployed_stack import DeployedStack

_MAX_PAGES: Final = 50
"""Each page is the result of searching up to 1 MB of log events."""


def last_line(
    deployed: DeployedStack, messages: tuple[str, ...], now: datetime, *spans: timedelta
) -> dict[str, Any] | None:
    """Return the last log line with one of the messages, searching one span after the other until one is found."""
    for span in spans:
        if lines := lines_of(deployed, messages, now - span):
            return lines[-1]
    return None


def lines_of(deployed: DeployedStack, messages: tuple[str, ...], start: datetime) -> list[dict[str, Any]]:
    """Return the log lines with one of the messages, in the order of time."""
    lines = [line for line in _lines(deployed, messages, start) if line["message"] in messages]
    return sorted(lines, key=lambda line: str(line["at"]))  # stable: keeps the order within a second


def _lines(deployed: DeployedStack, messages: tuple[str, ...], start: datetime) -> Iterator[dict[str, Any]]:
    client = deployed.target.aws.client("logs")
    pattern = " || ".join(f'($.message = "{message}")' for message in messages)
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=deployed.target.function_configuration["LoggingConfig"]["LogGroup"],
        filterPattern=f"{{ {pattern} }}",
        startTime=int(start.timestamp() * 1000),
    )
    with translate_aws_errors():
        for _, page in zip(range(_MAX_PAGES), pages, strict=False):
            for event in page["events"]:
                at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                yield {"message": None, **_json_object(event["message"]), "at": iso_utc(at)}


def _json_object(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}
