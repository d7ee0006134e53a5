"""The worker's use case: a message says which connection is due; refresh it, once.

    message   | GetItem | claim: dueAt moves | provider | store: V2, dueAt moves | gone
    killed    | again   | after its lease    | lost     | stays                  | fenced

A message that is lost costs the rest of its lease, one that comes late or twice costs a GetItem: its item has another
due time by now. A refresh that fails is no failure of the message, because the item says when to try again. What is, is
an item that cannot be read or changed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from refresh_token.core.connections import Connection
from refresh_token.core.ports import Clock
from refresh_token.core.refresh_policy import ALWAYS
from refresh_token.core.refresher import Refresher
from refresh_token.core.time_budget import MIN_CALL_TIME, WRITE_RESERVE
from refresh_token.errors import ConnectionNotFoundException, RefreshTokenError, SecretUnavailableException
from refresh_token.fleet.brake import counts
from refresh_token.fleet.messages import read_work
from refresh_token.fleet.ports import Brakes, Opened, WorkerTelemetry
from refresh_token.fleet.states import State

MIN_TIME: Final = WRITE_RESERVE + MIN_CALL_TIME + 1.0
"""Seconds of the invocation without which a message is not begun."""


class Message(NamedTuple):
    """A message as the queue delivers it."""

    id: str
    body: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Works off messages.

    ``open_connection`` reads the item of a connection. It may raise ConnectionNotFoundException,
    ConfigurationException and SecretUnavailableException. ``refresher_for`` returns the use cases of a connection; its
    issuer makes one attempt.
    """

    open_connection: Callable[[str], Opened]
    refresher_for: Callable[[Connection, Clock], Refresher]
    brakes: Brakes
    clock: Clock
    telemetry: WorkerTelemetry

    def work_off(self, messages: Iterable[Message]) -> list[str]:
        """Work off messages; return the ids of those that the queue must deliver again."""
        return [message.id for message in messages if not self._is_done(message.body)]

    def _is_done(self, body: object) -> bool:
        work = read_work(body)
        if work is None:
            self.telemetry.not_ours()
            return True
        if self.clock.remaining() < MIN_TIME:
            return False
        self.telemetry.serving(work.connection)
        try:
            return self._keep_alive(work.connection, work.due_at)
        except Exception as error:  # noqa: BLE001 - a bug that one message finds must not stop the others
            self.telemetry.work_failed(error, again=True)
            return False

    def _keep_alive(self, connection: str, fence: int) -> bool:
        """Refresh a connection if it is due; return False if its message must come again."""
        try:
            opened = self.open_connection(connection)
        except ConnectionNotFoundException:
            self.telemetry.fenced()
            return True
        if opened.record.due_at != fence or not opened.record.state.is_kept_alive:
            self.telemetry.fenced()
            return True
        # With the invocation's clock, a claim lasts as long as the process can: what hangs cannot outlive its claim.
        refresher = self.refresher_for(opened.connection, self.clock)
        try:
            if opened.record.state is State.COOLING and opened.connection.policy == ALWAYS:
                # A token that looks fresh may be dead: somebody reported it, or an answer was lost.
                refresher.force()
                return True
            report = refresher.tick()
        except RefreshTokenError as error:
            return self._has_failed(opened, error)
        if report.outcome == "degraded":
            return self._has_failed(opened, self.telemetry.last_error)
        if report.outcome != "refreshed":
            opened.item.move_on(report.stored)
        return True

    def _has_failed(self, opened: Opened, error: RefreshTokenError | None) -> bool:
        """Set a due time if the refresh has not, and count what speaks against the provider."""
        if error is None:
            return True
        again = isinstance(error, SecretUnavailableException)
        if self.telemetry.last_error is None:
            self.telemetry.work_failed(error, again=again)
        if counts(error):
            opened.item.put_off(error)
            self.brakes.add_failure(opened.record.provider)
        return not again
