"""The core's world, whose driver decides the fate of each port call.

Each invocation runs in its own thread and stops before every port call. The driver then says which one goes on, and
whether the call works, fails without effect, takes effect although its answer is lost, or is never made because the
invocation is killed. Only one thread runs at a time, so a run can be repeated exactly.

    invocation A   read -- claim ----------------------- read -- issuer ........ answer -- put -- move -- done
    invocation B           read -- claim: held -- sleep ---------------- read
    driver         A       B A     B              A      A       time passes     A: killed here, or there, or never

The ports are the fakes. At each effect they check what must be true of it. All times are of one clock: the hosts of
Lambda and DynamoDB are synchronised. The issuer's clock may be off.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

from refresh_token import errors
from refresh_token.core.claims import Failure, RefreshLock
from refresh_token.core.grant import Grant
from refresh_token.core.grants import Spends
from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.issued_token import Issued, RefreshTokenOnly, read_issued
from refresh_token.core.ports import StoredPair, TokenStore
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.core.token_pair import TokenPair
from tests.support.fakes import ISSUED_BY, NOW, FakeLock, FakeStore, FakeTelemetry, Record, Secret

SKEW = timedelta(minutes=5)
COOLDOWNS = {True: timedelta(minutes=15), False: timedelta(minutes=1)}
"""How long consumers cannot reach the issuer, by whether it refused the grant."""

DOWN = errors.IssuerUnavailableException("down")
UNREADABLE = errors.SecretUnavailableException("down")
NOT_STORED = errors.TokenNotStoredException("down")
LOCK_DOWN = errors.IssuerUnavailableException("lock down")

T = TypeVar("T")


class Killed(BaseException):
    """The end of a killed invocation: it does nothing more."""


class Noticed(BaseException):
    """Something that may not happen, found inside a call: no adapter takes it for a fault of the call."""

    def __init__(self, error: AssertionError) -> None:
        super().__init__(error)
        self.error = error


class Order(Enum):
    """The fate of the call before which an invocation stopped."""

    GO = "it works"
    FAIL = "it fails without effect"
    LOSE = "it takes effect, and its answer is lost"
    KILL = "the invocation ends before it"


@dataclass(eq=False, kw_only=True)
class Invocation:
    run: Callable[["Invocation"], object]
    use: str
    issued_by: IssuedBy
    deadline: datetime
    memory: ProcessMemory
    reported: str | None
    wakes: datetime | None = None
    killed: bool = False
    result: object = None
    error: BaseException | None = None
    claimed: str | None = None
    read: StoredPair | None = None
    claims: int = 0
    calls_under_claim: int = 0
    answer: Issued | None = None
    disturbed: bool = False
    telemetry: FakeTelemetry = field(default_factory=FakeTelemetry)

    def __post_init__(self) -> None:
        self._orders: SimpleQueue[Order] = SimpleQueue()
        self._stops: SimpleQueue[str | None] = SimpleQueue()
        self._thread = Thread(target=self._main, daemon=True)
        self._thread.start()
        self.at = self._stops.get()

    def ignores_cooldown(self, version_id: str) -> bool:
        """Tell whether no cooldown stops it: a process with a pair to write does not call the issuer."""
        return self.use in {"force", "tick"} or self.memory.successor_of(version_id) is not None

    def proceed(self, order: Order = Order.GO) -> None:
        """Let it go on to its next port call, or to its end."""
        self._orders.put(order)
        self.at = self._stops.get()
        if self.at is None:
            self._thread.join()

    def stop(self, at: str, wakes: datetime | None = None) -> Order:
        """Wait, in the invocation's thread, for an order."""
        if self.killed:
            raise Killed
        self.wakes = wakes
        self._stops.put(at)
        order = self._orders.get()
        if order is Order.KILL:
            self.killed = True
            raise Killed
        return order

    def _main(self) -> None:
        try:
            self.result = self.run(self)
        except Killed:
            pass
        except Noticed as noticed:
            self.error = noticed.error
        except BaseException as error:  # noqa: BLE001 - the driver judges it
            self.error = error
        self._stops.put(None)


