"""One suite for each port, over the fake that other tests use *and* over the real adapter on moto."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from refresh_token.adapters.connection_item import ConnectionItem
from refresh_token.adapters.idempotency_lock import IdempotencyLock, dynamodb_client
from refresh_token.adapters.item_tokens import PLACEHOLDER
from refresh_token.adapters.secrets_manager import secrets_manager_client
from refresh_token.adapters.token_store import NO_VERSION
from refresh_token.adapters.watched_store import WatchedStore
from refresh_token.core.claims import Claim, CoolingDown, Done, Failure, Held, HeldClaim, RefreshLock
from refresh_token.core.ports import StoredPair, TokenStore, VersionSupersededError
from refresh_token.core.secret_format import parse_app_token, parse_pair_or_token
from refresh_token.core.successors import successor_id
from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import SecretMalformedException, SecretNotSeededException
from refresh_token.fleet.attributes import encode
from tests.support.fakes import NOW, FakeClock, FakeLock, FakeStore, Secret
from tests.support.fleet import FleetStage, fleet_stage
from tests.support.lock_table import TABLE, create_lock_table
from tests.support.secret_by_hand import store_by_hand

if TYPE_CHECKING:
    from refresh_token.core.secret_format import Parse

# --- TokenStore -----------------------------------------------------------------------------------------------------


class StoreUnderTest(Protocol):
    """A store, and functions that change its data directly."""

    store: TokenStore

    def read(self) -> StoredPair:
        """Return the current pair as whoever refreshes it reads it."""
        ...

    def seed(self, text: str) -> str:
        """Make a text current as an operator does; return its version."""
        ...


class StoreInTwoSteps(StoreUnderTest, Protocol):
    """A store that first writes a version and then makes it current, and that keeps the version before."""

    def write_pending(self, pair: TokenPair, *, after: str) -> str:
        """Write the successor of a version, and die before it is promoted; return the successor's version."""
        ...


class TheFakeStore:
    def __init__(self, parse: "Parse") -> None:
        self.store = FakeStore(Secret(parse=parse))

    def read(self) -> StoredPair:
        return self.store.read()

    def seed(self, text: str) -> str:
        version_id = str(uuid4())
        self.store.put_text(version_id, text)
        return version_id

    def write_pending(self, pair: TokenPair, *, after: str) -> str:
        version_id = successor_id(after, uuid4().hex)
        self.store.secret.put_pending(version_id, pair.to_json(), after)
        return version_id


class TheRealStore:
    def __init__(self, parse: "Parse") -> None:
        self._client = boto3.client("secretsmanager")
        self._arn = self._client.create_secret(Name="pair")["ARN"]
        client = secrets_manager_client()
        client.meta.events.register("before-call.secretsmanager.PutSecretValue", self._ignore_a_repeated_put)  # type: ignore[arg-type]  # the stubs know no answers
        self.seen: list[TokenPair] = []
        self.store = WatchedStore(self._arn, client, lambda: client, parse, self.seen.append)

    def read(self) -> StoredPair:
        return self.store.read()

    def seed(self, text: str) -> str:
        return store_by_hand(self._client, self._arn, text)

    def write_pending(self, pair: TokenPair, *, after: str) -> str:
        version_id = successor_id(after, uuid4().hex)
        self._client.put_secret_value(
            SecretId=self._arn, ClientRequestToken=version_id, SecretString=pair.to_json(), VersionStages=["AWSPENDING"]
        )
        return version_id

    def _ignore_a_repeated_put(self, params: dict[str, Any], **_: object) -> tuple[AWSResponse, dict[str, Any]] | None:
        """Do as the API reference says: a repeated put of the same version and data "does nothing".

        moto writes a version labelled AWSPENDING again and drops its other labels, AWSCURRENT among them.
        """
        put = json.loads(params["body"])
        for known in self._client.list_secret_version_ids(SecretId=self._arn)["Versions"]:
            if known["VersionId"] == put["ClientRequestToken"]:
                value = self._client.get_secret_value(SecretId=self._arn, VersionId=known["VersionId"])
                assert value["SecretString"] == put["SecretString"], "the real service refuses to change a version"
                answer = {"ARN": self._arn, "VersionId": known["VersionId"]}
                return AWSResponse("", 200, HTTPHeaders(), None), answer
        return None


