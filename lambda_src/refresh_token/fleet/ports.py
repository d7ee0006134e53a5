"""What the dispatcher and the worker need from outside. Times are epoch seconds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from refresh_token.errors import RefreshTokenError
from refresh_token.fleet.brake import Brake
from refresh_token.fleet.messages import Work

if TYPE_CHECKING:
    from refresh_token.core.connections import Connection
    from refresh_token.core.ports import StoredPair
    from refresh_token.fleet.record import Record

T = TypeVar("T")
R = TypeVar("R")


class DueEntry(NamedTuple):
    """What the index of due connections says about one. It never holds a token.

    ``expires_at`` and ``stored_at`` are of the token pair. ``active`` is false while the connection is cooling down.
    """

    connection: str
    due_at: float
    active: bool
    policy: str | None = None
    expires_at: datetime | None = None
    stored_at: datetime | None = None


class Delivery(NamedTuple):
    """A message and when it arrives: after ``delay`` seconds."""

    work: Work
    delay: int


class Spread(Protocol):
    """Calls a function for each of some values, several at a time, and returns the results in order."""

    def __call__(self, call: Callable[[T], R], values: Sequence[T], /) -> Iterable[R]:
        """Call it."""
        ...


class DueIndex(Protocol):
    """The indexes of the table. Every method may raise SecretUnavailableException or ConfigurationException."""

    def due(self, slot: str, *, now: int, page: int) -> Iterator[DueEntry]:
        """Return what is due in a slot, the most overdue first. Reads ``page`` entries at a time, as they are used."""
        ...

    def count_due(self, slot: str, *, now: int) -> int:
        """Return how many are due in a slot, at least: only the first page (1 MB) is counted."""
        ...

    def count_stuck(self) -> int:
        """Return how many connections are stuck, counted in the same way."""
        ...

    def lease(self, connection: str, *, seen: float, until: int) -> bool:
        """Make a connection due at ``until`` if it still has the due time ``seen``; tell whether it may have had it.

        If an answer is lost, it is not known who has moved the due time: True, or an error that is `unsure`.
        """
        ...


class WorkQueue(Protocol):
    """The queue of due connections. Every method may raise SecretUnavailableException or ConfigurationException."""

    def depth(self) -> int:
        """Return about how many messages wait, including those that have not arrived yet."""
        ...

    def send(self, deliveries: Sequence[Delivery]) -> int:
        """Send messages; return how many the queue has taken. The others are lost, and their leases end."""
        ...


class Brakes(Protocol):
    """One record for each provider. Every method may raise SecretUnavailableException or ConfigurationException."""

    def take(self, provider: str, *, now: int) -> Brake:
        """Return the record, set its counts to zero, and note when that was."""
        ...

    def record(self, provider: str, *, sent: int, waiting: int, since: int | None, changed: bool) -> None:
        """Count what was sent, and record how many messages waited before.

        If ``changed``, also record since when the provider is braked, None if it is not.
        """
        ...

    def add_failure(self, provider: str) -> None:
        """Count a failed refresh."""
        ...


class Look(NamedTuple):
    """What the dispatcher saw and did for one provider.

    ``due`` is at least how many are due. ``overdue`` is how many of those that it saw should have been refreshed long
    ago. ``braked`` is whether only probes were sent, and ``changed`` whether that is new, or has just ended.
    """

    provider: str
    due: int
    sent: int
    oldest_overdue: int
    overdue: int
    braked: bool
    changed: bool


class DispatchTelemetry(Protocol):
    """What operators see of the dispatcher."""

    def dispatched(self, looks: Sequence[Look], *, stuck: int) -> None:
        """A tick has looked for what is due at each provider."""
        ...


class Kept(Protocol):
    """The item of a connection. What its methods may raise is what its lock may raise."""

    def move_on(self, stored: "StoredPair") -> None:
        """Set the next due time of a token that needs nothing now."""
        ...

    def put_off(self, error: RefreshTokenError) -> None:
        """Remember an error that came before the provider was called, and set a later due time."""
        ...


class Opened(Protocol):
    """A connection whose item was just read."""

    @property
    def record(self) -> "Record":
        """The item, as it was read."""
        ...

    @property
    def connection(self) -> "Connection":
        """The connection for the core. Its first read is served from the record."""
        ...

    @property
    def item(self) -> Kept:
        """The item, for what the core does not do."""
        ...


class WorkerTelemetry(Protocol):
    """What operators see of the worker, beside what the core tells about a refresh."""

    last_error: RefreshTokenError | None
    """The error of a refresh that the core has told since the message began."""

    def serving(self, connection: str) -> None:
        """A message for a connection begins."""
        ...

    def fenced(self) -> None:
        """The message is late, came twice, or its connection is not kept alive any more."""
        ...

    def not_ours(self) -> None:
        """The message is none that a dispatcher sends."""
        ...

    def work_failed(self, error: Exception, *, again: bool) -> None:
        """An error that the core has not told. ``again``: the message will be delivered again."""
        ...
