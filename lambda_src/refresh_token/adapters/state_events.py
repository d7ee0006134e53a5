"""Sends changes of connections' states to EventBridge.

Best effort: an event is lost if EventBridge does not take it within a second or two, or if the process is killed. What
is stored is the truth, so nothing fails because of that.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from botocore.config import Config

from refresh_token.adapters.aws_clients import Fault, attempt, punctual_client
from refresh_token.errors import ConfigurationException
from refresh_token.fleet.state_change import DETAIL_TYPE, SOURCE, StateChange

MAX_ENTRIES: Final = 10
"""Events of one call (Amazon EventBridge API reference, PutEvents)."""

CALL_TIME: Final = 1.5
"""Seconds that a call takes at most."""

RESERVE: Final = 0.5
"""Seconds of the invocation that are left for its end."""

_CONFIG: Final = Config(connect_timeout=0.5, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 1})

NotSent = Callable[[int, str], None]
"""Takes the number of events that were lost, and why."""


@lru_cache(maxsize=1)
def events_client() -> Any:  # noqa: ANN401 - no type stubs of EventBridge are installed
    """Return the client, made once. It makes one short attempt."""
    return punctual_client("events", _CONFIG)


class StateEvents:
    """Collects the changes of an invocation, and sends them when its answer is ready."""

    def __init__(self, bus: str, service: str, not_sent: NotSent) -> None:
        self._bus, self._service, self._not_sent = bus, service, not_sent
        self._changes: list[StateChange] = []

    def changed(self, change: StateChange) -> None:
        """Take a change, to be sent before the invocation ends. Without a bus, nobody is told."""
        if self._bus:
            self._changes.append(change)

    def send(self, *, seconds: float) -> None:
        """Send what was collected, as far as the invocation's remaining ``seconds`` allow. Never raises."""
        entries_left = iter([self._entry(change) for change in self._changes])
        self._changes = []
        while entries := list(islice(entries_left, MAX_ENTRIES)):
            enough = seconds >= CALL_TIME + RESERVE
            lost, why = self._put(entries) if enough else (len(entries), "the invocation has too little time left")
            seconds -= CALL_TIME
            if lost:
                self._not_sent(lost, why)

    def _put(self, entries: Sequence[Mapping[str, Any]]) -> tuple[int, str]:
        """Return how many entries were not taken, and why."""
        try:
            answer = attempt(lambda: events_client().put_events(Entries=entries))
        except ConfigurationException as error:
            return len(entries), str(error)
        if isinstance(answer, Fault):
            return len(entries), answer.code
        failed = [entry for entry in answer.get("Entries", ()) if "ErrorCode" in entry]
        return len(failed), "EventBridge did not take them"

    def _entry(self, change: StateChange) -> dict[str, Any]:
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(change.to_detail(self._service)),
            "Time": change.at,
        }
