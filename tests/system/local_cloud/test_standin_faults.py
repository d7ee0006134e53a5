"""Every kind of fault does what it says, on both faces of the stand-in, and is over when it shall be."""

import json
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ParamValidationError,
    ReadTimeoutError,
)
from mypy_boto3_amplifyuibuilder import AmplifyUIBuilderClient

from local.standin import HTML, MALFORMED, NINETY_DAYS, Standin, StandinControl, digest

Post = Callable[..., urllib3.BaseHTTPResponse]
Refresh = Callable[[], dict[str, Any]]
RawRefresh = Callable[[], urllib3.BaseHTTPResponse]

PATIENCE = 30
"""Seconds to wait for what comes at once on any machine that is not stuck."""

REFRESH = "/tokens/figma/refresh"


@pytest.fixture
def refresh(standin: Standin, ui_builder: AmplifyUIBuilderClient) -> Refresh:
    """Refresh the default user's grant, through boto3."""
    token = standin.grant().refresh_token
    return lambda: {**ui_builder.refresh_token(provider="figma", refreshTokenBody={"token": token})}


@pytest.fixture
def raw_refresh(standin: Standin, signed_post: Post) -> RawRefresh:
    """Refresh the default user's grant, and read the answer as it is on the wire."""
    token = standin.grant().refresh_token
    return lambda: signed_post(REFRESH, {"token": token})


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "InvalidParameterException"),
        (401, "UnauthorizedException"),
        (403, "AccessDeniedException"),
        (429, "ThrottlingException"),
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
    ],
)
def test_a_status_is_an_aws_error_of_the_type_asked_for_and_changes_nothing(
    standin: Standin, refresh: Refresh, status: int, code: str
) -> None:
    before = standin.live_access_token
    standin.fail("RefreshToken", status=status, code=code, message="as asked")
    with pytest.raises(ClientError) as failed:
        refresh()
    assert failed.value.response["Error"] == {"Code": code, "Message": "as asked"}
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert standin.live_access_token == before


def test_a_status_without_a_type_is_an_internal_server_exception(standin: Standin, refresh: Refresh) -> None:
    standin.fail("RefreshToken", status=500)
    with pytest.raises(ClientError, match="InternalServerException"):
        refresh()


def test_a_status_on_figmas_face_has_figmas_shape_and_the_headers_asked_for(standin: Standin, post_form: Post) -> None:
    standin.fail("FigmaRefresh", status=429, message="slow down", headers={"Retry-After": "7"})
    answer = post_form("/v1/oauth/refresh", {"refresh_token": "any"})
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json() == {"error": True, "status": 429, "message": "slow down", "i18n": None}


@pytest.mark.parametrize("times", [1, 3])
def test_a_fault_strikes_as_often_as_asked_and_then_it_is_over(
    standin: Standin, raw_refresh: RawRefresh, times: int
) -> None:
    standin.fail("RefreshToken", status=503, times=times)
    assert [raw_refresh().status for _ in range(times + 2)] == [503] * times + [200, 200]
    assert standin.pending_faults() == []


def test_a_fault_without_end_strikes_until_it_is_cleared(standin: Standin, raw_refresh: RawRefresh) -> None:
    standin.fail("RefreshToken", status=503, times=None)
    assert {raw_refresh().status for _ in range(5)} == {503}
    standin.clear_faults()
    assert raw_refresh().status == 200


def test_faults_wait_in_line_and_strike_their_own_operation_only(standin: Standin, raw_refresh: RawRefresh) -> None:
    standin.fail("RefreshToken", status=500)
    standin.fail("RefreshToken", status=429)
    standin.fail("FigmaMe", status=502)
    assert [fault.status for fault in standin.pending_faults()] == [500, 429, 502]
    assert [raw_refresh().status for _ in range(3)] == [500, 429, 200]
    assert not standin.accepts(standin.live_access_token)
    assert standin.accepts(standin.live_access_token)


def test_a_dropped_connection_before_the_provider_acts_leaves_the_old_token_alive(
    standin: Standin, refresh: Refresh
) -> None:
    before = standin.live_access_token
    standin.fail("RefreshToken", drop=True)
    with pytest.raises(ConnectionClosedError):
        refresh()
    assert standin.live_access_token == before
    assert standin.accepts(before)


