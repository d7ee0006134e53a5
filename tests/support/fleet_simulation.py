"""A fleet's world in memory, in which every call can go wrong, and other things can happen between any two calls.

A run (a dispatcher's tick, a worker's message, a consumer's question) stops before and after each call that matters, of
the table, the queue, the key and the provider. Its plan says what becomes of one of these: the process dies, the call
fails, its answer is lost, or something else happens first, from beginning to end.

    worker A   GetItem - claim - Decrypt - provider ................. answer - UpdateItem
    worker B                                        GetItem - fenced
    operator                                                 pause

The providers know what is true of each grant, and check at every call what must be true of it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from itertools import count
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from refresh_token.adapters.aws_clients import Fault
from refresh_token.adapters.item_tokens import PLACEHOLDER
from refresh_token.core.grant import Grant
from refresh_token.core.grants import Spends
from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.issued_token import Issued, read_issued
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import (
    ConfigurationException,
    IssuerProtocolException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshTokenError,
)
from refresh_token.fleet import operator_writes
from refresh_token.fleet.successor import StoredTokens, Successor, new_item
from tests.support.memory_fleet import MemoryFleet, provider

LIFE = timedelta(days=1)
REUSABLE, ROTATING = "figma", "linear"


class Killed(BaseException):
    """The process dies here."""


class Order(Enum):
    """The fate of the call at which a run stops."""

    KILL = "the process dies"
    FAIL = "the call fails, or its answer is lost"
    SLOW = "the call takes three seconds"
    MEANWHILE = "something else happens first"


@dataclass
class Plan:
    """What happens at step number `at` of a run."""

    at: int
    order: Order
    meanwhile: Callable[[], object] = lambda: None


@dataclass
class Run:
    """A run: what is to happen to it, and what the provider has answered."""

    plan: Plan | None
    by_worker: bool = False
    steps: int = 0
    issued: list[tuple[str, str, str]] = field(default_factory=list)
    """(connection, version, access token) of each answer."""


@dataclass(eq=False)
class TrueGrant:
    """What a provider knows about a grant."""

    connection: str
    rotates: bool
    valid: str
    live: str
    ends: datetime
    revoked: bool = False
    refused: bool = False
    """Whether the provider has ever refused it."""
    spent: set[str] = field(default_factory=set)


@dataclass
class FleetSimulation:
    """The world: a fleet, its providers, and what has gone wrong."""

    fleet: MemoryFleet = field(
        default_factory=lambda: MemoryFleet(
            providers={REUSABLE: provider(REUSABLE), ROTATING: provider(ROTATING, rotates=True)}
        )
    )
    mood: str = "works"
    """What the providers do: `works`, or one of `MOODS`."""

    runs: list[Run] = field(default_factory=list)
    grants: dict[str, TrueGrant] = field(default_factory=dict)
    """The newest grant of each connection."""

    by_token: dict[str, TrueGrant] = field(default_factory=dict)
    answered: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often the provider has issued a token for each version of a connection."""

    lost: set[tuple[str, str]] = field(default_factory=set)
    """The versions for which an answer was not stored."""

    deaths: Counter[str] = field(default_factory=Counter)
    """How often a process died while it served each connection."""

    poisons: set[str] = field(default_factory=set)
    """Connections whose refresh kills the process."""

    acts: set[tuple[str, str]] = field(default_factory=set)
    """What operators have done: (connection, act)."""

    broken: list[str] = field(default_factory=list)
    """What must be true, and was not. The code under test would catch an exception."""

    def __post_init__(self) -> None:
        fleet = self.fleet
        fleet.table.before = fleet.table.after = fleet.kms.before = fleet.queue.before = self.stop
        fleet.issuer = lambda name: ModelIssuer(self, name)
        self.memories = [ProcessMemory(), ProcessMemory()]
        self.numbers = count(1)

    # Runs

    @contextmanager
    def running(
        self, plan: Plan | None, connection: str | None = None, process: int = 0, *, by_worker: bool = False
    ) -> Iterator[None]:
        """Let a run happen as planned. A process that dies forgets what it knew."""
        run, before = Run(plan, by_worker), (self.fleet.clock.left, self.fleet.memory)
        self.runs.append(run)
        self.fleet.clock.left, self.fleet.memory = 60.0, self.memories[process]
        try:
            yield
        except Killed:
            self.memories[process] = ProcessMemory()
            if connection:
                self.deaths[connection] += 1
        finally:
            self.runs.pop()
            self.fleet.clock.left, self.fleet.memory = before
            for name, version, access in run.issued:
                item = self.fleet.table.items.get(name, {})
                if item.get("accessToken") != {"S": access}:
                    self.lost.add((name, version))
        assert self.runs or not self.broken, self.broken

    def must(self, promise: str, *, hold: bool) -> None:
        """Note a promise that does not hold; the run ends first."""
        if not hold:
            self.broken.append(promise)

    def stop(self, name: str, _call: object = None) -> None:
        """Stop a run before or after a call, and do what its plan says."""
        if not self.runs or name == "Query":  # there are many, and nothing depends on one
            return
        run = self.runs[-1]
        run.steps += 1
        if run.plan is None or run.steps != run.plan.at:
            return
        match run.plan.order:
            case Order.KILL:
                raise Killed
            case Order.FAIL if run.steps % 2:
                error: Any = {"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
                raise ClientError(error, name)
            case Order.FAIL:
                raise ReadTimeoutError(endpoint_url="https://aws.example")
            case Order.SLOW:
                self.fleet.clock.pass_time(3)
            case Order.MEANWHILE:
                self.meanwhile(run.plan)

    def meanwhile(self, plan: Plan) -> None:
        """Let something else happen. If it takes longer than the run has left, Lambda ends the run."""
        clock, began = self.fleet.clock, self.fleet.clock.now()
        plan.meanwhile()
        clock.left -= (clock.now() - began).total_seconds()
        if clock.left <= 0:
            raise Killed

    # People

    def connect(self, name: str) -> None:
        """Let a person sign in, and store the pair: the connection is new, or has new tokens."""
        rotates = name.startswith(ROTATING)
        number = next(self.numbers)
        now = self.fleet.clock.now()
        grant = TrueGrant(name, rotates, f"refresh-{number}", f"access-{number}", now + LIFE)
        self.grants[name] = self.by_token[grant.valid] = grant
        pair = TokenPair(
            access_token=grant.live,
            refresh_token=grant.valid,
            provider=ROTATING if rotates else REUSABLE,
            expires_at=grant.ends,
            refreshed_at=now,
        )
        with self.undisturbed():
            sealed = self.fleet.seal.seal(name, grant.valid)
            assert not isinstance(sealed, Fault)
            new = Successor(pair, StoredTokens(pair.access_token, sealed), f"by-hand-{number}", now)
            due_at = int(grant.ends.timestamp()) - 1_000
            self.fleet.table.put_item(
                TableName="connections", **operator_writes.seed(new_item(name, new, due_at=due_at), over=True)
            )
        self.deaths[name] = 0
        self.poisons.discard(name)
        self.acts = {(other, act) for other, act in self.acts if other != name}

    def operate(self, act: str, name: str) -> None:
        """Let an operator pause, resume or revoke a connection, or spoil its item; or let its refresh become deadly."""
        record = self.fleet.record(name)
        now = self.fleet.clock.now()
        with self.undisturbed():
            match act:
                case "connect":
                    return self.connect(name)
                case "end the grant":
                    self.grants[name].revoked = True
                case "poison":
                    self.poisons ^= {name}
                case "spoil":
                    self.fleet.table.items[name] |= {"refreshToken": {"L": [{"B": b"spoilt"}]}}
                case "pause" if record.state not in {"revoked", "malformed"}:
                    self.change(operator_writes.pause(record))
                case "resume" if record.state == "paused" or (record.state == "stuck" and record.failure is None):
                    self.change(operator_writes.resume(record, due_at=self.fleet.now(), now=now))
                    if record.state == "stuck":
                        self.deaths[name] = 0
                case "revoke":
                    version = f"by-hand-{next(self.numbers)}"
                    self.change(operator_writes.revoke(record, version=version, now=now))
                case _:
                    return None
        self.acts.add((name, act))
        return None

    def change(self, request: dict[str, Any]) -> None:
        self.fleet.table.update_item(TableName="connections", **request)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        self.runs.append(Run(None))
        try:
            yield
        finally:
            self.runs.pop()

    # What is true

    def is_live(self, name: str) -> bool:
        """Tell whether what is stored is the provider's live token, as far as anybody can know.

        An end user may have ended the grant, which only the next refresh shows.
        """
        item, grant = self.fleet.table.items[name], self.grants[name]
        return item.get("accessToken") == {"S": grant.live} and grant.ends > self.fleet.clock.now()


MOODS = {
    "is down": IssuerUnavailableException("down"),
    "makes no sense": IssuerProtocolException("nonsense"),
    "refuses the app": ConfigurationException("wrong app credentials"),
    "refuses everybody": ReauthorizationRequiredException("refused"),
}


@dataclass
class ModelIssuer:
    """The issuer of a connection's tokens."""

    world: FleetSimulation
    connection: str
    spends: Spends = "refresh_token"
    takes_client_id: bool = False

    @property
    def issued_by(self) -> IssuedBy:
        return IssuedBy(self.connection.partition("/")[0], "api.example.com")

    @property
    def rotates(self) -> bool:
        return self.connection.startswith(ROTATING)

    def refresh(self, grant: Grant, client_id: str | None, *, seconds: float, owner: IssuedBy | None = None) -> Issued:
        assert seconds > 0
        assert client_id is None
        assert owner is None
        world, name, sent = self.world, self.connection, grant.refresh_token
        world.must("a placeholder is never sent", hold=sent != PLACEHOLDER)
        version = world.fleet.record(name).version
        try:
            world.stop("refresh")
            if name in world.poisons:
                raise Killed
            answer = self._answer(world.by_token[sent], sent, version)
            world.stop("refresh")
        except (ClientError, ReadTimeoutError):
            raise IssuerUnavailableException("no answer") from None
        return answer

    def _answer(self, true: TrueGrant, sent: str, version: str) -> Issued:
        world, name, now = self.world, self.connection, self.world.fleet.clock.now()
        world.must("a token goes to its own provider", hold=true.connection == name)
        failure = world.fleet.record(name).failure
        if world.runs[-1].by_worker and failure:
            world.must("a late message causes no attempt before its time", hold=failure.retry_at <= now)
        if world.mood != "works":
            true.refused = true.refused or isinstance(MOODS[world.mood], ReauthorizationRequiredException)
            raise _again(MOODS[world.mood])
        current = world.grants[name] is true
        if sent in true.spent:
            lost = any(lost == name for lost, _ in world.lost)
            world.must("a spent token is sent only if an answer was lost", hold=lost or not current)
            true.revoked = True
        if true.revoked or sent != true.valid:
            true.refused = True
            raise ReauthorizationRequiredException("refused")
        if current:
            world.answered[name, version] += 1
            once = world.answered[name, version] == 1 or (name, version) in world.lost
            world.must("a version is refreshed once", hold=once)
        number = next(world.numbers)
        true.live, true.ends = f"access-{number}", now + LIFE
        if true.rotates:
            true.spent.add(true.valid)
            true.valid = f"refresh-{number}"
            world.by_token[true.valid] = true
        world.runs[-1].issued.append((name, version, true.live))
        refresh_token = true.valid if true.rotates else None
        return read_issued(true.live, int(LIFE.total_seconds()), refresh_token, sent=sent)


def _again(error: RefreshTokenError) -> RefreshTokenError:
    return type(error)(str(error))
