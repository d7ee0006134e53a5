"""EventBridge is told of the single secret's states: transitions only, no token, and never at the function's cost."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.wrappers import Response

from refresh_token.adapters.state_events import StateEvents
from refresh_token.core.windows import iso_utc
from refresh_token.errors import RefreshTokenError
from refresh_token.fleet.state_change import StateChange, reason_for
from refresh_token.fleet.states import State
from tests.support.event_bus import BUS, EventBus
from tests.support.events import FORCE, TICK, Event
from tests.support.function_environment import SERVICE, forget_clients
from tests.support.http_server import hanging
from tests.support.moto_function import Lines, MotoFunction
from tests.support.token_server import Reply, ui_builder_error, ui_builder_issued

NOW = datetime.now(UTC)
CHANGE = StateChange(
    connection="acme/u1", provider="acme", before=State.ACTIVE, after=State.COOLING, reason="degraded", at=NOW
)


def does(deployment: MotoFunction, event: Event, reply: Reply) -> None:
    deployment.issuer.answer(reply)
    try:
        deployment.invoke(event)
    except RefreshTokenError:
        return


OK, DOWN, REFUSED = ui_builder_issued(), ui_builder_error(503), ui_builder_error(400, "InvalidParameterException", "no")
DEGRADED, RECOVERED = ("active", "cooling", "degraded"), ("cooling", "active", "recovered")
SIGN_IN = ("active", "refused", "reauthorization-required")

STORIES: dict[str, tuple[str, list[tuple[Event, Reply, list[tuple[str, str, str]]]]]] = {
    "a refresh that works": ("expired", [(TICK, OK, []), (FORCE, OK, [])]),
    "a fresh token": ("fresh", [({}, OK, []), (TICK, OK, [])]),
    "an outage of a while": (
        "advisory",
        [(TICK, DOWN, [DEGRADED]), (TICK, DOWN, []), ({}, OK, []), (TICK, OK, [RECOVERED])],
    ),
    "a refused grant": (
        "expired",
        [
            (TICK, REFUSED, [SIGN_IN]),
            ({}, REFUSED, []),
            (TICK, DOWN, []),
            (FORCE, OK, [("refused", "active", "recovered")]),
        ],
    ),
    "an outage that becomes a refusal": (
        "expired",
        [({}, DOWN, [DEGRADED]), (TICK, REFUSED, [("cooling", "refused", "reauthorization-required")])],
    ),
}


@pytest.mark.usefixtures("fast_retries")
class TestTheStackOfOneSecret:
    @pytest.mark.parametrize(("window", "steps"), STORIES.values(), ids=STORIES)
    def test_tells_transitions_only(
        self,
        deployment: MotoFunction,
        bus: EventBus,
        window: str,
        steps: list[tuple[Event, Reply, list[tuple[str, str, str]]]],
    ) -> None:
        deployment.seed(window, refreshExpiresAt="2999-01-01T00:00:00Z")
        for event, reply, told in steps:
            does(deployment, event, reply)
            details = bus.take()
            assert [(each["from"], each["to"], each["reason"]) for each in details] == told
            for each in details:
                stored = deployment.stored()[1]
                assert (each["service"], each["provider"]) == (SERVICE, "figma")
                assert (each["expiresAt"], each["refreshExpiresAt"]) == (stored["expiresAt"], "2999-01-01T00:00:00Z")
                assert abs(datetime.fromisoformat(each["at"]) - datetime.now(UTC)) < timedelta(minutes=1)
                assert "connection" not in each

    def test_tells_the_end_of_a_grant_once(
        self, deployment: MotoFunction, bus: EventBus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GRANT_ABSOLUTE_DAYS", "365")
        for days in (355, 355, 354, 300):
            deployment.seed("fresh", grantedAt=iso_utc(NOW - timedelta(days=days)))
            forget_clients()
            does(deployment, TICK, OK)
        told = [(each["from"], each["to"], each["reason"]) for each in bus.take()]
        assert told == [("active", "active", "grant-expiring")] * 2, "one for each end"

    def test_tells_nothing_without_a_bus(
        self, deployment: MotoFunction, bus: EventBus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("EVENT_BUS")
        forget_clients()
        deployment.seed("expired")
        does(deployment, TICK, REFUSED)
        assert bus.calls == []

    @pytest.mark.parametrize("what", ["hangs", "denies", "is unreachable", "takes half"])
    def test_does_not_suffer_from_a_bus(
        self, deployment: MotoFunction, bus: EventBus, printed: Lines, monkeypatch: pytest.MonkeyPatch, what: str
    ) -> None:
        deployment.seed("advisory")
        bus.fault = (
            Response('{"__type": "AccessDeniedException", "message": "canary"}', 400) if what == "denies" else None
        )
        bus.refuses = int(what == "takes half")
        with hanging() as nowhere:
            if what in {"hangs", "is unreachable"}:
                monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", nowhere if what == "hangs" else "http://127.0.0.1:1")
                forget_clients()
            deployment.issuer.answer(DOWN)
            began = time.monotonic()
            assert deployment.invoke(TICK)["outcome"] == "degraded"
            assert time.monotonic() - began < 3
        (line,) = (line for line in printed() if "EventBridge" in line.get("message", ""))
        assert (line["level"], line["events"]) == ("WARNING", 1)


class TestEvents:
    def test_go_out_in_tens(self, bus: EventBus) -> None:
        events = StateEvents(BUS, SERVICE, lambda *_: pytest.fail("they were taken"))
        for _ in range(23):
            events.changed(CHANGE)
        events.send(seconds=60)
        events.send(seconds=60)
        assert bus.calls == [10, 10, 3]
        assert bus.take() == 23 * [
            {
                "service": SERVICE,
                "connection": "acme/u1",
                "provider": "acme",
                "from": "active",
                "to": "cooling",
                "reason": "degraded",
                "at": iso_utc(NOW),
            }
        ]

    @pytest.mark.parametrize(
        ("seconds", "calls"), [(5.0, [10, 10, 3]), (3.6, [10, 10]), (2.1, [10]), (1.9, []), (-1, [])]
    )
    def test_leave_the_invocation_its_end(self, bus: EventBus, seconds: float, calls: list[int]) -> None:
        lost: list[tuple[int, str]] = []
        events = StateEvents(BUS, SERVICE, lambda *what: lost.append(what))
        for _ in range(23):
            events.changed(CHANGE)
        events.send(seconds=seconds)
        assert bus.calls == calls
        assert sum(count for count, _ in lost) == 23 - sum(calls)
        assert {why for _, why in lost} <= {"the invocation has too little time left"}


REASONS = [
    (None, State.ACTIVE, False, "connected"),
    (State.REVOKED, State.ACTIVE, True, "connected"),
    (State.ACTIVE, State.ACTIVE, True, "connected"),
    (State.ACTIVE, State.ACTIVE, False, None),
    (State.COOLING, State.COOLING, False, None),
    (State.PAUSED, State.ACTIVE, False, "recovered"),
    (State.COOLING, State.STUCK, False, "stuck"),
    (State.ACTIVE, State.PAUSED, False, "paused"),
    (State.ACTIVE, State.REVOKED, False, "revoked"),
    (State.ACTIVE, State.MALFORMED, False, "malformed"),
]


@pytest.mark.parametrize(("before", "after", "new_pair", "reason"), REASONS)
def test_a_change_has_a_reason(before: State | None, after: State, *, new_pair: bool, reason: str | None) -> None:
    assert reason_for(before, after, new_pair=new_pair) == reason