class TheItem:
    """An item of a fleet. Before it is seeded, it holds no tokens."""

    def __init__(self, parse: "Parse") -> None:
        app = parse is parse_app_token
        self._stage = fleet_stage(parse=parse, spends="nothing" if app else "refresh_token")
        self._stage.seed(pair=TokenPair(access_token="", refresh_token=""), version=NO_VERSION)
        self._item = self._stage.item(force=True)  # what was set aside as malformed is read as well
        self.store: TokenStore = self._item
        with suppress(SecretNotSeededException):
            self.store.read()  # what an invocation has just read is not read again

    def read(self) -> StoredPair:
        seen = self.store.read()
        claim = self._item.claim(seen.version_id, seconds=60, now=NOW, ignore_cooldown=True)
        opened = self.store.read()
        assert isinstance(claim, HeldClaim)
        claim.release()
        assert seen.pair.refresh_token == PLACEHOLDER, "only under a claim is it there"
        assert replace(seen.pair, refresh_token=opened.pair.refresh_token) == opened.pair
        return opened

    def seed(self, text: str) -> str:
        with suppress(SecretMalformedException, SecretNotSeededException):
            return self._stage.seed(pair=parse_pair_or_token(text, created=NOW)).version
        version = self._stage.seed(pair=TokenPair(access_token="", refresh_token="")).version
        if text != "{}":
            self._stage.table.change(values=encode(json.loads(text) if text.startswith("[") else text))
        return version


@pytest.fixture(params=[TheFakeStore, TheRealStore, TheItem], ids=["fake", "secrets-manager", "item"])
def make_subject(request: pytest.FixtureRequest, aws: None) -> "Callable[[Parse], StoreUnderTest]":  # noqa: ARG001 - moto is for the real ones
    made: Callable[[Parse], StoreUnderTest] = request.param
    return made


@pytest.fixture(params=[TheFakeStore, TheRealStore], ids=["fake", "secrets-manager"])
def stepping(request: pytest.FixtureRequest, aws: None) -> StoreInTwoSteps:  # noqa: ARG001 - moto is for the real one
    made: StoreInTwoSteps = request.param(parse_pair_or_token)
    return made


@pytest.fixture
def subject(make_subject: "Callable[[Parse], StoreUnderTest]") -> StoreUnderTest:
    return make_subject(parse_pair_or_token)


@pytest.fixture
def empty(make_subject: "Callable[[Parse], StoreUnderTest]") -> StoreUnderTest:
    """Return a store of app tokens that never had a value."""
    return make_subject(parse_app_token)


def pair(access_token: str) -> TokenPair:
    return TokenPair(
        access_token=access_token,
        refresh_token="refresh",
        client_id="client",
        expires_at=NOW + timedelta(days=90),
        refreshed_at=NOW,
        unknown={"note": ["kept"]},
    )


def seeded(subject: StoreUnderTest, access_token: str) -> StoredPair:
    return StoredPair(subject.seed(pair(access_token).to_json()), pair(access_token))


def replaced(subject: StoreUnderTest, old: StoredPair, access_token: str, version_id: str | None = None) -> StoredPair:
    """Replace a version through the store; return the pair that should then be current."""
    new = StoredPair(version_id or str(uuid4()), pair(access_token))
    subject.store.replace(new.pair, expected=old.version_id, version_id=new.version_id, seconds=30)
    return new


class TestRead:
    def test_without_a_pair_is_not_seeded(self, subject: StoreUnderTest) -> None:
        with pytest.raises(SecretNotSeededException):
            subject.store.read()

    def test_returns_pair_and_version(self, subject: StoreUnderTest) -> None:
        assert seeded(subject, "one") == subject.read()


