"""Telling EventBridge that an operator has changed the state of connections."""

import json
from datetime import datetime
from threading import Lock
from typing import Any, Final

import click

from refresh_token.environment import SERVICE_NAME
from refresh_token.fleet.record import Record
from refresh_token.fleet.state_change import DETAIL_TYPE, SOURCE, Reason, StateChange, reason_for
from refresh_token.fleet.states import State
from tokenctl.connections.entries import Entry
from tokenctl.connections.fleet import Fleet
from tokenctl.errors import TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors

_BATCH: Final = 10
"""The most events of one call (Amazon EventBridge API reference, PutEvents)."""


class StateChangeEvents:
    """Sends events as they come, until a call fails. What is stored is the truth: a lost event is only warned of.

    `send` ends it.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._entries: list[dict[str, str]] = []
        self._lock = Lock()
        self._lost = 0
        self._why = ""

    def changed(self, before: Record, after: State, at: datetime, *, new_pair: bool = False) -> None:
        """Take the change of a connection."""
        self.add(_change(before, after, at, new_pair=new_pair))

    def connected(self, before: Record | None, entry: Entry, at: datetime) -> None:
        """Take a connection that has got a pair from an operator; `before` is None if it is new."""
        self.add(
            StateChange(
                connection=entry.name,
                provider=entry.provider.name,
                before=None if before is None else before.state,
                after=State.ACTIVE,
                reason=Reason.CONNECTED,
                at=at,
                expires_at=entry.pair.expires_at,
                refresh_expires_at=entry.pair.refresh_expires_at,
            )
        )

    def add(self, change: StateChange | None) -> None:
        """Take a change; None is none."""
        bus = self._fleet.settings.event_bus
        if change is None or not bus:
            return
        service = self._fleet.function.function_variables.get(SERVICE_NAME, "")
        detail = json.dumps(change.to_detail(service))
        entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": detail, "EventBusName": bus}
        with self._lock:
            self._entries.append(entry)
            if len(self._entries) < _BATCH:
                return
            entries, self._entries = self._entries, []
        self._put(entries)

    def send(self) -> None:
        """Send what is left, and warn of what was lost."""
        entries, self._entries = self._entries, []
        if entries:
            self._put(entries)
        if lost := self._lost:
            click.echo(
                f"{lost:,} change{'s' * (lost > 1)} of state could not be told to EventBridge.{self._why}", err=True
            )
            self._lost = 0

    def _put(self, entries: list[dict[str, str]]) -> None:
        lost, why = len(entries), self._why
        if not why:
            try:
                lost = self._failed(entries)
            except TokenctlError as error:
                why = f" {error}"
        with self._lock:
            self._lost += lost
            self._why = self._why or why

    def _failed(self, entries: list[dict[str, str]]) -> int:
        client: Any = self._fleet.client("events")
        with translate_aws_errors():
            return int(client.put_events(Entries=entries)["FailedEntryCount"])


def _change(before: Record, after: State, at: datetime, *, new_pair: bool) -> StateChange | None:
    reason = reason_for(before.state, after, new_pair=new_pair)
    if reason is None:
        return None
    return StateChange(
        connection=before.name,
        provider=before.provider,
        before=before.state,
        after=after,
        reason=reason,
        at=at,
        expires_at=before.expires_at,
        refresh_expires_at=before.refresh_expires_at,
    )
