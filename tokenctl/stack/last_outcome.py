"""The outcome of the last refresh, as the function's log has it."""

from datetime import datetime, timedelta
from typing import Any, Final

from refresh_token.signals import Log
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.function_log import last_line

SEARCH_SPANS: Final = (timedelta(days=1), timedelta(days=100))
"""How far back to search for the last outcome, one span after the other; a token lives 90 days."""


def last_outcome(deployed: DeployedStack, now: datetime) -> dict[str, Any] | None:
    """Return the outcome, without tokens; None if the log of the last 100 days has none. Raises as `last_line`."""
    line = last_line(deployed, (Log.REFRESHED, Log.REFRESH_FAILED), now, *SEARCH_SPANS)
    if line is None:
        return None
    return {
        "at": line["at"],
        "outcome": "refreshed" if line["message"] == Log.REFRESHED else "failed",
        "versionId": line.get("versionId"),
        "reason": line.get("reason"),
        "detail": (line.get("detail") or "").replace("--stage <stage>", deployed.target.option) or None,
    }


def failure_of(version_id: object, outcome: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the outcome if it is the failure of this version. What failed for an earlier one is mended."""
    failed = outcome is not None and outcome["outcome"] == "failed" and outcome["versionId"] == version_id
    return outcome if failed else None
