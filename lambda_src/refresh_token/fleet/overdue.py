"""Which due connections should have been refreshed long ago. Pure."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from refresh_token.core.refresh_policy import DEMAND
from refresh_token.fleet.due import core_policy

if TYPE_CHECKING:
    from refresh_token.core.windows import WindowSettings
    from refresh_token.fleet.ports import DueEntry

CHANCE: Final = timedelta(minutes=2)
"""How long a connection is due before it counts: until then, no tick may have seen it."""


def is_overdue(entry: "DueEntry", windows: "WindowSettings", policy: str, *, now: datetime) -> bool:
    """Tell whether a token is about to die, or dead, because the fleet is behind.

    Those that fail have an alarm of their own, and those that are refreshed on demand may be dead. ``policy`` is the
    fleet's. With a margin, both windows open with it, so the second half of the advisory window counts.
    """
    if not entry.active or entry.expires_at is None or now.timestamp() - entry.due_at < CHANCE.total_seconds():
        return False
    life = None if entry.stored_at is None else entry.expires_at - entry.stored_at
    if core_policy(entry.policy or policy, life) == DEMAND:
        return False
    scaled = windows.scaled_to(life)
    return entry.expires_at - now <= min(scaled.mandatory, scaled.advisory / 2)