class TestWithoutValue:
    NEW = TokenPair(access_token="one", refresh_token="", expires_at=NOW + timedelta(hours=1), refreshed_at=NOW)

    def put(self, subject: StoreUnderTest, version_id: str) -> None:
        subject.store.replace(self.NEW, expected=subject.store.read().version_id, version_id=version_id, seconds=30)

    def test_holds_an_empty_pair_that_can_be_replaced(self, empty: StoreUnderTest) -> None:
        found, version_id = empty.store.read(), successor_id("", uuid4().hex)
        assert (found.version_id, found.pair.access_token, found.pair.expires_at) == ("", "", None)
        self.put(empty, version_id)
        assert empty.store.read() == StoredPair(version_id, self.NEW)

    def test_gives_way_to_the_first_value(self, empty: StoreUnderTest) -> None:
        found = empty.store.read()
        theirs = empty.seed("{}")
        with pytest.raises(VersionSupersededError):
            empty.store.replace(self.NEW, expected=found.version_id, version_id=str(uuid4()), seconds=30)
        assert empty.store.read().version_id == theirs
        self.put(empty, str(uuid4()))
        assert empty.store.read().pair == self.NEW


class TestReplace:
    def test_makes_each_successor_current(self, subject: StoreUnderTest) -> None:
        current = seeded(subject, "0")
        for number in "123":
            current = replaced(subject, current, number)
            assert subject.read() == current

    def test_is_safe_to_repeat(self, subject: StoreUnderTest) -> None:
        first, version_id = seeded(subject, "one"), str(uuid4())
        for _ in range(3):
            second = replaced(subject, first, "two", version_id)
        assert subject.read() == second

    def test_gives_way_to_someone_elses_pair(self, subject: StoreUnderTest) -> None:
        first = seeded(subject, "one")
        theirs = seeded(subject, "theirs")
        with pytest.raises(VersionSupersededError):
            replaced(subject, first, "ours")
        assert subject.read() == theirs
        assert replaced(subject, theirs, "next") == subject.read(), "and works again after that"

    def test_repeated_gives_way_as_well(self, subject: StoreUnderTest) -> None:
        first, version_id = seeded(subject, "one"), str(uuid4())
        replaced(subject, first, "two", version_id)
        theirs = seeded(subject, "theirs")
        with pytest.raises(VersionSupersededError):
            replaced(subject, first, "two", version_id)
        assert subject.read() == theirs


class TestPending:
    def test_is_none_before_anything_was_written(self, stepping: StoreInTwoSteps) -> None:
        assert stepping.store.pending(seeded(stepping, "one").version_id) is None

    def test_is_there_until_it_is_promoted(self, stepping: StoreInTwoSteps) -> None:
        first = seeded(stepping, "one")
        written = StoredPair(stepping.write_pending(pair("two"), after=first.version_id), pair("two"))
        assert stepping.store.pending(first.version_id) == written
        assert stepping.store.read() == first
        for _ in range(2):
            stepping.store.promote(written.version_id, expected=first.version_id, seconds=30)
        if isinstance(stepping, TheRealStore):
            assert stepping.seen[-1] == written.pair, "who watches knows which pair is current"
        assert stepping.store.read() == written
        assert stepping.store.pending(written.version_id) is None

    def test_gives_way_to_someone_elses_pair(self, stepping: StoreInTwoSteps) -> None:
        first = seeded(stepping, "one")
        written = stepping.write_pending(pair("two"), after=first.version_id)
        theirs = seeded(stepping, "theirs")
        assert stepping.store.pending(theirs.version_id) is None
        with pytest.raises(VersionSupersededError):
            stepping.store.promote(written, expected=first.version_id, seconds=30)
        assert stepping.store.read() == theirs


class TestPrevious:
    def test_is_the_pair_that_was_replaced(self, stepping: StoreInTwoSteps) -> None:
        before = seeded(stepping, "one")
        replaced(stepping, before, "two")
        assert stepping.store.previous() == before

    def test_is_none_for_the_first_pair(self, stepping: StoreInTwoSteps) -> None:
        seeded(stepping, "one")
        assert stepping.store.previous() is None

    def test_is_none_for_what_is_no_pair(self, stepping: StoreInTwoSteps) -> None:
        stepping.seed("no pair")
        seeded(stepping, "one")
        assert stepping.store.previous() is None


class TestOneStep:
    def test_leaves_nothing_to_promote(self, aws: None) -> None:  # noqa: ARG002 - moto must be there
        subject = TheItem(parse_pair_or_token)
        first = seeded(subject, "one")
        second = replaced(subject, first, "two")
        assert subject.store.pending(first.version_id) is subject.store.previous() is None
        with pytest.raises(VersionSupersededError):
            subject.store.promote(second.version_id, expected=first.version_id, seconds=30)
        assert subject.read() == second


