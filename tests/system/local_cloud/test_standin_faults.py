"""Every kind of fault does what it says, on both faces of the stand-in, and ends when it should."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3
from mypy_boto3_amplifyuibuilder import AmplifyUIBuilderClient as UiBuilder

from local.standin import Counts, Fault, Standin
from local.standin.rate_limit import RateLimit
from tests.support.consent import Post
from tests.support.processes import PATIENCE

Refresh = Callable[[], dict[str, Any]]
RawRefresh = Callable[[], urllib3.BaseHTTPResponse]
RefreshOf = Callable[[str], urllib3.BaseHTTPResponse]

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


@pytest.fixture
def refresh_of(signed_post: Post) -> RefreshOf:
    """Refresh any grant, and return the answer as it is on the wire."""
    return lambda token: signed_post(REFRESH, {"token": token})


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

    def test_a_fault_takes_its_share_evenly(self, standin: Standin, raw_refresh: RawRefresh) -> None:
        standin.fail("RefreshToken", status=503, share=0.25, times=2)
        assert [raw_refresh().status for _ in range(10)] == [200, 200, 200, 503] * 2 + [200, 200]

    def test_a_fault_can_be_one_users(self, standin: Standin, raw_refresh: RawRefresh, refresh_of: RefreshOf) -> None:
        standin.fail("RefreshToken", status=503, user="other", times=None)
        other = standin.grant(user="other").refresh_token
        assert [raw_refresh().status, refresh_of(other).status, raw_refresh().status] == [200, 503, 200]

    @pytest.mark.parametrize(
        ("how", "named"),
        [
            ({"operation": "RefreshTokens", "status": 500}, "RefreshTokens"),
            ({"operation": "RefreshToken", "times": 0}, "times"),
            ({"operation": "RefreshToken", "share": 0}, "share"),
            ({"operation": "RefreshToken", "share": 1.5}, "share"),
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


class TestRateLimit:
    def test_the_rest_is_told_to_wait(self, standin: Standin, raw_refresh: RawRefresh) -> None:
        standin.set_rate_limit(0.001)
        first, second = raw_refresh(), raw_refresh()
        assert (first.status, second.status, second.headers["Retry-After"]) == (200, 429, "1")
        assert second.headers["x-amzn-errortype"] == "ThrottlingException"
        assert standin.accepts(standin.live_access_token), "only refreshes are limited"
        standin.set_rate_limit(0)
        assert raw_refresh().status == 200

    def test_room_grows_with_time_up_to_a_burst(self) -> None:
        now = [0.0]
        limit = RateLimit(lambda: now[0])
        limit.set(2)
        allowed = []
        for now[0] in (0.0, 0.0, 0.0, 0.5, 0.5, 60.0, 60.0, 60.0):
            allowed.append(limit.take("FigmaRefresh") is None)
        assert allowed == [True, True, False, True, False, True, True, False]
        with pytest.raises(ValueError, match="rate_limit"):
            limit.set(-1)


class TestCounts:
    def test_each_users_calls_are_counted(self, standin: Standin, refresh_of: RefreshOf) -> None:
        fine, lost, revoked, limited = standin.grant_many(["fine", "lost", "revoked", "limited"])
        for _ in range(2):
            refresh_of(fine.refresh_token)
        standin.fail("RefreshToken", after=True, status=502)
        refresh_of(lost.refresh_token)
        standin.revoke(user="revoked")
        refresh_of(revoked.refresh_token)
        refresh_of("never issued")
        standin.set_rate_limit(0.001)
        for one in (fine, limited):
            refresh_of(one.refresh_token)
        assert standin.counts() == {
            "fine": Counts(refreshed=3, calls=3, answered=3),
            "lost": Counts(refreshed=1, calls=1, failed=1),
            "revoked": Counts(calls=1, refused=1),
            "limited": Counts(calls=1, limited=1),
        }
        standin.forget_calls()
        assert standin.counts() == {"fine": Counts(refreshed=3), "lost": Counts(refreshed=1)}


class TestRotation:
    def test_a_spent_token_revokes_its_grant(self, standin: Standin, refresh_of: RefreshOf) -> None:
        standin.set_rotation(on=True)
        first, other = standin.grant_many(["thief", "other"])
        second = refresh_of(first.refresh_token).json()["refreshToken"]
        assert refresh_of(second).status == 200
        assert refresh_of(first.refresh_token).status == 400
        assert [grant.user for grant in standin.grants()] == ["other"]
        assert standin.counts()["thief"].reused == 1
        assert refresh_of(other.refresh_token).status == 200

    def test_a_replaced_sign_in_revokes_nothing(self, standin: Standin, refresh_of: RefreshOf) -> None:
        standin.set_rotation(on=True)
        spent = standin.grant()
        refresh_of(spent.refresh_token)
        again = standin.grant()
        assert [refresh_of(token.refresh_token).status for token in (spent, again)] == [400, 200]


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
