"""How a failure is written down: in the lock table, and in the item of a connection. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from refresh_token.core.claims import Failure

UNREADABLE: Final = Failure("UnreadableRecord", datetime.min.replace(tzinfo=UTC))
"""What a record that cannot be read stands for."""


def to_data(failure: Failure) -> dict[str, object]:
    """Return a failure as JSON's values; times are epoch seconds."""
    data: dict[str, object] = {
        "reason": failure.reason,
        "retryAt": failure.retry_at.timestamp(),
        "refused": failure.refused,
        "lost": failure.lost,
    }
    return data | ({"count": failure.count, "since": failure.since.timestamp()} if failure.since else {})


def read_failure(data: object) -> Failure:
    """Return the failure that these values say.

    What cannot be read was changed by hand or written by another release. It counts as a failure whose cooldown is
    over.
    """
    try:
        return _read(data) if isinstance(data, Mapping) else UNREADABLE
    except (ValueError, LookupError, TypeError, OverflowError, OSError):
        return UNREADABLE


def _read(data: Mapping[str, Any]) -> Failure:
    retry_at = datetime.fromtimestamp(data["retryAt"], UTC)
    refused, lost = (data.get(key) is True for key in ("refused", "lost"))
    since = datetime.fromtimestamp(data["since"], UTC) if "since" in data else None
    count = int(data["count"]) if since else 0
    return Failure(str(data["reason"]), retry_at, refused=refused, lost=lost, count=count, since=since)