@dataclass
class Grants:
    """The issuer: one access token is alive; what it takes for the next one stays valid until a person revokes it."""

    lifetime: timedelta = timedelta(days=90)
    skew: timedelta = timedelta()
    form: str = "duration"
    rotates: bool = False
    single_use: bool = False
    """Each token that is sent works once; a spent one that comes again revokes them all."""
    spends: Spends = "refresh_token"
    token_type: object = "bearer"
    nonsense: bool = False
    """Answers hold no access token. If they hold a new refresh token, that one must survive."""

    live: str = ""
    valid: set[str] = field(default_factory=set)
    """What may be sent: refresh tokens, access tokens, or nothing."""
    ends: dict[str, datetime] = field(default_factory=dict)
    """When each access token expires by our clock, if nothing kills it before."""

    def issue(self, now: datetime) -> tuple[str, object]:
        self.live = f"access-{len(self.ends)}"
        self.ends[self.live] = now + self.lifetime
        epoch = int((self.ends[self.live] + self.skew).timestamp())
        duration = int(self.lifetime.total_seconds())
        forms: dict[str, object] = {
            "duration": duration,
            "seconds": epoch,
            "milliseconds": epoch * 1000,
            "text": f"{duration}",
            "none": 0,
            "float": float(duration),
            "negative": -duration,
            "words": "a while",
        }
        return self.live, forms[self.form]

    def sign_in(self, now: datetime) -> TokenPair:
        access, _ = self.issue(now)
        refresh = f"refresh-{len(self.ends)}" if self.spends == "refresh_token" else ""
        self.valid.add(access if self.spends == "access_token" else refresh)
        return TokenPair(
            access_token=access,
            refresh_token=refresh,
            expires_at=self.ends[access].replace(microsecond=0),
            refreshed_at=now.replace(microsecond=0),
        )