def test_a_dropped_connection_after_the_provider_acted_kills_the_old_token_all_the_same(
    standin: Standin, refresh: Refresh
) -> None:
    before = standin.live_access_token
    standin.fail("RefreshToken", drop=True, after=True)
    with pytest.raises(ConnectionClosedError):
        refresh()
    assert standin.live_access_token != before
    assert not standin.accepts(before)


def test_an_error_after_the_provider_acted_kills_the_old_token_all_the_same(standin: Standin, refresh: Refresh) -> None:
    before = standin.live_access_token
    standin.fail("RefreshToken", status=500, after=True)
    with pytest.raises(ClientError):
        refresh()
    assert not standin.accepts(before)


def test_a_delay_holds_the_answer_back(standin: Standin, raw_refresh: RawRefresh) -> None:
    standin.fail("RefreshToken", delay=0.3)
    started = time.monotonic()
    assert raw_refresh().status == 200
    assert time.monotonic() - started >= 0.3


def test_a_delay_past_the_callers_patience_is_a_timeout_although_the_provider_acted(
    standin: Standin, refresh: Refresh
) -> None:
    before = standin.live_access_token
    standin.fail("RefreshToken", delay=60, after=True)
    with pytest.raises(ReadTimeoutError):
        refresh()
    assert not standin.accepts(before)


def test_a_stand_in_that_stops_lets_go_of_callers_it_keeps_waiting() -> None:
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


@pytest.mark.parametrize("body", ["", MALFORMED, HTML], ids=["empty", "malformed", "html"])
def test_a_body_that_is_not_json_has_no_members_for_boto3(standin: Standin, refresh: Refresh, body: str) -> None:
    standin.fail("RefreshToken", body=body, after=True)
    before = standin.live_access_token
    assert refresh().keys() == {"ResponseMetadata"}
    assert not standin.accepts(before)


def test_a_replaced_body_goes_out_as_it_is(standin: Standin, raw_refresh: RawRefresh) -> None:
    standin.fail("RefreshToken", body=HTML, content_type="text/html", status=502)
    answer = raw_refresh()
    assert (answer.status, answer.headers["Content-Type"], answer.data.decode()) == (502, "text/html", HTML)


@pytest.mark.parametrize(
    "value",
    [0, -1, 3600, 90.5, "7776000", "soon", True, False, None, [1], {"a": 1}, 1_900_000_000, 1_900_000_000_000, 10**30],
    ids=repr,
)
def test_expires_in_can_be_of_any_json_kind(standin: Standin, raw_refresh: RawRefresh, value: object) -> None:
    standin.fail("RefreshToken", answer={"expiresIn": value})
    sent = raw_refresh().json()
    assert (sent["expiresIn"], type(sent["expiresIn"])) == (value, type(value))
    assert sent["accessToken"] == standin.live_access_token
    assert raw_refresh().json()["expiresIn"] == NINETY_DAYS


def test_expires_in_can_be_what_json_should_not_hold(standin: Standin, raw_refresh: RawRefresh) -> None:
    standin.fail("RefreshToken", answer={"expiresIn": math.nan})
    assert math.isnan(json.loads(raw_refresh().data)["expiresIn"])


@pytest.mark.parametrize("name", ["expiresIn", "accessToken"])
def test_a_member_can_be_missing(standin: Standin, raw_refresh: RawRefresh, name: str) -> None:
    standin.fail("RefreshToken", omit=(name,))
    assert raw_refresh().json().keys() == {"accessToken", "expiresIn"} - {name}


def test_a_refresh_can_answer_with_a_refresh_token_that_nobody_asked_for(
    standin: Standin, raw_refresh: RawRefresh
) -> None:
    standin.fail("RefreshToken", answer={"refreshToken": "extra"})
    assert raw_refresh().json()["refreshToken"] == "extra"


def test_members_of_an_error_are_left_alone(standin: Standin, signed_post: Post) -> None:
    standin.fail("RefreshToken", answer={"expiresIn": 5}, omit=("message",))
    answer = signed_post(REFRESH, {"token": "unknown"})
    assert (answer.status, answer.json().keys()) == (400, {"message"})


