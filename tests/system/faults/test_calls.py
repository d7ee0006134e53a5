"""What the function says on the wire, call by call: a consumer's fresh token stays one call, a refresh stays seven."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.support.fault_proxy import Wire, wire_to
from tests.support.local_function import LocalFunction

pytestmark = pytest.mark.xdist_group("calls")

TICK = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}}

READ = ["GetSecretValue"]
REFRESH = [
    *("GetSecretValue", "PutItem", "GetSecretValue", "RefreshToken"),
    *("PutSecretValue", "UpdateSecretVersionStage", "UpdateItem"),
]


@pytest.fixture
def wire(bench: LocalFunction) -> Iterator[Wire]:
    with wire_to(bench.cloud) as wire:
        yield wire


def test_a_fresh_token_costs_one_read_and_a_refresh_two_reads_two_writes_two_lock_calls_and_one_issuer_call(
    bench: LocalFunction, wire: Wire
) -> None:
    with bench.runtime(**wire.environment) as runtime:

        def calls_for(event: Any) -> list[str]:
            wire.forget()
            assert "errorType" not in runtime.invoke(event)
            assert wire.attempts == len(wire.calls), "nothing was retried"
            return wire.calls

        version = bench.seed(bench.cloud.standin.grant())
        older = {"provider": "figma", "failedVersionId": "older"}
        for event in ({}, older):
            assert calls_for(event) == READ
        assert calls_for(TICK) == [*READ, "GetItem"], "a tick looks whether a refresh was left unfinished"
        report = {"provider": "figma", "failedVersionId": version}
        assert calls_for(report) == REFRESH
        assert calls_for(report) == READ
        assert calls_for({"provider": "figma", "force": True}) == REFRESH
        bench.seed(bench.cloud.standin.grant(), expires_in=timedelta(seconds=-1))
        assert calls_for({}) == REFRESH
        bench.seed(bench.cloud.standin.grant(), expires_in=timedelta(days=3))
        assert calls_for({}) == READ
        assert calls_for(TICK) == REFRESH


def test_a_failed_refresh_is_remembered_so_that_consumers_cost_no_issuer_call(bench: LocalFunction, wire: Wire) -> None:
    bench.seed(bench.cloud.standin.grant(), expires_in=timedelta(seconds=-1))
    bench.cloud.standin.revoke()
    with bench.runtime(**wire.environment) as runtime:
        for _ in range(3):
            assert runtime.invoke({})["errorType"] == "ReauthorizationRequiredException"
        assert Counter(wire.calls)["RefreshToken"] == 1
        wire.forget()
        runtime.invoke({})
        assert wire.calls == ["GetSecretValue", "PutItem"]
