"""The data in a record of the lock table that is COMPLETED: a success, or a failure."""

import json
from datetime import UTC, datetime
from typing import Final

from refresh_token.core.claims import Failure

DONE: Final[dict[str, object]] = {"done": True}
"""The version has a successor."""

UNREADABLE: Final = Failure("UnreadableRecord", datetime.min.replace(tzinfo=UTC))
"""What a record that cannot be read stands for."""


def to_data(failure: Failure) -> dict[str, object]:
    """Return the data of a failure."""
    data: dict[str, object] = {
        "reason": failure.reason,
        "retryAt": failure.retry_at.timestamp(),
        "refused": failure.refused,
        "lost": failure.lost,
    }
    if failure.since:
        data |= {"count": failure.count, "since": failure.since.timestamp()}
    return {"failure": data}


def read_failure(text: object) -> Failure | None:
    """Return the failure that a record holds, None if it holds a success.

    A record that cannot be parsed was changed by hand or written by another release. It counts as a failure whose
    cooldown is over.
    """
    try:
        document = json.loads(str(text))
        if document == DONE:
            return None
        data = document["failure"]
        retry_at = datetime.fromtimestamp(data["retryAt"], UTC)
        refused, lost = (data.get(key) is True for key in ("refused", "lost"))
        since = datetime.fromtimestamp(data["since"], UTC) if "since" in data else None
        count = int(data["count"]) if since else 0
        return Failure(str(data["reason"]), retry_at, refused=refused, lost=lost, count=count, since=since)
    except (ValueError, LookupError, TypeError, OverflowError, OSError):
        return UNREADABLE
