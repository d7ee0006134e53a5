"""What is wrong with the parts of the report of `tokenctl status`, for its verdict."""

from collections.abc import Iterator
from typing import Any, Final

from refresh_token.fleet.signals import FleetAlarm
from tokenctl.stack.deployed_stack import short_alarm_name
from tokenctl.stack.runbook import entry_of
from tokenctl.stack.secret_versions import is_moved_back

_NAMES: Final = {
    "versions": "the versions",
    "lastOutcome": "the last outcome",
    "failures": "what failed",
    "findings": "what the function needs",
    "schedule": "the schedule",
    "alarms": "the alarms",
    "deadLetterQueue": "the dead-letter queue",
    "fleet": "the connections",
}
"""The parts around the token, in a sentence."""


def troubles_of(parts: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the parts around the token."""
    unreadable = {name: part for name, part in parts.items() if isinstance(part, dict) and "error" in part}
    gone = dict.fromkeys(part["gone"] for part in unreadable.values() if "gone" in part)
    yield from (f"{what} is gone" for what in gone)
    yield from (f"{_NAMES[name]} cannot be read" for name in _NAMES if "gone" not in unreadable.get(name, {"gone": ""}))
    if isinstance(parts.get("versions"), list) and is_moved_back(
        {label: version["createdAt"] for version in parts["versions"] for label in version["stages"]}
    ):
        yield "somebody has moved AWSCURRENT to an older version of the secret"
    if isinstance(parts["findings"], list):
        yield from (f"{each['text']}: {each['fix']}" for each in parts["findings"] if each["level"] == "WARN")
    if why := parts.get("schedule", {}).get("stopped"):
        yield f"the schedule {why}"
    if isinstance(parts["alarms"], list):
        ringing = [short_alarm_name(alarm["name"]) for alarm in parts["alarms"] if alarm["state"] == "ALARM"]
        if ringing:
            yield f"in ALARM: {', '.join(ringing)}"
    if parts.get("failures", {}).get("byReason"):
        yield f"requests failed since {_counted(parts['failures'])}"
    if count := parts.get("deadLetterQueue", {}).get("messages"):
        yield f"{count} message{'s' * (count > 1)} in the dead-letter queue"
    yield from parts.get("fleet", {}).get("troubles", ())


def failing_of(failures: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Yield a finding if every request fails."""
    if failures.get("allFailed"):
        entries = ", ".join(map(entry_of, sorted(failures["byReason"])))
        yield {"text": f"every request has failed since {_counted(failures)}", "fix": f"see {entries}"}


def failing_fleet(fleet: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Yield a finding if no connection is served."""
    if fleet.get("nobodyIsServed"):
        yield {"text": "every connection waits for a person", "fix": f"see {entry_of(FleetAlarm.REFUSED)}"}


def _counted(failures: dict[str, Any]) -> str:
    found = ", ".join(f"{count} {reason}" for reason, count in sorted(failures["byReason"].items()))
    return f"{failures['since']}: {found}"
