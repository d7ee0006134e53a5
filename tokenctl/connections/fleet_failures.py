"""What failed in the functions of a fleet lately, by error."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from refresh_token.errors import ReauthorizationRequiredException, TokenNotStoredException
from refresh_token.fleet.signals import FleetAlarm, FleetLog
from refresh_token.signals import Log
from tokenctl.connections.fleet_parts import FleetParts
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.function_log import lines_of
from tokenctl.stack.runbook import entry_of
from tokenctl.stack.side_by_side import all_in_time

SPAN: Final = timedelta(days=1)
"""How far back to look."""

_MESSAGES: Final = (Log.REQUEST_FAILED, Log.REFRESH_FAILED, FleetLog.COMES_AGAIN, FleetLog.NOT_REFRESHED)
_ENTRIES: Final = {
    ReauthorizationRequiredException.__name__: FleetAlarm.REFUSED,
    TokenNotStoredException.__name__: FleetAlarm.TOKEN_NOT_STORED,
}
"""Entries of the runbook that say more about a fleet than those of the errors."""


def fleet_failures(deployed: DeployedStack, now: datetime) -> list[dict[str, Any]]:
    """Return a row for each error, the most frequent first; raises TokenctlError if a log cannot be read."""
    parts = FleetParts(deployed)
    groups = [parts.log_group(module) for module in parts.functions if module in parts.of_fleet]
    logs = {group: partial(lines_of, deployed, _MESSAGES, now - SPAN, group=group) for group in groups}
    found: dict[tuple[object, object, str], dict[str, Any]] = {}
    for lines in all_in_time(logs).values():
        for line in lines:  # a failed refresh and the request that it failed are one failure
            found[line.get("function_request_id"), line.get("connection"), str(line.get("reason"))] = line
    by_reason: dict[str, list[dict[str, Any]]] = {}
    for (_, _, reason), line in sorted(found.items(), key=lambda item: str(item[1]["at"])):
        by_reason.setdefault(reason, []).append(line)
    rows = [_row(reason, lines) for reason, lines in by_reason.items()]
    return sorted(rows, key=lambda row: (-row["requests"], row["reason"]))


def _row(reason: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    last = lines[-1]
    return {
        "reason": reason,
        "requests": len(lines),
        "lastAt": last["at"],
        "detail": last.get("detail") or None,
        "connection": last.get("connection"),
        "runbook": entry_of(_ENTRIES.get(reason, reason)),
    }
