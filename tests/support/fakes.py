"""The ports in memory, with the rules of the real adapters: `test_ports.py` runs one suite over both.

The store and the lock make each call of a service as a step. A test that subclasses them decides what becomes of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from refresh_token.core.claims import Claim, CoolingDown, Done, Failure, Held, HeldClaim
from refresh_token.core.grant import Grant
from refresh_token.core.grants import Spends
from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.issued_token import Issued, read_issued
from refresh_token.core.ports import StoredPair, VersionSupersededError
from refresh_token.core.secret_format import parse_pair_or_token
from refresh_token.core.token_pair import TokenPair
from refresh_token.core.unreadable_pair import UnreadablePair
from refresh_token.errors import (
    ReauthorizationRequiredException,
    RefreshTokenError,
    SecretMalformedException,
    SecretNotSeededException,
)

if TYPE_CHECKING:
    from refresh_token.core.secret_format import Parse

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
ISSUED_BY = IssuedBy("figma", "api.figma.com")
KEEP_DONE = timedelta(minutes=2)
KEEP_FAILURE = timedelta(days=30)

T = TypeVar("T")


@dataclass
class FakeClock:
    """Time passes only when the code sleeps or a test says so."""

    time: datetime = NOW
    left: float = 60.0
    slept: list[float] = field(default_factory=list)
    while_asleep: Callable[[], None] | None = None

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_time(seconds)
        if self.while_asleep:
            self.while_asleep()

    def remaining(self) -> float:
        return self.left

    def pass_time(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        self.left -= seconds


@dataclass
class FakeIssuer:
    """An issuer like Figma: one access token is alive, and the refresh token keeps working."""

    expires_in: object = 7_776_000
    new_refresh_token: str | None = None
    unusable: bool = False
    """Answers hold no access token."""
    access_token: str | None = None
    """The access token of every answer."""
    live: str = "access-0"
    fault: RefreshTokenError | None = None
    calls: list[tuple[str, str | None, float]] = field(default_factory=list)
    while_calling: Callable[[], None] | None = None
    issued_by: IssuedBy = ISSUED_BY
    spends: Spends = "refresh_token"
    rotates: bool = False
    takes_client_id: bool = True
    said: dict[str, Any] = field(default_factory=dict)
    """What each answer says beside the tokens: `scope`, `values`, `api`."""
    owner: IssuedBy | None = None
    """Whose the credentials of the last call were said to be."""

    def refresh(self, grant: Grant, client_id: str | None, *, seconds: float, owner: IssuedBy | None = None) -> Issued:
        self.owner = owner
        sent = grant.access_token if self.spends == "access_token" else grant.refresh_token
        self.calls.append((sent, client_id, seconds))
        if self.fault:
            raise self.fault
        self.live = self.access_token or f"access-{len(self.calls)}"
        if self.while_calling:
            self.while_calling()
        access_token = None if self.unusable else self.live
        return read_issued(access_token, self.expires_in, self.new_refresh_token, sent=sent, **self.said)


@dataclass
class Secret:
    versions: dict[str, str] = field(default_factory=dict)
    created: dict[str, datetime] = field(default_factory=dict)
    current: str = ""
    previous: str = ""
    pending: tuple[str, str] = "", ""
    """The version that was written last, and the version that it is to replace."""
    parse: "Parse" = parse_pair_or_token

    def pair(self, version_id: str) -> TokenPair:
        """Parse a version, an empty text if there is none yet; raises what reading it raises."""
        return self.parse(self.versions.get(version_id, ""), created=self.created.get(version_id, NOW))

    def put(self, version_id: str, text: str, *, at: datetime = NOW) -> None:
        """Write a version that is not current. Writing the same again does nothing."""
        assert self.versions.setdefault(version_id, text) == text, "a version never changes"
        self.created.setdefault(version_id, at)

    def put_pending(self, version_id: str, text: str, expected: str, *, at: datetime = NOW) -> None:
        self.put(version_id, text, at=at)
        self.pending = version_id, expected

    def make_current(self, version_id: str) -> None:
        self.previous, self.current = self.current, version_id


@dataclass
class FakeStore:
    """The TokenStore port. ``faults`` are what the next steps of a name raise, in order; None for none."""

    secret: Secret = field(default_factory=Secret)
    faults: dict[str, list[RefreshTokenError | None]] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """The time that each write was given."""
    while_reading: Callable[[], None] | None = None
    room: int = 65_536

    @property
    def current(self) -> str:
        return self.secret.current

    def put(self, version_id: str, pair: TokenPair, *, at: datetime = NOW) -> None:
        """Store a pair as an operator does."""
        self.put_text(version_id, pair.to_json(), at=at)

    def put_text(self, version_id: str, text: str, *, at: datetime = NOW) -> None:
        self.secret.put(version_id, text, at=at)
        self.secret.make_current(version_id)

    def read(self) -> StoredPair:
        return self.step("read", lambda: self.stored(self.secret.current))

    def has_room_for(self, pair: TokenPair) -> bool:
        return len(pair.to_json()) <= self.room

    def replace(self, pair: TokenPair, *, expected: str, version_id: str, seconds: float) -> None:
        self.seconds.append(seconds)
        self.step("put", lambda: self.secret.put_pending(version_id, pair.to_json(), expected, at=self.now()))
        self.step("move", lambda: self.move(expected, version_id))

    def pending(self, version_id: str) -> StoredPair | None:
        def read() -> StoredPair | None:
            successor, expected = self.secret.pending
            return self.stored(successor) if expected == version_id else None

        return self.step("read pending", read)

    def promote(self, successor: str, *, expected: str, seconds: float) -> None:
        self.seconds.append(seconds)
        self.step("move", lambda: self.move(expected, successor))

    def unreadable(self) -> UnreadablePair:
        return self.step("read", lambda: UnreadablePair(self.secret.versions.get(self.secret.current, "")))

    def previous(self) -> StoredPair | None:
        def read() -> StoredPair | None:
            try:
                return self.stored(self.secret.previous) if self.secret.previous else None
            except (SecretNotSeededException, SecretMalformedException, ReauthorizationRequiredException):
                return None

        return self.step("read previous", read)

    def stored(self, version_id: str) -> StoredPair:
        return StoredPair(version_id, self.secret.pair(version_id))

    def move(self, expected: str, version_id: str) -> None:
        if self.secret.current == version_id:
            return
        if self.secret.current != expected:
            raise VersionSupersededError
        self.make_current(version_id)

    def make_current(self, version_id: str) -> None:
        self.secret.make_current(version_id)

    def now(self) -> datetime:
        return NOW

    def step(self, name: str, effect: Callable[[], T]) -> T:
        self.steps.append(name)
        if self.while_reading and name.startswith("read"):
            self.while_reading()
        if fault := (self.faults.get(name) or [None]).pop(0):
            raise fault
        return effect()


@dataclass
class Record:
    """An item of the lock table: an open claim, a success, or a failure. It counts as absent after ``void_at``."""

    state: str
    void_at: datetime
    failure: Failure | None = None


@dataclass
class FakeLock:
    """The RefreshLock port. ``fault`` is raised by every step while it is set, ``closing_fault`` by closing ones."""

    now: Callable[[], datetime]
    table: dict[str, Record] = field(default_factory=dict)
    fault: RefreshTokenError | None = None
    closing_fault: RefreshTokenError | None = None

    def claim(self, version_id: str, *, seconds: float, now: datetime, ignore_cooldown: bool) -> Claim:
        ends = self.now() + timedelta(seconds=seconds)
        previous: Failure | None = None
        for _ in range(3):
            record = self.step("claim", lambda: self.put_claim(version_id, ends))
            if record is None:
                return HeldClaim(version_id, self, previous)
            if record.state == "claimed":
                return Held()
            if record.failure is None:
                return Done()
            if now < record.failure.retry_at and not ignore_cooldown:
                return CoolingDown(record.failure)
            previous = record.failure
            self.step("forget", lambda: self.forget(version_id, record))  # noqa: B023 - called right here
        return Held()

    def failure(self, version_id: str, *, now: datetime) -> Failure | None:
        def read() -> Failure | None:
            record = self.table.get(version_id)
            if record and record.state == "claimed":
                return Failure("TokenNotStoredException", now, lost=True) if record.void_at <= self.now() else None
            return record.failure if record and record.void_at >= self.now() else None

        return self.step("failure", read)

    def record_success(self, version_id: str) -> None:
        self.step("done", lambda: self.close(version_id, Record("done", self.now() + KEEP_DONE)))

    def record_failure(self, version_id: str, failure: Failure) -> None:
        self.step("failed", lambda: self.close(version_id, Record("failed", self.now() + KEEP_FAILURE, failure)))

    def delete_claim(self, version_id: str) -> None:
        self.step("release", lambda: self.close(version_id, None))

    def state(self, version_id: str = "V1") -> Failure | str | None:
        """Return the failure or the state that the table has for a version."""
        record = self.table.get(version_id)
        return (record.failure or record.state) if record else None

    def hold(self, version_id: str = "V1", seconds: float = 60.0) -> None:
        """Claim a version for someone who never closes the claim."""
        assert self.put_claim(version_id, self.now() + timedelta(seconds=seconds)) is None

    def put_claim(self, version_id: str, ends: datetime) -> Record | None:
        record = self.table.get(version_id)
        if record and record.void_at >= self.now():
            return record
        self.table[version_id] = Record("claimed", ends)
        return None

    def forget(self, version_id: str, record: Record) -> None:
        if self.table.get(version_id) is record:
            del self.table[version_id]

    def close(self, version_id: str, record: Record | None) -> None:
        if record:
            self.table[version_id] = record
        else:
            self.table.pop(version_id, None)

    def step(self, name: str, effect: Callable[[], T]) -> T:
        fault = self.fault or (self.closing_fault if name in {"done", "failed", "release"} else None)
        if fault:
            raise fault
        return effect()


@dataclass
class FakeTelemetry:
    """The Telemetry port. Keeps each report as (name, facts)."""

    reports: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def names(self) -> list[str]:
        return [name for name, _ in self.reports]

    def facts(self, name: str, key: str) -> list[object]:
        return [facts[key] for reported, facts in self.reports if reported == name]

    def __getattr__(self, name: str) -> Callable[..., None]:
        def report(what: object = None, **facts: object) -> None:
            of_error = {"reason": what.reason} if isinstance(what, RefreshTokenError) else {}
            self.reports.append((name, {**of_error, **facts}))

        return report
