"""The calls that each event costs: a fresh token stays one call, a refresh stays seven."""

from typing import Any

import pytest

from tests.support.events import FORCE, TICK, report
from tests.support.fault_proxy import FaultProxy
from tests.support.local_function import LocalFunction
from tests.support.windows import ADVISORY, EXPIRED

pytestmark = pytest.mark.xdist_group("calls")

READ = ["GetSecretValue"]
REFRESH = [
    *("GetSecretValue", "PutItem", "GetSecretValue", "RefreshToken"),
    *("PutSecretValue", "UpdateSecretVersionStage", "UpdateItem"),
]


def test_each_event_costs_what_it_should(function: LocalFunction, proxy: FaultProxy) -> None:
    standin = function.cloud.standin
    with function.runtime(**proxy.environment) as runtime:

        def calls_for(event: Any) -> list[str]:
            proxy.forget()
            assert "errorType" not in runtime.invoke(event)
            assert proxy.attempts == len(proxy.calls), "nothing was retried"
            return proxy.calls

        version = function.seed(standin.grant())
        for event in ({}, report("older")):
            assert calls_for(event) == READ
        assert calls_for(TICK) == [*READ, "GetItem"], "a tick checks whether a refresh was left unfinished"
        assert calls_for(report(version)) == REFRESH
        assert calls_for(report(version)) == READ
        assert calls_for(report(function.current()[0])) == [*READ, "GetItem"], "a new token is not refreshed"
        assert calls_for(FORCE) == REFRESH
        function.seed(standin.grant(), expires_in=EXPIRED)
        assert calls_for({}) == REFRESH
        function.seed(standin.grant(), expires_in=ADVISORY)
        assert calls_for({}) == READ
        assert calls_for(TICK) == REFRESH


def test_a_failed_refresh_is_remembered(function: LocalFunction, proxy: FaultProxy) -> None:
    function.seed(function.cloud.standin.grant(), expires_in=EXPIRED)
    function.cloud.standin.revoke()
    with function.runtime(**proxy.environment) as runtime:
        for _ in range(3):
            assert runtime.invoke({})["errorType"] == "ReauthorizationRequiredException"
        assert proxy.calls.count("RefreshToken") == 1
        proxy.forget()
        runtime.invoke({})
        assert proxy.calls == ["GetSecretValue", "PutItem"]
