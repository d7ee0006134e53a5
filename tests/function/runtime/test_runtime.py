"""The asset that is deployed, under the real Lambda runtime: real error types, real context, no code but its own."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from refresh_token import errors
from tests.support.events import CONSUMER, EVENT_ID, TICK, bare
from tests.support.local_function import LocalFunction
from tests.support.windows import EXPIRED

pytestmark = pytest.mark.xdist_group("runtime")


def nothing(_: LocalFunction) -> None:
    """Leave the secret without a value."""


def expired(function: LocalFunction) -> None:
    function.seed(function.cloud.standin.grant(), expires_in=EXPIRED)


def refused(function: LocalFunction) -> None:
    expired(function)
    function.cloud.standin.revoke()


def failing(**how: Any) -> Callable[[LocalFunction], None]:
    def prepare(function: LocalFunction) -> None:
        expired(function)
        function.cloud.standin.fail("RefreshToken", times=None, **how)

    return prepare


def deleted(function: LocalFunction) -> None:
    function.secrets.delete_secret(SecretId=function.secret_arn)


@dataclass(frozen=True)
class Raised:
    """The error type that a caller sees, what leads to it, and the caller's event."""

    error: str
    prepare: Callable[[LocalFunction], Any]
    event: Any


ERRORS = [
    Raised("InvalidParameterException", nothing, {"provider": "sketch"}),
    Raised("SecretNotSeededException", nothing, {}),
    Raised("SecretMalformedException", lambda function: function.store("[]"), {}),
    Raised("SecretUnavailableException", deleted, {}),
    Raised("ReauthorizationRequiredException", refused, TICK),
    Raised("IssuerUnavailableException", failing(status=503), TICK),
    Raised("IssuerProtocolException", failing(body="{"), TICK),
]


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case.error)
def test_the_caller_sees_the_error_type(function: LocalFunction, case: Raised) -> None:
    case.prepare(function)
    with function.runtime() as runtime:
        answer = runtime.invoke(case.event)
        assert answer["errorType"] == case.error
        assert answer["errorMessage"].endswith((".", "`."))
        assert f'"reason":"{case.error}"' in runtime.log()


def test_a_configuration_error_names_each_variable(function: LocalFunction) -> None:
    with function.runtime(SECRET_ARN="", ADVISORY_WINDOW_SECONDS="soon") as runtime:
        answer = runtime.invoke({})
    assert answer["errorType"] == "ConfigurationException"
    assert "SECRET_ARN" in answer["errorMessage"]
    assert "ADVISORY_WINDOW_SECONDS" in answer["errorMessage"]
    assert "soon" not in answer["errorMessage"]


def wait_for_the_issuers_call(function: LocalFunction) -> None:
    while not function.cloud.standin.calls("RefreshToken"):
        time.sleep(0.05)


def test_an_unfinished_refresh_elsewhere_is_in_progress(function: LocalFunction) -> None:
    expired(function)
    function.cloud.standin.fail("RefreshToken", delay=30, times=None)
    short = {"AWS_LAMBDA_FUNCTION_TIMEOUT": "12"}
    with ThreadPoolExecutor(1) as pool, function.runtime() as holder, function.runtime(**short) as loser:
        pool.submit(holder.invoke, TICK)
        wait_for_the_issuers_call(function)
        assert loser.invoke({})["errorType"] == "RefreshInProgressException"


def test_an_unstored_token_is_the_loudest_error(function: LocalFunction) -> None:
    expired(function)
    function.cloud.standin.fail("RefreshToken", delay=2)
    with function.runtime(AWS_LAMBDA_FUNCTION_TIMEOUT="15") as runtime, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(runtime.invoke, TICK)
        wait_for_the_issuers_call(function)
        deleted(function)
        assert answer.result()["errorType"] == "TokenNotStoredException"
        assert '"TokenNotStored":[1.0]' in runtime.log()


def test_every_error_is_seen_here() -> None:
    seen = {case.error for case in ERRORS}
    seen |= {"ConfigurationException", "RefreshInProgressException", "TokenNotStoredException"}
    assert seen == {error.__name__ for error in errors.ALL}


def test_a_consumer_gets_the_token_answer(function: LocalFunction) -> None:
    grant = function.cloud.standin.grant()
    version = function.seed(grant)
    with function.runtime() as runtime:
        for event in ({}, CONSUMER):
            answer = runtime.invoke(event)
            assert set(answer) == {"accessToken", "expiresIn", "expiresAt", "versionId", "state"}
            assert (answer["accessToken"], answer["versionId"]) == (grant.access_token, version)
            assert answer["state"] == "fresh"
    assert function.cloud.standin.calls("RefreshToken") == []


def test_a_tick_refreshes_through_the_pruned_packages(function: LocalFunction) -> None:
    grant = function.cloud.standin.grant()
    function.seed(grant, expires_in=timedelta(hours=1), note="kept")
    function.cloud.standin.fail("RefreshToken", status=503, times=2)
    with function.runtime() as runtime:
        report = runtime.invoke(TICK)
        assert report["outcome"] == "refreshed"
        assert set(report) == {"outcome", "versionId", "expiresAt"}
        version, stored = function.current()
        assert version == report["versionId"]
        assert function.cloud.standin.accepts(stored["accessToken"])
        assert (stored["note"], stored["refreshToken"]) == ("kept", grant.refresh_token)
        assert len(function.cloud.standin.calls("RefreshToken")) == 3, "botocore retried"
        log = runtime.log()
    assert f'"correlation_id":"{EVENT_ID}"' in log
    assert '"Refreshed":[1.0]' in log
    for token in (grant.access_token, grant.refresh_token, stored["accessToken"]):
        assert token not in log


def test_a_consumers_request_id_is_the_correlation_id(function: LocalFunction) -> None:
    with function.runtime() as runtime:
        request_id = runtime.invoke({})["requestId"]
        assert f'"correlation_id":"{request_id}"' in runtime.log()


NO_TEXT: list[Any] = ["", None, 1, 1.5, [], {}]
WRONG: list[Any] = [
    *(None, [], [1], "text", 1, 1.5, True, {"provider": "sketch"}, {"surprise": 1}, {"source": "aws.s3"}),
    *({"provider": value} for value in NO_TEXT),
    *({**CONSUMER, "failedVersionId": value} for value in NO_TEXT),
    *({**CONSUMER, "force": value} for value in (False, "true", *NO_TEXT)),
    *({**CONSUMER, "refreshTokenBody": value} for value in ({"token": "t", "scope": "x"}, *NO_TEXT)),
    *(bare(value) for value in NO_TEXT),
    *(bare("t", clientId=value) for value in NO_TEXT),
    *({"refreshTokenBody": {"token": "t"}}, {**CONSUMER, "force": True, "failedVersionId": "V"}),
]


def test_wrong_input_costs_no_call(function: LocalFunction) -> None:
    expired(function)
    with function.runtime() as runtime:
        for event in WRONG:
            assert runtime.invoke(event)["errorType"] == "InvalidParameterException", event
    assert function.cloud.standin.calls("RefreshToken") == []
