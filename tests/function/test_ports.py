"""One suite for each port, over the fake that other tests use *and* over the real adapter on moto."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from refresh_token.adapters.idempotency_lock import IdempotencyLock, dynamodb_client
from refresh_token.adapters.secrets_manager import secrets_manager_client
from refresh_token.adapters.token_store import SecretsManagerStore
from refresh_token.core.claims import Claim, CoolingDown, Done, Failure, Held, HeldClaim, RefreshLock
from refresh_token.core.ports import StoredPair, TokenStore, VersionSupersededError
from refresh_token.core.secret_format import parse_app_token, parse_pair_or_token
from refresh_token.core.successors import successor_id
from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import SecretNotSeededException
from tests.support.fakes import NOW, FakeClock, FakeLock, FakeStore, Secret
from tests.support.lock_table import TABLE, create_lock_table
from tests.support.secret_by_hand import store_by_hand

if TYPE_CHECKING:
    from refresh_token.core.secret_format import Parse

# --- TokenStore -----------------------------------------------------------------------------------------------------


class StoreUnderTest(Protocol):
    """A store, and functions that change its data directly."""

    store: TokenStore

    def seed(self, text: str) -> str:
        """Make a text current as an operator does; return its version."""
        ...

    def write_pending(self, pair: TokenPair, *, after: str) -> str:
        """Write the successor of a version, and die before it is promoted; return the successor's version."""
        ...


class TheFakeStore:
    def __init__(self, parse: "Parse") -> None:
        self.store = FakeStore(Secret(parse=parse))

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
        self.store = SecretsManagerStore(self._arn, client, lambda: client, parse)

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


@pytest.fixture(params=[TheFakeStore, TheRealStore], ids=["fake", "secrets-manager"])
def make_subject(request: pytest.FixtureRequest, aws: None) -> "Callable[[Parse], StoreUnderTest]":  # noqa: ARG001 - moto is for the real one
    made: Callable[[Parse], StoreUnderTest] = request.param
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
        assert seeded(subject, "one") == subject.store.read()


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
            before, current = current, replaced(subject, current, number)
            assert subject.store.read() == current
            assert subject.store.previous() == before

    def test_is_safe_to_repeat(self, subject: StoreUnderTest) -> None:
        first, version_id = seeded(subject, "one"), str(uuid4())
        for _ in range(3):
            second = replaced(subject, first, "two", version_id)
        assert subject.store.read() == second

    def test_gives_way_to_someone_elses_pair(self, subject: StoreUnderTest) -> None:
        first = seeded(subject, "one")
        theirs = seeded(subject, "theirs")
        with pytest.raises(VersionSupersededError):
            replaced(subject, first, "ours")
        assert subject.store.read() == theirs
        assert replaced(subject, theirs, "next") == subject.store.read(), "and works again after that"

    def test_repeated_gives_way_as_well(self, subject: StoreUnderTest) -> None:
        first, version_id = seeded(subject, "one"), str(uuid4())
        replaced(subject, first, "two", version_id)
        theirs = seeded(subject, "theirs")
        with pytest.raises(VersionSupersededError):
            replaced(subject, first, "two", version_id)
        assert subject.store.read() == theirs


class TestPending:
    def test_is_none_before_anything_was_written(self, subject: StoreUnderTest) -> None:
        assert subject.store.pending(seeded(subject, "one").version_id) is None

    def test_is_there_until_it_is_promoted(self, subject: StoreUnderTest) -> None:
        first = seeded(subject, "one")
        written = StoredPair(subject.write_pending(pair("two"), after=first.version_id), pair("two"))
        assert subject.store.pending(first.version_id) == written
        assert subject.store.read() == first
        for _ in range(2):
            subject.store.promote(written.version_id, expected=first.version_id, seconds=30)
        assert subject.store.read() == written
        assert subject.store.pending(written.version_id) is None

    def test_gives_way_to_someone_elses_pair(self, subject: StoreUnderTest) -> None:
        first = seeded(subject, "one")
        written = subject.write_pending(pair("two"), after=first.version_id)
        theirs = seeded(subject, "theirs")
        assert subject.store.pending(theirs.version_id) is None
        with pytest.raises(VersionSupersededError):
            subject.store.promote(written, expected=first.version_id, seconds=30)
        assert subject.store.read() == theirs


class TestPrevious:
    def test_is_none_for_the_first_pair(self, subject: StoreUnderTest) -> None:
        seeded(subject, "one")
        assert subject.store.previous() is None

    def test_is_none_for_what_is_no_pair(self, subject: StoreUnderTest) -> None:
        subject.seed("no pair")
        seeded(subject, "one")
        assert subject.store.previous() is None


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

    def claim(self, version_id: str = "v1", **how: Any) -> Claim:
        return try_claim(self.lock, version_id, **how)

    def rival(self, version_id: str = "v1", **how: Any) -> Claim:
        return try_claim(self.other, version_id, **how)

    def fail(self, failure: Failure) -> None:
        held(self.claim(ignore_cooldown=True)).failed(failure)


def try_claim(
    lock: RefreshLock, version_id: str, *, ignore_cooldown: bool = False, seconds: float = 60.0, now: datetime = NOW
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
    return LockUnderTest(lock, lock, clock.pass_time)


def the_real_lock() -> LockUnderTest:
    create_lock_table(boto3.client("dynamodb"))
    lock, other = (IdempotencyLock(TABLE, "arn:secret", dynamodb_client()) for _ in range(2))
    return LockUnderTest(lock, other, time.sleep)


@pytest.fixture(params=[the_fake_lock, the_real_lock], ids=["fake", "idempotency"])
def locks(request: pytest.FixtureRequest, aws: None) -> LockUnderTest:  # noqa: ARG001 - moto is for the real one
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
        one.done()
        assert locks.claim("v2") == Held()

    def test_a_refreshed_version_stays_done(self, locks: LockUnderTest) -> None:
        locks.fail(FAILURE)
        held(locks.claim(ignore_cooldown=True), FAILURE).done()
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
        held(locks.rival(ignore_cooldown=True), LOST).done()
        assert locks.lock.failure("v1", now=NOW) is None

    def test_other_failures_are_known_as_well(self, locks: LockUnderTest) -> None:
        locks.fail(FAILURE)
        assert locks.other.failure("v1", now=NOW) == FAILURE

    def test_may_be_lost_with_a_dead_holder(self, locks: LockUnderTest) -> None:
        begun = datetime.now(UTC)
        held(locks.claim(seconds=1.0))
        assert locks.other.failure("v1", now=begun) is None
        locks.pass_time(1.1)
        now = datetime.now(UTC)
        assert locks.other.failure("v1", now=now) == replace(LOST, retry_at=now)