@dataclass
class Simulation(Secret):
    """Everything that the invocations share, and the ledger of what may not happen."""

    time: datetime = NOW
    grants: Grants = field(default_factory=Grants)
    issued_by: IssuedBy = ISSUED_BY
    """The issuer that is deployed."""
    margin: timedelta = timedelta()
    idle: timedelta | None = None
    """How long a grant lives without a refresh."""
    on_demand: bool = False
    """Ticks leave a token that is due to consumers."""
    claims: Counter[str] = field(default_factory=Counter)
    """How often each version was claimed."""
    succeeded: set[str] = field(default_factory=set)
    """Versions that got a successor of ours since they last became current."""
    answers: dict[str, Issued] = field(default_factory=dict)
    """By access token, if there is one, else by refresh token: one invocation may store another one's answer."""
    table: dict[str, Record] = field(default_factory=dict)
    holders: dict[str, Invocation] = field(default_factory=dict)
    """Who last won the claim on a version and has not closed it, whatever the lock thinks."""
    cooldowns: dict[str, datetime] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    running: list[Invocation] = field(default_factory=list)

    def waits_for(self, version_id: str) -> str | None:
        """Return the version that was written last, if it is to replace this one."""
        return self.pending[0] if self.pending[1] == version_id else None

    def by_hand(self, version_id: str) -> None:
        self.make_current(version_id)
        self.succeeded.discard(version_id)
        self.disturb()

    def disturb(self) -> None:
        """Note that someone else may have a newer token from now on than those who refresh."""
        for each in self.running:
            each.disturbed = True

    def spent_of(self, pair: TokenPair) -> str:
        """Return what a refresh of a pair sends."""
        return {"refresh_token": pair.refresh_token, "access_token": pair.access_token}.get(self.grants.spends, "")

    def takes(self, sent: str) -> bool:
        """Tell whether the issuer takes what is sent: an access token only while it lives."""
        return sent in self.grants.valid and (sent not in self.grants.ends or self.grants.ends[sent] > self.time)

    def issue(self, me: Invocation, sent_token: str, *, foreign: bool) -> Issued:
        if not foreign:
            self._may_refresh(me, sent_token)
        if not self.takes(sent_token):
            if self.grants.single_use:
                self.grants.valid.clear()
            raise errors.ReauthorizationRequiredException("refused")
        if self.grants.single_use:
            self.grants.valid.remove(sent_token)
        access, expires_in = self.grants.issue(self.time)
        if self.grants.spends == "access_token":
            self.grants.valid.add(access)
        rotated = None
        if self.grants.rotates or self.grants.single_use:
            rotated = f"refresh-{len(self.grants.ends)}"
            if self.grants.spends == "refresh_token":
                self.grants.valid.add(rotated)
        for other in self.running:
            # Another version's refresh, while an operator has stored a pair: nobody can keep those two apart.
            other.disturbed |= other is not me and (foreign or other.claimed != me.claimed)
        me.disturbed = False
        life = int(self.grants.lifetime.total_seconds())
        sent = None if self.grants.nonsense else access
        token_type = self.grants.token_type
        me.answer = read_issued(sent, expires_in, rotated, token_type=token_type, default_lifetime=life)
        self.answers[sent or rotated or ""] = me.answer
        return me.answer

    def _may_refresh(self, me: Invocation, sent_token: str) -> None:
        assert me.claimed is not None, "no issuer call happens without a claim"
        assert self.holders.get(me.claimed) is me, "no issuer call happens after the claim was closed"
        assert me.read is not None, "under the claim the secret is read again before the issuer is called"
        assert me.read.version_id == me.claimed, "only the version that is claimed is refreshed"
        assert self.spent_of(me.read.pair) == sent_token, "it is refreshed with its own token"
        waits = self.waits_for(me.claimed)
        assert not (self.grants.single_use and waits), "what was written is made current before the issuer is asked"
        assert me.calls_under_claim == 0, "one claim is good for one issuer call"
        cooled = self.cooldowns.get(me.claimed, self.time) <= self.time
        assert cooled or me.ignores_cooldown(me.claimed), "in a cooldown consumers do not reach the issuer"
        me.calls_under_claim += 1
        owners = (None, me.issued_by)
        assert not sent_token or me.read.pair.issued_by in owners, "nothing is sent to another issuer"
        reported = me.reported == me.claimed
        if me.claims > 1 or self.claims[me.claimed] > 1:
            return
        if not reported and me.use not in {"force", "exchange stored", "exchange other"}:
            self._is_due(me, me.read.pair)
        assert not (reported and self._is_new(me.read.pair)), "a report of a new token refreshes nothing"

    def _is_new(self, pair: TokenPair) -> bool:
        """Tell whether a token lives and was issued less than 30 seconds ago."""
        if pair.refreshed_at is None or pair.expires_at is None or pair.expires_at <= self.time:
            return False
        return timedelta() <= self.time - pair.refreshed_at < timedelta(seconds=30)

    def _is_due(self, me: Invocation, pair: TokenPair) -> None:
        """Check the time of a refresh that nobody demands and no doubt about the version's token causes."""
        if pair.expires_at is None:
            return
        used, accepted = pair.refreshed_at or pair.granted_at, pair.expires_at - self.margin
        keeps_alive = False
        if me.use == "tick" and used and self.idle:
            waits = self.margin and self.time < accepted < used + self.idle
            keeps_alive = self.time >= used + self.idle * 2 / 3 and not waits
        assert keeps_alive or not self.margin or self.time >= accepted, "no refresh is earlier than the margin"
        assert keeps_alive or me.use != "tick" or not self.on_demand, "ticks leave what is due to consumers"

    def stored(self, me: Invocation, replaced: str) -> None:
        """Check the version that an invocation has just made current instead of another."""
        assert replaced == me.claimed, "an operator's pair is never overwritten"
        assert self.holders.get(replaced) is me, "nothing is stored after the claim was closed"
        assert replaced not in self.succeeded, "no version has two successors made by us"
        self.succeeded.add(replaced)
        new, old = self.pair(self.current), self.pair(replaced)
        # What another invocation left over is of that one's answer, and there may have been another since.
        answer = me.answer or self.answers.get(new.refresh_token) or self.answers[new.access_token]
        disturbed = me.disturbed or me.answer is None
        assert new.unknown == old.unknown, "unknown keys survive"
        assert new.client_id == old.client_id or old.client_id is None, "the client id survives"
        assert new.issued_by, "what is stored names its issuer"
        assert new.granted_at, "and when the access was granted"
        assert old.granted_at in (None, new.granted_at), "which stays"
        if self.grants.spends == "refresh_token":
            assert new.refresh_token == (answer.refresh_token or old.refresh_token), "the refresh token is never lost"
        else:
            assert not new.refresh_token, "what is never sent is not stored"
        if isinstance(answer, RefreshTokenOnly):
            assert new.access_token == old.access_token, "without a new one, the access token stays"
            assert new.expires_at is not None
            assert new.expires_at <= self.time, "and counts as dead"
            return
        assert new.access_token == answer.access_token, "what is stored is what the issuer answered"
        assert disturbed or new.access_token == self.grants.live, "what is stored is the issuer's live token"
        assert new.expires_at is not None
        off = abs(new.expires_at - self.grants.ends[new.access_token])
        assert off <= SKEW + timedelta(minutes=1), "the stored expiry is the issuer's, but for the clocks"

    def granted(self, me: Invocation, version_id: str) -> None:
        other = self.holders.get(version_id)
        assert other is None or other.at is None or other.deadline <= self.time, "a claim has one holder at a time"
        self.holders[version_id] = me
        self.claims[version_id] += 1
        me.claims += 1
        me.claimed, me.read, me.answer, me.calls_under_claim = version_id, None, None, 0

    def closed(self, me: Invocation, version_id: str) -> None:
        assert self.holders.get(version_id) is me, "only its holder closes a claim"
        del self.holders[version_id]

    def failed(self, me: Invocation, version_id: str, failure: Failure) -> None:
        """Check a failure that an invocation leaves behind, and start its cooldown."""
        answered = failure.reason == errors.IssuerProtocolException.__name__
        gone = answered and isinstance(me.answer, RefreshTokenOnly) and self.grants.spends == "refresh_token"
        assert not gone, "the grant survives every answer that holds one"
        if failure not in self.failures:  # else the one before holds again
            left = failure.retry_at - self.time
            longest = COOLDOWNS[failure.reason == errors.ReauthorizationRequiredException.__name__]
            assert longest - timedelta(minutes=1) <= left <= longest, "a cooldown is as long as it should be"
        self.failures.append(failure)
        self.cooldowns[version_id] = failure.retry_at

    def healing(self, use: str) -> str:
        """Return the use that heals what may have happened."""
        return use

    def ports(self, me: Invocation) -> tuple[TokenStore, RefreshLock]:
        """Return the store and the lock of an invocation."""
        return SimulatedStore(self, me), SimulatedLock(self, me)

    def cooled(self, me: Invocation, version_id: str) -> None:
        over = self.time >= self.cooldowns.pop(version_id)
        assert over or me.ignores_cooldown(version_id), "in a cooldown consumers do not reach the issuer"


