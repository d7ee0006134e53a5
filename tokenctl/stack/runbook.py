"""Where docs/runbook.md helps."""

from typing import Final

from refresh_token import errors
from refresh_token.fleet.signals import FleetAlarm
from refresh_token.signals import Alarm

_ENTRIES: Final = {
    *(error.__name__ for error in errors.ALL),
    *(name for alarms in (Alarm, FleetAlarm) for name in vars(alarms).values() if isinstance(name, str)),
    *Alarm.STATIC_TOKEN_EXPIRES,
}


def entry_of(name: str) -> str:
    """Return the address of the entry of an error or an alarm; of what has none, that of the errors in general."""
    return f"docs/runbook.md#{(name if name in _ENTRIES else Alarm.FUNCTION_ERRORS).lower()}"
