"""The dispatcher over the real adapters: what it sends, when, and what becomes of the rest."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from refresh_token.errors import ConfigurationException, RefreshTokenError, SecretUnavailableException
from refresh_token.fleet.pacing import LEASE
from tests.support.memory_dynamodb import nothing
from tests.support.memory_fleet import MemoryFleet, provider

SLOTS = 16


class Killed(BaseException):
    """The process dies here."""


def raising(error: BaseException, on: Callable[[str, dict[str, Any]], bool]) -> Callable[[str, dict[str, Any]], None]:
    def hook(name: str, call: dict[str, Any]) -> None:
        if on(name, call):
            raise error

    return hook


def is_lease(name: str, call: dict[str, Any]) -> bool:
    return name == "UpdateItem" and not call["Key"]["pk"]["S"].startswith("#")


def refusal(code: str, *, status: int = 400, retries: int = 0) -> ClientError:
    about: Any = {"HTTPStatusCode": status, "RetryAttempts": retries}
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": about}, "Any")


class TestCalls:
    """A connection costs the same in a fleet of any size."""

    def test_fresh_connections_cost_nothing(self) -> None:
        fleet = MemoryFleet()
        fleet.put_many(10_000, due_in=1)
        before = {name: dict(item) for name, item in fleet.table.items.items()}
        assert fleet.tick().to_answer() == {"outcome": "dispatched", "due": 0, "sent": 0, "oldestOverdueSeconds": 0}
        assert {name: fleet.table.items[name] for name in before} == before
        assert fleet.table.calls == Counter(Query=2 * SLOTS, UpdateItem=2)
        assert fleet.queue.calls == Counter(GetQueueAttributes=1)

    @pytest.mark.parametrize("due", [20, 200, 600])
    def test_a_due_one_costs_an_update(self, due: int) -> None:
        fleet = MemoryFleet()
        fleet.put_many(due)
        assert fleet.tick().sent == due
        assert fleet.table.calls["UpdateItem"] == due + 2
        assert fleet.queue.calls["SendMessageBatch"] == due / 10
        assert fleet.table.calls["Query"] <= 2 * SLOTS + due / 10

    def test_a_backlog_costs_what_is_sent(self) -> None:
        fleet = MemoryFleet(rate=1)
        fleet.put_many(3_000)
        answer = fleet.tick()
        assert (answer.due, answer.sent) == (3_000, 60)
        assert fleet.table.calls["UpdateItem"] == 62
        assert fleet.table.calls["Query"] <= 4 * SLOTS


class TestOrder:
    def test_the_most_overdue_come_first(self) -> None:
        fleet = MemoryFleet(rate=1)
        for number in range(200):
            fleet.put(f"u{number}", due_in=-number)
        answer = fleet.tick()
        assert [message.connection for message in fleet.queue.messages] == [f"u{199 - place}" for place in range(60)]
        assert (answer.due, answer.sent, answer.oldest_overdue) == (200, 60, 199)

    def test_messages_arrive_at_the_rate(self) -> None:
        fleet = MemoryFleet(rate=3)
        fleet.put_many(180)
        fleet.tick()
        arrivals = Counter(message.arrives - fleet.now() for message in fleet.queue.messages)
        assert arrivals == dict.fromkeys(range(60), 3)
        assert {fleet.due_at(message.connection) for message in fleet.queue.messages} == {
            message.arrives + LEASE for message in fleet.queue.messages
        }

    def test_tenants_do_not_wait_for_each_other(self) -> None:
        fleet = MemoryFleet()
        for name in ("acme/u1", "acme/u2", "other/u1", "alone"):
            fleet.put(name)
        fleet.tick()
        groups = {message.connection: message.group for message in fleet.queue.messages}
        assert groups == {"acme/u1": "acme", "acme/u2": "acme", "other/u1": "other", "alone": "alone"}

    @pytest.mark.parametrize(("waiting", "sent"), [(0, 60), (20, 40), (60, 0), (200, 0)])
    def test_what_still_waits_counts(self, waiting: int, sent: int) -> None:
        fleet = MemoryFleet(rate=1, providers={name: provider(name) for name in ("figma", "linear")})
        fleet.put_many(waiting)
        fleet.tick()
        fleet.table.items = {name: item for name, item in fleet.table.items.items() if name.startswith("#")}
        fleet.queue.messages = fleet.queue.messages * 4
        del fleet.queue.messages[waiting:]
        for name in fleet.providers:
            for number in range(100):
                fleet.put(f"{name}/u{number}", provider=name, due_in=-30)
        answer = fleet.tick()
        assert (answer.sent, answer.due, answer.oldest_overdue) == (sent + 60, 200, 30), "all that waits is figma's"


class TestLease:
    @pytest.mark.parametrize(
        "change",
        [{"dueAt": {"N": "9999999999"}}, {"state": {"S": "paused"}}, {"state": {"S": "refused"}}],
        ids=["refreshed", "paused", "refused"],
    )
    def test_a_stale_index_entry_is_not_sent(self, change: dict[str, Any]) -> None:
        fleet = MemoryFleet()
        fleet.put_many(2)

        def hook(name: str, call: dict[str, Any]) -> None:
            if is_lease(name, call):
                fleet.table.items["acme/u1"] |= change

        fleet.table.before = hook
        assert fleet.tick().sent == 1
        assert [message.connection for message in fleet.queue.messages] == ["acme/u0"]

    def test_two_dispatchers_lease_each_once(self) -> None:
        fleet = MemoryFleet()
        names = fleet.put_many(50)
        calls = count()

        def hook(name: str, call: dict[str, Any]) -> None:
            if is_lease(name, call) and next(calls) == 7:
                fleet.dispatcher().tick()

        fleet.table.before = hook
        fleet.tick()
        assert sorted(message.connection for message in fleet.queue.messages) == sorted(names)

    def test_threads_lease_each_once(self) -> None:
        fleet = MemoryFleet()
        names = fleet.put_many(590)
        with ThreadPoolExecutor(32) as pool:
            answers = [fleet.dispatcher(spread=pool.map).tick() for _ in range(2)]
        assert [answer.sent for answer in answers] == [590, 0]
        assert sorted(message.connection for message in fleet.queue.messages) == sorted(names)
        arrivals = Counter(message.arrives for message in fleet.queue.messages)
        assert max(arrivals.values()) == fleet.rate

    @pytest.mark.parametrize("due_at", ["1700000000.5", "0", "-1", "1E+2"])
    def test_a_due_time_by_hand_is_taken(self, due_at: str) -> None:
        fleet = MemoryFleet()
        fleet.put("u1")
        fleet.table.items["u1"]["dueAt"] = {"N": due_at}
        assert fleet.tick().sent == 1
        assert fleet.due_at("u1") == fleet.now() + LEASE

    def test_a_damaged_state_takes_no_place(self) -> None:
        fleet = MemoryFleet(rate=1)
        for number in range(70):
            fleet.put(f"u{number}", state="weird" if number < 65 else "active", due_in=number - 100)
        answer = fleet.tick()
        assert (answer.sent, answer.oldest_overdue) == (5, 35)

    @pytest.mark.parametrize("service", ["table", "queue"])
    def test_death_at_any_call_forgets_none(self, service: str) -> None:
        for death in count():
            fleet = MemoryFleet()
            names = fleet.put_many(25)
            client = getattr(fleet, service)
            calls = count()
            client.before = raising(Killed(), lambda *_: next(calls) == death)  # noqa: B023 - used at once
            try:
                fleet.tick()
            except Killed:
                client.before = nothing
            else:
                assert death > 3, "it died at every call before"
                return
            sent = [message.connection for message in fleet.queue.messages]
            fleet.queue.messages = []
            fleet.pass_time(LEASE + 60)
            fleet.tick()
            again = [message.connection for message in fleet.queue.messages]
            assert sorted(again) == sorted(names), f"after death at call {death}, with {len(sent)} sent"


FAULTS = {
    "ProvisionedThroughputExceededException": SecretUnavailableException,
    "InternalServerError": SecretUnavailableException,
    "AccessDeniedException": ConfigurationException,
    "ResourceNotFoundException": ConfigurationException,
}


class TestFaults:
    """What fails ends the tick, and everything is due again."""

    @pytest.mark.parametrize("code", FAULTS)
    @pytest.mark.parametrize("service", ["table", "queue"])
    def test_a_fault_is_raised(self, code: str, service: str) -> None:
        fleet = MemoryFleet()
        fleet.put_many(3)
        getattr(fleet, service).before = raising(refusal(code), lambda *_: True)
        with pytest.raises(FAULTS[code], match=rf"The {service} of connections .*\({code}\)"):
            fleet.tick()

    def test_what_was_leased_is_sent_first(self) -> None:
        fleet = MemoryFleet()
        names = fleet.put_many(25)
        leases = count()
        fleet.table.before = raising(refusal("ThrottlingException"), lambda *call: is_lease(*call) and next(leases) > 9)
        with pytest.raises(SecretUnavailableException):
            fleet.tick()
        assert len(fleet.queue.messages) == 10
        fleet.table.before = nothing
        assert fleet.tick().sent == len(names) - 10

    @pytest.mark.parametrize(
        ("fault", "raised"),
        [
            (refusal("ConditionalCheckFailedException", retries=1), nullcontext()),
            (ReadTimeoutError(endpoint_url="x"), pytest.raises(SecretUnavailableException)),
            (refusal("InternalServerError", status=500), pytest.raises(SecretUnavailableException)),
        ],
        ids=["made again", "no answer", "500"],
    )
    def test_a_lost_answer_loses_no_message(self, fault: Exception, raised: AbstractContextManager[object]) -> None:
        fleet = MemoryFleet()
        names = fleet.put_many(25)
        fleet.table.after = raising(fault, is_lease)
        with raised:
            fleet.tick()
        assert sorted(message.connection for message in fleet.queue.messages) == sorted(names)
        for message in fleet.queue.messages:
            assert fleet.due_at(message.connection) == message.arrives + LEASE

    @pytest.mark.parametrize("partly", [True, False])
    def test_unsent_messages_are_due_again(self, *, partly: bool) -> None:
        fleet = MemoryFleet()
        fleet.put_many(25)
        if partly:
            fleet.queue.refuses = lambda body: "u1" in body
            assert fleet.tick().sent == 14
        else:
            fleet.queue.before = raising(refusal("RequestThrottled"), lambda name, _: name == "SendMessageBatch")
            with pytest.raises(RefreshTokenError):
                fleet.tick()
        unsent = 25 - len(fleet.queue.messages)
        fleet.queue.before, fleet.queue.refuses = nothing, lambda _: False
        fleet.queue.messages = []
        assert fleet.tick().sent == 0
        for message_age in (LEASE, 60):
            fleet.pass_time(message_age)
        assert fleet.tick().due == 25 >= unsent

    def test_it_stops_in_time(self) -> None:
        fleet = MemoryFleet(rate=1000, providers={name: provider(name) for name in ("figma", "linear")})
        for name in fleet.providers:
            for number in range(2_000):
                fleet.put(f"{name}/u{number}", provider=name)

        def hook(name: str, call: dict[str, Any]) -> None:
            if is_lease(name, call):
                fleet.clock.left -= 0.03

        fleet.table.before = hook
        answer = fleet.tick()
        assert 14 < fleet.clock.left < 15
        assert answer.sent == len(fleet.queue.messages) == pytest.approx(1_500, abs=2), "what was leased was sent"
        first = fleet.queue.messages[0].connection.partition("/")[0]
        fleet.pass_time(60)
        fleet.queue.messages = []
        fleet.tick()
        assert fleet.queue.messages[0].connection.partition("/")[0] != first, "another provider comes first"


class TestBrake:
    def braked(self) -> MemoryFleet:
        fleet = MemoryFleet(providers={name: provider(name) for name in ("figma", "linear")})
        for name in fleet.providers:
            for number in range(100):
                fleet.put(f"{name}/u{number}", provider=name)
        fleet.tick()
        fleet.fail(100)
        fleet.pass_time(LEASE + 60)
        fleet.queue.messages = []
        return fleet

    def sent(self, fleet: MemoryFleet) -> Counter[str]:
        fleet.queue.messages = []
        fleet.pass_time(LEASE + 60)
        fleet.tick()
        return Counter(message.connection.partition("/")[0] for message in fleet.queue.messages)

    def test_a_failing_provider_is_only_probed(self) -> None:
        fleet = self.braked()
        assert fleet.tick().outcome == "dispatched"
        assert Counter(message.connection.partition("/")[0] for message in fleet.queue.messages) == {
            "figma": 5,
            "linear": 100,
        }
        assert fleet.seen.look()[-2:] == (True, True)
        assert fleet.seen.look("linear")[-2:] == (False, False)

    def test_working_probes_open_it(self) -> None:
        fleet = self.braked()
        fleet.tick()
        fleet.fail(3)
        assert self.sent(fleet)["figma"] == 5
        assert fleet.seen.look()[-2:] == (True, False)
        fleet.fail(2)
        assert self.sent(fleet)["figma"] == 100
        assert fleet.seen.look()[-2:] == (False, True)

    def test_a_rate_limit_halves_what_is_sent(self) -> None:
        fleet = self.braked()
        fleet.tick()
        fleet.fail(0)
        assert self.sent(fleet)["figma"] == 100
        fleet.fail(60)
        assert self.sent(fleet)["figma"] == 40
        arrivals = [message.arrives for message in fleet.queue.messages if message.connection.startswith("figma")]
        assert [*map(arrivals.count, arrivals)] == [1] * 40, "over the whole minute"

    def test_probes_are_those_that_never_failed(self) -> None:
        fleet = self.braked()
        for number in range(90):
            fleet.table.items[f"figma/u{number}"]["state"] = {"S": "cooling"}
        assert fleet.tick().oldest_overdue == 60
        probes = [message.connection for message in fleet.queue.messages if message.connection.startswith("figma")]
        assert len(probes) == 5
        assert all(int(name.removeprefix("figma/u")) >= 90 for name in probes)

    def test_a_backlog_that_works_brakes_nothing(self) -> None:
        fleet = MemoryFleet(rate=10)
        fleet.put_many(1_000)
        fleet.tick()
        for _ in range(3):
            fleet.pass_time(60)
            del fleet.queue.messages[:100]
            fleet.fail(20)
            fleet.tick()
            assert not fleet.seen.look().braked
            assert len(fleet.queue.messages) == 600

    def test_nothing_but_probes_is_braked(self) -> None:
        fleet = self.braked()
        fleet.table.items = {name: item for name, item in fleet.table.items.items() if not name.startswith("linear")}
        assert fleet.tick().to_answer() == {"outcome": "braked", "due": 100, "sent": 5, "oldestOverdueSeconds": 60}

    def test_two_dispatchers_do_not_open_it(self) -> None:
        fleet = self.braked()
        fleet.tick()
        fleet.fail(5)
        fleet.pass_time(60)
        fleet.tick()
        fleet.tick()
        assert fleet.seen.look().braked


OVERDUE: dict[str, tuple[dict[str, Any], bool]] = {
    "its mandatory window is open": ({"left": timedelta(hours=23)}, True),
    "its token is dead": ({"left": timedelta(hours=-1)}, True),
    "it is in the advisory window": ({"left": timedelta(days=2)}, False),
    "no tick had a chance": ({"left": timedelta(hours=23), "due_in": -100}, False),
    "it cools down": ({"left": timedelta(hours=23), "state": "cooling"}, False),
    "it is refreshed on demand": ({"left": timedelta(hours=-1), "policy": "demand"}, False),
    "its token lives a minute": ({"left": timedelta(hours=-1), "life": timedelta(minutes=1)}, False),
    "an hour's token has six minutes": ({"left": timedelta(minutes=6), "life": timedelta(hours=1)}, True),
    "an hour's token has seven minutes": ({"left": timedelta(minutes=7), "life": timedelta(hours=1)}, False),
    "nobody knows when it expires": ({"expiresAt": None}, False),
}


class TestOverdue:
    """Whether the fleet is behind."""

    @pytest.mark.parametrize("case", OVERDUE)
    def test_only_a_late_fleet_is_overdue(self, case: str) -> None:
        facts, overdue = OVERDUE[case]
        fleet = MemoryFleet()
        fleet.put("u1", **{"due_in": -300, **facts})
        fleet.tick()
        assert fleet.seen.look().overdue == overdue

    def test_a_margin_is_no_delay(self) -> None:
        early = provider()
        early = replace(early, windows=replace(early.windows, margin=timedelta(minutes=10)))
        fleet = MemoryFleet(providers={"figma": early})
        fleet.put("u1", due_in=-300, left=timedelta(minutes=6))
        fleet.put("u2", due_in=-300, left=timedelta(minutes=5))
        fleet.tick()
        assert fleet.seen.look().overdue == 1

    def test_stuck_connections_are_counted(self) -> None:
        fleet = MemoryFleet()
        for number in range(20):
            fleet.put(f"u{number}", state="stuck", slot=None, dueAt=None, trouble=f"stuck#{number % 16:x}")
        fleet.put("u99", state="paused", slot=None, dueAt=None, trouble="paused#0")
        fleet.tick()
        assert fleet.seen.ticks[-1][1] == 20