class TestUnreadable:
    def test_is_what_the_secret_holds(self, subject: StoreUnderTest) -> None:
        assert not subject.store.unreadable().holds("canary")
        subject.seed('["canary"]')
        assert subject.store.unreadable().holds("canary")


# --- RefreshLock ----------------------------------------------------------------------------------------------------


@dataclass
class LockUnderTest:
    """Two processes that share the claims, and a way to let time pass for both."""

    lock: RefreshLock
    other: RefreshLock
    pass_time: Callable[[float], None]
    now: Callable[[], datetime] = lambda: NOW
    """The time of the cooldowns."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """The time of the claims."""
    before_done: Callable[[HeldClaim], None] = lambda _: None
    """Stores the successor of a claimed version, where that is what closes the claim."""

    def claim(self, version_id: str = "v1", **how: Any) -> Claim:
        return try_claim(self.lock, version_id, **{"now": self.now(), **how})

    def rival(self, version_id: str = "v1", **how: Any) -> Claim:
        return try_claim(self.other, version_id, **{"now": self.now(), **how})

    def done(self, claim: HeldClaim) -> None:
        self.before_done(claim)
        claim.done()

    def fail(self, failure: Failure) -> None:
        held(self.claim(ignore_cooldown=True)).failed(failure)


def try_claim(
    lock: RefreshLock, version_id: str, *, now: datetime, ignore_cooldown: bool = False, seconds: float = 60.0
) -> Claim:
    return lock.claim(version_id, seconds=seconds, now=now, ignore_cooldown=ignore_cooldown)


def held(claim: Claim, previous: Failure | None = None) -> HeldClaim:
    """Return a claim that was won after ``previous``."""
    assert isinstance(claim, HeldClaim)
    assert claim.previous == previous
    return claim


def the_fake_lock() -> LockUnderTest:
    clock = FakeClock()
    lock = FakeLock(clock.now)
    return LockUnderTest(lock, lock, clock.pass_time, clock=clock.now)


def the_real_lock() -> LockUnderTest:
    create_lock_table(boto3.client("dynamodb"))
    lock, other = (IdempotencyLock(TABLE, "arn:secret", dynamodb_client()) for _ in range(2))
    return LockUnderTest(lock, other, time.sleep)


class ItemLocks:
    """The locks of a fleet: the version `v1` is that of the connection `acme/v1`."""

    def __init__(self, stage: FleetStage) -> None:
        self._stage = stage
        self._items: dict[str, ConnectionItem] = {}

    def item(self, version_id: str) -> ConnectionItem:
        name = f"acme/{version_id}"
        if version_id not in self._items:
            if not self._stage.table.item(name):
                self._stage.seed(name, version=version_id)
            self._items[version_id] = self._stage.item(name)
        return self._items[version_id]

    def claim(self, version_id: str, **how: Any) -> Claim:
        return self.item(version_id).claim(version_id, **how)

    def failure(self, version_id: str, *, now: datetime) -> Failure | None:
        return self.item(version_id).failure(version_id, now=now)

    def record_success(self, version_id: str) -> None:
        self.item(version_id).record_success(version_id)

    def record_failure(self, version_id: str, failure: Failure) -> None:
        self.item(version_id).record_failure(version_id, failure)

    def delete_claim(self, version_id: str) -> None:
        self.item(version_id).delete_claim(version_id)


def the_item_lock() -> LockUnderTest:
    stage = fleet_stage()

    def store_successor(claim: HeldClaim) -> None:
        assert isinstance(claim.lock, ConnectionItem)
        claim.lock.replace(pair("next"), expected=claim.version_id, version_id=str(uuid4()), seconds=30)

    now = stage.clock.now
    return LockUnderTest(ItemLocks(stage), ItemLocks(stage), stage.clock.pass_time, now, now, store_successor)


@pytest.fixture(params=[the_fake_lock, the_real_lock, the_item_lock], ids=["fake", "idempotency", "item"])
def locks(request: pytest.FixtureRequest, aws: None) -> LockUnderTest:  # noqa: ARG001 - moto is for the real ones
    made: LockUnderTest = request.param()
    return made


FAILURE = Failure("IssuerUnavailableException", NOW + timedelta(seconds=60))
LATER = Failure("ReauthorizationRequiredException", NOW + timedelta(minutes=15), refused=True, count=3, since=NOW)
LOST = Failure("TokenNotStoredException", NOW, lost=True)


class TestClaim:
    def test_one_of_two_wins(self, locks: LockUnderTest) -> None:
        held(locks.claim())
        assert locks.rival() == Held()
        assert locks.rival(ignore_cooldown=True) == Held()
        assert locks.claim() == Held(), "nor does the holder get it twice"

    def test_each_version_has_its_own(self, locks: LockUnderTest) -> None:
        one = held(locks.claim("v1"))
        held(locks.rival("v2"))
        locks.done(one)
        assert locks.claim("v2") == Held()

    def test_a_refreshed_version_stays_done(self, locks: LockUnderTest) -> None:
        locks.fail(FAILURE)
        locks.done(held(locks.claim(ignore_cooldown=True), FAILURE))
        for ignore_cooldown in (False, True):
            assert locks.rival(ignore_cooldown=ignore_cooldown) == Done()

    def test_a_released_claim_leaves_no_trace(self, locks: LockUnderTest) -> None:
        held(locks.claim()).release()
        held(locks.rival())

    def test_releasing_twice_is_harmless(self, locks: LockUnderTest) -> None:
        claim = held(locks.claim())
        claim.release()
        claim.release()
        held(locks.claim())

    def test_releasing_restores_the_failure_before(self, locks: LockUnderTest) -> None:
        locks.fail(FAILURE)
        held(locks.claim(ignore_cooldown=True), FAILURE).release()
        assert locks.rival() == CoolingDown(FAILURE)

    def test_expires_with_its_holders_time(self, locks: LockUnderTest) -> None:
        begun = time.monotonic()
        held(locks.claim(seconds=1.0))
        locks.pass_time(0.3)
        if time.monotonic() - begun < 1.0:  # on a machine that was asleep, real time has passed
            assert locks.rival() == Held()
        locks.pass_time(0.8)
        held(locks.rival())
        assert locks.claim() == Held(), "the next holder has the claim for its own time"


class TestCooldown:
    def test_lasts_for_everyone_until_the_retry(self, locks: LockUnderTest) -> None:
        locks.fail(FAILURE)
        early = FAILURE.retry_at - timedelta(microseconds=1)
        assert locks.claim(now=early) == locks.rival(now=early) == CoolingDown(FAILURE)
        held(locks.rival(now=FAILURE.retry_at), FAILURE)

    def test_one_of_two_that_ignore_it_wins(self, locks: LockUnderTest) -> None:
        locks.fail(FAILURE)
        held(locks.claim(ignore_cooldown=True), FAILURE)
        assert locks.rival(ignore_cooldown=True) == Held()
        assert locks.rival() == Held(), "and the failure cools nobody down during the next attempt"

    def test_the_last_failure_counts(self, locks: LockUnderTest) -> None:
        locks.fail(FAILURE)
        held(locks.claim(ignore_cooldown=True), FAILURE).failed(LATER)
        assert locks.rival() == CoolingDown(LATER)
        held(locks.rival(ignore_cooldown=True), LATER)


class TestLostAnswer:
    def test_is_known_until_the_version_has_a_successor(self, locks: LockUnderTest) -> None:
        assert locks.lock.failure("v1", now=NOW) is None
        locks.fail(LOST)
        assert locks.other.failure("v1", now=NOW) == LOST
        assert locks.other.failure("v2", now=NOW) is None
        locks.done(held(locks.rival(ignore_cooldown=True), LOST))
        assert locks.lock.failure("v1", now=NOW) is None

    def test_other_failures_are_known_as_well(self, locks: LockUnderTest) -> None:
        locks.fail(FAILURE)
        assert locks.other.failure("v1", now=NOW) == FAILURE

    def test_may_be_lost_with_a_dead_holder(self, locks: LockUnderTest) -> None:
        begun = locks.clock()
        held(locks.claim(seconds=1.0))
        assert locks.other.failure("v1", now=begun) is None
        locks.pass_time(1.1)
        now = locks.clock()
        assert locks.other.failure("v1", now=now) == replace(LOST, retry_at=now)
