"""Every kind of fault does what it says, on both faces of the stand-in, and ends when it should."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3
from mypy_boto3_amplifyuibuilder import AmplifyUIBuilderClient as UiBuilder

from local.standin import Fault, Standin
from tests.support.consent import Post
from tests.support.processes import PATIENCE

Refresh = Callable[[], dict[str, Any]]
RawRefresh = Callable[[], urllib3.BaseHTTPResponse]

REFRESH = "/tokens/figma/refresh"


@pytest.fixture
def refresh(standin: Standin, ui_builder: UiBuilder) -> Refresh:
    token = standin.grant().refresh_token
    return lambda: {**ui_builder.refresh_token(provider="figma", refreshTokenBody={"token": token})}


@pytest.fixture
def raw_refresh(standin: Standin, signed_post: Post) -> RawRefresh:
    """Refresh the default user's grant, and return the answer as it is on the wire."""
    token = standin.grant().refresh_token
    return lambda: signed_post(REFRESH, {"token": token})


class TestQueue:
    def test_a_fault_ends_after_its_times(self, standin: Standin, raw_refresh: RawRefresh) -> None:
        for times in (1, 3):
            standin.fail("RefreshToken", status=503, times=times)
            assert [raw_refresh().status for _ in range(times + 2)] == [503] * times + [200, 200]
            assert standin.pending_faults() == []
        standin.fail("RefreshToken", status=503, times=None)
        assert {raw_refresh().status for _ in range(5)} == {503}
        standin.clear_faults()
        assert raw_refresh().status == 200

    def test_faults_queue_up_per_operation(self, standin: Standin, raw_refresh: RawRefresh) -> None:
        for operation, status in (("RefreshToken", 500), ("RefreshToken", 429), ("FigmaMe", 502)):
            standin.fail(operation, status=status)
        assert standin.pending_faults()[2] == Fault(operation="FigmaMe", status=502)
        assert [raw_refresh().status for _ in range(3)] == [500, 429, 200]
        assert [standin.accepts(standin.live_access_token) for _ in range(2)] == [False, True]

    @pytest.mark.parametrize(
        ("how", "named"),
        [
            ({"operation": "RefreshTokens", "status": 500}, "RefreshTokens"),
            ({"operation": "RefreshToken", "times": 0}, "times"),
            ({"operation": "RefreshToken", "colour": "red"}, "colour"),
            ({"status": 500}, "operation"),
        ],
    )
    def test_an_impossible_fault_is_refused(self, standin: Standin, how: dict[str, object], named: str) -> None:
        answer = urllib3.request("POST", f"{standin.url}/_standin/faults", json=how, retries=False)
        assert (answer.status, named in answer.json()["message"]) == (400, True)
        assert standin.pending_faults() == []
        with pytest.raises(RuntimeError, match=r"refused POST faults.*There is no operation 'Typo'"):
            standin.fail("Typo", status=500)


class TestConnections:
    def test_stopping_disconnects_waiting_callers(self) -> None:
        with ThreadPoolExecutor(1) as callers:
            with Standin() as standin:
                standin.fail("FigmaMe", delay=600)
                waiting = callers.submit(urllib3.request, "GET", f"{standin.url}/v1/me", retries=False)
                while not standin.calls("FigmaMe"):
                    time.sleep(0.01)
            with pytest.raises(urllib3.exceptions.ProtocolError):
                waiting.result(timeout=PATIENCE)
        with pytest.raises(urllib3.exceptions.NewConnectionError):
            urllib3.request("GET", f"{standin.url}/v1/me", retries=False)