def test_the_usual_lifetime_can_be_set(standin: Standin, refresh: Refresh) -> None:
    standin.set_expires_in(120)
    assert refresh()["expiresIn"] == 120
    assert standin.grants()[0].expires_in == 120


def test_a_killed_token_is_dead_although_its_grant_still_refreshes(standin: Standin, refresh: Refresh) -> None:
    before = standin.live_access_token
    standin.kill()
    assert not standin.accepts(before)
    assert standin.accepts(refresh()["accessToken"])


def test_a_revoked_grant_refreshes_no_more(standin: Standin, refresh: Refresh) -> None:
    standin.grant(user="someone@example.com")
    standin.revoke()
    with pytest.raises(ClientError, match="InvalidParameterException"):
        refresh()
    assert [grant.user for grant in standin.grants()] == ["someone@example.com"]


def test_every_call_is_counted_with_its_outcome_and_without_its_token(
    standin: Standin, refresh: Refresh, post_form: Post
) -> None:
    started = time.time()
    standin.fail("RefreshToken", drop=True)
    standin.fail("RefreshToken", status=503)
    for _ in range(2):
        with pytest.raises((ConnectionClosedError, ClientError)):
            refresh()
    refresh()
    post_form("/v1/oauth/refresh", {"refresh_token": "r-canary"})
    standin.accepts("a-canary")
    calls = standin.calls("RefreshToken")
    (grant,) = standin.grants()
    assert [call.status for call in calls] == [None, 503, 200]
    assert {call.credential for call in calls} == {digest(grant.refresh_token)}
    assert len({call.request_id for call in calls}) == 3
    assert all(started <= call.at <= time.time() for call in calls)
    assert [call.operation for call in standin.calls()[3:]] == ["FigmaRefresh", "FigmaMe"]
    assert [call.credential for call in standin.calls()[3:]] == [digest("r-canary"), digest("a-canary")]
    text = repr(standin.calls())
    assert not [token for token in (grant.refresh_token, grant.access_token, "r-canary", "a-canary") if token in text]
    standin.forget_calls()
    assert standin.calls() == []


def test_a_call_that_boto3_refuses_never_arrives(standin: Standin, ui_builder: AmplifyUIBuilderClient) -> None:
    with pytest.raises(ParamValidationError):
        ui_builder.refresh_token(provider="figma", refreshTokenBody={"token": 5})  # type: ignore[typeddict-item]
    assert standin.calls() == []


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ({"operation": "RefreshTokens", "status": 500}, "RefreshTokens"),
        ({"operation": "RefreshToken", "times": 0}, "times"),
        ({"operation": "RefreshToken", "colour": "red"}, "colour"),
        ({"status": 500}, "operation"),
    ],
)
def test_a_fault_that_could_never_strike_is_refused_by_name(
    standin: Standin, how: dict[str, object], named: str
) -> None:
    answer = urllib3.request("POST", f"{standin.url}/_standin/faults", json=how, retries=False)
    assert answer.status == 400
    assert named in answer.json()["message"]
    assert standin.pending_faults() == []


def test_the_control_says_why_the_stand_in_refused(standin: Standin) -> None:
    with pytest.raises(RuntimeError, match=r"refused POST faults.*There is no operation 'Typo'"):
        standin.fail("Typo", status=500)


def test_there_is_no_live_token_before_the_first_grant(standin: Standin) -> None:
    standin.grant(user="someone@example.com")
    with pytest.raises(LookupError, match="Call grant"):
        _ = standin.live_access_token


def test_a_reset_forgets_everything(standin: Standin, raw_refresh: RawRefresh) -> None:
    fresh = {**standin.state(), "grants": []}
    standin.set_rotation(on=True)
    standin.set_expires_in(5)
    standin.advance(1000)
    standin.fail("RefreshToken", status=500, times=None)
    raw_refresh()
    standin.reset()
    assert standin.state() == fresh
    assert standin.calls() == []


def test_a_second_control_sees_the_same_stand_in(standin: Standin) -> None:
    grant = standin.grant()
    other = StandinControl(standin.url)
    assert other.grants() == [grant]
    other.fail("RefreshToken", status=500, omit=("a",))
    assert standin.pending_faults() == other.pending_faults()
