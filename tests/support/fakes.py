"""Fakes of the ports, in memory and with the rules of the real thing; `test_ports.py` holds both against each other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from refresh_token.claims import Claim, CoolingDown, Done, Failure, Held, HeldClaim
from refresh_token.errors import RefreshTokenError
from refresh_token.issued_token import IssuedToken
from refresh_token.ports import StoredPair, VersionSupersededError
from refresh_token.token_pair import TokenPair

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@dataclass
class FakeClock:
    """Time passes only when somebody sleeps or a test says so."""

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
    """Figma's rules: one live access token; the refresh token is reusable and is not rotated."""

    refresh_token: str = "refresh-1"
    expires_in: object = 7_776_000
    new_refresh_token: str | None = None
    live: str = "access-0"
    fault: RefreshTokenError | None = None
    calls: list[tuple[str, str | None, float]] = field(default_factory=list)
    while_calling: Callable[[], None] | None = None
    rotates: bool = False
    takes_client_id: bool = True

    def refresh(self, refresh_token: str, client_id: str | None, *, seconds: float) -> IssuedToken:
        self.calls.append((refresh_token, client_id, seconds))
        if self.fault:
            raise self.fault
        self.live = f"access-{len(self.calls)}"
        if self.while_calling:
            self.while_calling()
        return IssuedToken.from_answer(self.live, self.expires_in, self.new_refresh_token)


@dataclass
class FakeStore:
    """A secret: versions, and which one is current. `faults` are raised by the next calls, in order, None for none."""

    versions: dict[str, TokenPair] = field(default_factory=dict)
    current: str | None = None
    read_faults: list[RefreshTokenError | None] = field(default_factory=list)
    write_faults: list[RefreshTokenError | None] = field(default_factory=list)
    pending_faults: list[RefreshTokenError | None] = field(default_factory=list)
    written: dict[str, StoredPair] = field(default_factory=dict)
    """What was written and not made current, by the version in whose place it belongs."""
    promoted: list[float] = field(default_factory=list)
    """The seconds that each call of `promote` was given."""
    empty: RefreshTokenError | None = None
    while_reading: Callable[[], None] | None = None
    reads: int = 0
    writes: int = 0
    seconds_to_write: list[float] = field(default_factory=list)

    def pending(self, version_id: str) -> StoredPair | None:
        self.reads += 1
        if self.while_reading:
            self.while_reading()
        fault = self.pending_faults.pop(0) if self.pending_faults else None
        if fault:
            raise fault
        return self.written.get(version_id)

    def previous(self) -> StoredPair | None:
        self.reads += 1
        versions = list(self.versions.items())
        return StoredPair(*versions[-2]) if len(versions) > 1 else None

    def promote(self, successor: str, *, expected: str, seconds: float) -> None:
        waiting = self.written[expected]
        assert waiting.version_id == successor, "what is finished was written"
        self.promoted.append(seconds)
        self.replace(waiting.pair, expected=expected, version_id=successor, seconds=seconds)

    def put(self, version_id: str, pair: TokenPair) -> None:
        self.versions[version_id] = pair
        self.current = version_id

    def read(self) -> StoredPair:
        self.reads += 1
        if self.while_reading:
            self.while_reading()
        fault = self.read_faults.pop(0) if self.read_faults else None
        fault = fault or (self.empty if self.current is None else None)
        if fault:
            raise fault
        assert self.current is not None
        return StoredPair(self.current, self.versions[self.current])

    def replace(self, pair: TokenPair, *, expected: str, version_id: str, seconds: float) -> None:
        self.writes += 1
        self.seconds_to_write.append(seconds)
        fault = self.write_faults.pop(0) if self.write_faults else None
        if fault:
            raise fault
        if self.current == version_id:
            return
        if self.current != expected:
            raise VersionSupersededError
        self.put(version_id, pair)


@dataclass
class FakeLock:
    """A table of claims. `fault` is raised by every call while it is set."""

    clock: FakeClock
    held_until: dict[str, datetime] = field(default_factory=dict)
    finished: dict[str, Failure | None] = field(default_factory=dict)
    fault: RefreshTokenError | None = None
    closing_fault: RefreshTokenError | None = None

    def claim(self, version_id: str, *, seconds: float, now: datetime, ignore_cooldown: bool) -> Claim:
        self._check(self.fault)
        if version_id in self.finished:
            failure = self.finished[version_id]
            if failure is None:
                return Done()
            if now < failure.retry_at and not ignore_cooldown:
                return CoolingDown(failure)
            del self.finished[version_id]
            self.held_until[version_id] = self.clock.now() + timedelta(seconds=seconds)
            return HeldClaim(version_id, self, failure)
        if self.held_until.get(version_id, self.clock.now()) > self.clock.now():
            return Held()
        self.held_until[version_id] = self.clock.now() + timedelta(seconds=seconds)
        return HeldClaim(version_id, self)

    def lost(self, version_id: str, *, now: datetime) -> Failure | None:
        self._check(self.fault)
        failure = self.finished.get(version_id)
        if version_id in self.held_until and self.held_until[version_id] <= self.clock.now():
            failure = Failure("TokenNotStoredException", now, lost=True)
        return failure if failure and failure.lost else None

    def record_success(self, version_id: str) -> None:
        self._close(version_id)
        self.finished[version_id] = None

    def record_failure(self, version_id: str, failure: Failure) -> None:
        self._close(version_id)
        self.finished[version_id] = failure

    def delete_claim(self, version_id: str) -> None:
        self._close(version_id)

    def _close(self, version_id: str) -> None:
        self._check(self.fault or self.closing_fault)
        self.held_until.pop(version_id, None)

    @staticmethod
    def _check(fault: RefreshTokenError | None) -> None:
        if fault:
            raise fault


@dataclass
class FakeTelemetry:
    """Keeps what was told, as (name, facts)."""

    told: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def names(self) -> list[str]:
        return [name for name, _ in self.told]

    def token_age(self, *, version_id: str, seconds_left: float | None, overdue: bool) -> None:
        facts: dict[str, object] = {"version_id": version_id, "seconds_left": seconds_left, "overdue": overdue}
        self.told.append(("token_age", facts))

    def refreshed(self, *, old: str, new: str, recovered_from: str | None) -> None:
        self.told.append(("refreshed", {"old": old, "new": new, "recovered_from": recovered_from}))

    def refresh_failed(self, error: RefreshTokenError, *, version_id: str, first: bool) -> None:
        self.told.append(("refresh_failed", {"reason": error.reason, "version_id": version_id, "first": first}))

    def served_degraded(self, error: RefreshTokenError, *, version_id: str) -> None:
        self.told.append(("served_degraded", {"reason": error.reason, "version_id": version_id}))

    def superseded(self, *, version_id: str) -> None:
        self.told.append(("superseded", {"version_id": version_id}))

    def expiry_capped(self) -> None:
        self.told.append(("expiry_capped", {}))

    def lock_not_read(self, error: RefreshTokenError, *, version_id: str) -> None:
        self.told.append(("lock_not_read", {"reason": error.reason, "version_id": version_id}))

    def lock_not_closed(self, error: RefreshTokenError, *, version_id: str) -> None:
        self.told.append(("lock_not_closed", {"reason": error.reason, "version_id": version_id}))