class Port:
    def __init__(self, world: Simulation, me: Invocation) -> None:
        self.world = world
        self.me = me

    def call(self, name: str, effect: Callable[[], T], fault: Exception) -> T:
        """Make a call whose fate the driver decides."""
        order = self.me.stop(name)
        if order is Order.FAIL:
            raise fault
        result = effect()
        if order is Order.LOSE:
            raise fault
        return result


class SimulatedClock(Port):
    def now(self) -> datetime:
        return self.world.time

    def sleep(self, seconds: float) -> None:
        self.me.stop("sleep", wakes=self.world.time + timedelta(seconds=seconds))

    def remaining(self) -> float:
        return (self.me.deadline - self.world.time).total_seconds()


class SimulatedIssuer(Port):
    """The Issuer port. It stops before the call and before the answer: time may pass between them, or a kill."""

    def __init__(self, world: Simulation, me: Invocation) -> None:
        super().__init__(world, me)
        self.issued_by = me.issued_by

    @property
    def spends(self) -> Spends:
        return self.world.grants.spends

    @property
    def rotates(self) -> bool:
        return self.world.grants.single_use

    @property
    def takes_client_id(self) -> bool:
        return not self.world.grants.single_use

    def refresh(self, grant: Grant, client_id: str | None, *, seconds: float, owner: IssuedBy | None = None) -> Issued:
        del client_id, owner
        latest = self.world.time + timedelta(seconds=seconds)
        sent = grant.access_token if self.spends == "access_token" else grant.refresh_token
        assert not grant.refresh_token or self.spends == "refresh_token", (
            "the issuer gets no token that it does not need"
        )
        assert not grant.access_token or self.spends == "access_token", "the issuer gets no token that it does not need"
        foreign = self.me.claimed is None and not self._is_stored(sent)
        ends = self.me.read.pair.expires_at if self.me.read and self.spends == "access_token" else None
        assert ends is None or ends > self.world.time, "no token is exchanged after its end"
        order = self.me.stop("issuer")
        late = self.world.time > latest
        if order is Order.FAIL or (late and order is Order.GO):
            raise DOWN
        answer = self.world.issue(self.me, sent, foreign=foreign)
        if order is Order.LOSE or self.me.stop("answer") is not Order.GO or self.world.time > latest:
            raise DOWN
        return answer

    def _is_stored(self, sent: str) -> bool:
        return self.me.read is not None and self.world.spent_of(self.me.read.pair) == sent


class SimulatedStore(Port, FakeStore):
    def __init__(self, world: Simulation, me: Invocation) -> None:
        Port.__init__(self, world, me)
        FakeStore.__init__(self, secret=world)

    def read(self) -> StoredPair:
        self.me.read = None
        self.me.read = super().read()
        return self.me.read

    def make_current(self, version_id: str) -> None:
        replaced = self.world.current
        super().make_current(version_id)
        self.world.stored(self.me, replaced)

    def now(self) -> datetime:
        return self.world.time

    def step(self, name: str, effect: Callable[[], T]) -> T:
        return self.call(name, effect, UNREADABLE if name.startswith("read") else NOT_STORED)


class SimulatedLock(Port, FakeLock):
    def __init__(self, world: Simulation, me: Invocation) -> None:
        Port.__init__(self, world, me)
        FakeLock.__init__(self, lambda: world.time, world.table)

    def put_claim(self, version_id: str, ends: datetime) -> Record | None:
        record = super().put_claim(version_id, ends)
        if record is None:
            self.world.granted(self.me, version_id)
        return record

    def forget(self, version_id: str, record: Record) -> None:
        if self.table.get(version_id) is record:
            self.world.cooled(self.me, version_id)
        super().forget(version_id, record)

    def close(self, version_id: str, record: Record | None) -> None:
        self.world.closed(self.me, version_id)
        if record and record.failure:
            self.world.failed(self.me, version_id, record.failure)
        super().close(version_id, record)

    def step(self, name: str, effect: Callable[[], T]) -> T:
        return self.call(name, effect, LOCK_DOWN)
