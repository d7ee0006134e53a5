"""The worker over the real core and the real item: what one message does, and what it costs."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from refresh_token import errors
from refresh_token.fleet.messages import Work
from refresh_token.fleet.pacing import LEASE
from refresh_token.fleet.states import State
from refresh_token.fleet.worker import Message as Delivered
from tests.support.fakes import FakeIssuer
from tests.support.memory_dynamodb import nothing
from tests.support.memory_fleet import MemoryFleet
from tests.support.memory_sqs import Message

NAME = "acme/one"


class Killed(BaseException):
    """The process dies here."""


def sent(fleet: MemoryFleet) -> Message:
    """Dispatch, and return the message of the connection."""
    assert fleet.tick().sent == 1
    return fleet.queue.messages.pop()


def due(**facts: Any) -> tuple[MemoryFleet, Message]:
    """Return a fleet with a due connection, and its message; no calls are counted yet."""
    fleet = MemoryFleet()
    fleet.seed(NAME, **facts)
    message = sent(fleet)
    fleet.table.calls.clear()
    return fleet, message


def calls(fleet: MemoryFleet) -> int:
    """Return how often the provider was called."""
    return sum(len(issuer.calls) for issuer in fleet.issuers.values())


def failing(error: errors.RefreshTokenError) -> FakeIssuer:
    return FakeIssuer(fault=error)


def killing() -> FakeIssuer:
    def kill() -> None:
        raise Killed

    return FakeIssuer(while_calling=kill)


class TestCalls:
    """A connection costs the same in a fleet of any size."""

    def test_a_refresh_makes_three_calls(self) -> None:
        fleet, message = due()
        fleet.put_many(500, due_in=9_999)
        assert fleet.work_off(message) == []
        assert fleet.table.calls == Counter(GetItem=1, UpdateItem=2)
        record = fleet.record(NAME)
        assert (record.access, record.state, record.open_claims) == ("access-1", State.ACTIVE, 0)
        assert record.due_at
        assert timedelta(days=83) < timedelta(seconds=record.due_at - fleet.now()) < timedelta(days=86.5)
        assert fleet.tick().due == 0

    def test_a_fresh_token_makes_two(self) -> None:
        fleet, message = due(left=timedelta(days=80))
        assert fleet.work_off(message) == []
        assert fleet.table.calls == Counter(GetItem=1, UpdateItem=1)
        assert calls(fleet) == 0
        assert fleet.due_at(NAME) > fleet.now() + timedelta(days=73).total_seconds()

    def test_a_late_message_makes_one(self) -> None:
        fleet, message = due()
        for _ in range(2):
            fleet.work_off(message)
        assert fleet.table.calls == Counter(GetItem=2, UpdateItem=2)
        assert calls(fleet) == 1
        assert fleet.told.names().count("fenced") == 1


class TestFence:
    CHANGES: tuple[Callable[[dict[str, Any]], None], ...] = (
        lambda item: item.update(state={"S": "paused"}),
        lambda item: item.update(dueAt={"N": "1"}),
        lambda item: item.pop("dueAt"),
        lambda item: item.update(state={"S": "nonsense"}),
    )

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_changed_connection_is_left_alone(self, change: Callable[[dict[str, Any]], None]) -> None:
        fleet, message = due()
        change(fleet.table.items[NAME])
        before = dict(fleet.table.items[NAME])
        assert fleet.work_off(message) == []
        assert (fleet.table.items[NAME], calls(fleet), fleet.told.names()) == (before, 0, ["fenced"])

    @pytest.mark.parametrize("failed_before", [False, True])
    def test_a_doubled_message_makes_one_attempt(self, *, failed_before: bool) -> None:
        """A worker has read the item when another one claims it, and claims it when that one has failed."""
        fleet, message = due()
        fleet.issuers[NAME] = failing(errors.IssuerProtocolException("odd"))
        if failed_before:
            fleet.work_off(message)
            fleet.pass_time(61)
            message = sent(fleet)

        def another_worker(name: str, _call: object) -> None:
            if name == "UpdateItem":
                fleet.table.before = nothing
                fleet.work_off(message)

        fleet.table.before = another_worker
        assert fleet.work_off(message) == []
        assert calls(fleet) == fleet.record(NAME).attempts == 1 + failed_before

    def test_a_removed_connection_is_none(self) -> None:
        fleet, message = due()
        del fleet.table.items[NAME]
        assert fleet.work_off(message) == []
        assert fleet.told.names() == ["fenced"]

    @pytest.mark.parametrize("body", ["", "{}", None, 7, Work("#brake#figma", 1).to_body()])
    def test_a_strange_message_is_dropped(self, body: Any) -> None:
        fleet, _ = due()
        assert fleet.work_off(Message(body, 0, "")) == []
        assert fleet.told.names() == ["not_ours"]
        assert not fleet.table.calls

    def test_a_message_needs_time(self) -> None:
        fleet, message = due()
        fleet.clock.left = 8.9
        worker = fleet.worker()
        assert worker.work_off([Delivered("1", message.body)]) == ["1"]
        assert not fleet.table.calls


PROVIDER_FAILS = [
    errors.IssuerUnavailableException("down"),
    errors.IssuerProtocolException("nonsense"),
    errors.ConfigurationException("the app's secret is wrong"),
    errors.ReauthorizationRequiredException("refused"),
]


class TestFailures:
    """A refresh that fails is no failure of the message: the item says when to try again."""

    @pytest.mark.parametrize("error", PROVIDER_FAILS, ids=lambda error: error.reason)
    @pytest.mark.parametrize("left", [timedelta(days=3), timedelta(hours=3), timedelta(hours=-1)], ids=str)
    def test_the_item_has_the_next_attempt(self, error: errors.RefreshTokenError, left: timedelta) -> None:
        fleet, message = due(left=left)
        fleet.issuers[NAME] = failing(error)
        assert fleet.work_off(message) == []
        assert fleet.table.calls == Counter(GetItem=2, UpdateItem=3), "claim, failure, brake"
        assert fleet.table.items["#brake#figma"]["failures"] == {"N": "1"}
        record = fleet.record(NAME)
        if isinstance(error, errors.ReauthorizationRequiredException):
            assert (record.state, record.due_at) == (State.REFUSED, None)
        else:
            assert record.state is State.COOLING
            assert record.due_at
            assert 44 <= record.due_at - fleet.now() <= 60
        assert fleet.changes == [(NAME, State.ACTIVE, record.state)]
        assert fleet.work_off(message) == [], "and it is fenced"
        assert calls(fleet) == 1

    def test_failures_are_tried_ever_more_seldom(self) -> None:
        fleet, message = due()
        fleet.issuers[NAME] = failing(PROVIDER_FAILS[0])
        pauses = []
        for _ in range(10):
            fleet.work_off(message)
            pauses.append(fleet.due_at(NAME) - fleet.now())
            fleet.clock.time = fleet.clock.time + timedelta(seconds=pauses[-1])
            message = sent(fleet)
        assert pauses == sorted(pauses)
        assert pauses[0] <= 60
        assert 2_000 < pauses[-1] <= 3_600

    def test_wrong_settings_are_put_off(self) -> None:
        fleet, message = due()

        def no_issuer(_: str) -> Any:
            raise errors.ConfigurationException("ISSUER_PARAMS is wrong", unsent=True)

        fleet.issuer = no_issuer
        assert fleet.work_off(message) == []
        assert fleet.record(NAME).state is State.COOLING
        assert "work_failed" in fleet.told.names()

    def test_a_claim_outlives_the_process(self) -> None:
        fleet, message = due()
        fleet.issuers[NAME] = killing()
        with pytest.raises(Killed):
            fleet.work_off(message)
        assert fleet.record(NAME).claim_until == fleet.now() + 60, "the invocation has no more time"

    def test_a_failed_report_is_tried_again(self) -> None:
        fleet = MemoryFleet()
        version = fleet.seed(NAME, left=timedelta(days=80)).version
        fleet.issuers[NAME] = failing(PROVIDER_FAILS[0])
        opened = fleet.opened(NAME)
        with pytest.raises(errors.IssuerUnavailableException):
            fleet.refresher(opened.connection, fleet.clock).report_failure(version)
        fleet.issuers[NAME].fault = None
        fleet.pass_time(120)
        fleet.work_off(sent(fleet))
        assert fleet.record(NAME).access == "access-2", "the token looked fresh, but a consumer had reported it"

    def test_a_recovery_is_told(self) -> None:
        fleet, message = due()
        fleet.issuers[NAME] = failing(PROVIDER_FAILS[0])
        fleet.work_off(message)
        fleet.issuers[NAME].fault = None
        fleet.pass_time(120)
        fleet.work_off(sent(fleet))
        assert fleet.changes == [(NAME, State.ACTIVE, State.COOLING), (NAME, State.COOLING, State.ACTIVE)]


class TestInfrastructure:
    """What cannot be read or changed is delivered again, and none of it costs a call of the provider."""

    @pytest.mark.parametrize(
        "error",
        [
            ClientError({"Error": {"Code": "ThrottlingException"}}, "Any"),
            ClientError({"Error": {"Code": "AccessDeniedException"}}, "Any"),
            ReadTimeoutError(endpoint_url="https://canary"),
            RuntimeError("canary"),
        ],
        ids=["throttled", "denied", "no answer", "a bug"],
    )
    @pytest.mark.parametrize("service", ["table", "kms"])
    def test_the_message_comes_again(self, error: Exception, service: str) -> None:
        fleet, message = due()

        def fail(name: str, _: Any) -> None:
            if name in {"GetItem", "Decrypt"}:
                raise error

        getattr(fleet, service).before = fail
        assert fleet.work_off(message) == [message.body]
        assert calls(fleet) == 0
        getattr(fleet, service).before = nothing
        fleet.work_off(message)
        fleet.pass_time(LEASE + 60)
        fleet.tick()
        fleet.work_off(*fleet.queue.messages)
        assert calls(fleet) == 1
        assert fleet.record(NAME).state is State.ACTIVE

    def test_others_of_the_batch_go_on(self) -> None:
        fleet = MemoryFleet()
        for number in range(3):
            fleet.seed(f"u{number}")
        fleet.tick()

        def fail(name: str, call: Any) -> None:
            if name == "GetItem" and call["Key"]["pk"]["S"] == "u1":
                raise RuntimeError

        fleet.table.before = fail
        failed = fleet.work_off(*fleet.queue.messages)
        assert [Message(body, 0, "").connection for body in failed] == ["u1"]
        assert calls(fleet) == 2


class TestDeath:
    """kill -9 before each call, and after it: the connection is refreshed by another message, or says what was lost."""

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_death_at_any_call_heals(self, when: str) -> None:
        for death in count():
            fleet, message = due()
            seen = count()

            def die(*_: Any) -> None:
                if next(seen) == death:  # noqa: B023 - used at once
                    raise Killed

            setattr(fleet.table, when, die)
            try:
                fleet.work_off(message)
            except Killed:
                setattr(fleet.table, when, nothing)
            else:
                assert death == 3
                return
            stored = fleet.record(NAME).version != "V1"
            fleet.work_off(message)  # delivered again
            for _ in range(3):
                fleet.pass_time(LEASE + 60)
                fleet.tick()
                fleet.work_off(*fleet.queue.messages)
            record = fleet.record(NAME)
            assert (record.state, record.open_claims) == (State.ACTIVE, 0)
            assert record.access == f"access-{calls(fleet)}"
            assert calls(fleet) == (2 if death == 2 and not stored else 1)

    def test_three_deaths_park_it(self) -> None:
        fleet, message = due()
        for _ in range(3):
            fleet.issuers[NAME] = killing()
            with pytest.raises(Killed):
                fleet.work_off(message)
            fleet.pass_time(LEASE + 60)
            message = sent(fleet)
        fleet.issuers[NAME].while_calling = None
        assert fleet.work_off(message) == []
        assert fleet.record(NAME).state is State.STUCK
        assert fleet.tick().due == 0
        assert fleet.seen.ticks[-1][1] == 1
