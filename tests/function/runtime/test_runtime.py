"""The asset that is deployed, under the real Lambda runtime: real error types, real context, no code but its own."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from refresh_token import errors
from tests.support.local_function import LocalFunction

pytestmark = pytest.mark.xdist_group("runtime")

TICK = {"source": "aws.scheduler", "id": "4f1c2f0a-tick", "detail-type": "Scheduled Event", "detail": {}}


def nothing(_: LocalFunction) -> None:
    """Leave the secret as it was created: without a value."""


def expired(bench: LocalFunction) -> None:
    bench.seed(bench.cloud.standin.grant(), expires_in=timedelta(seconds=-1))


def refused(bench: LocalFunction) -> None:
    expired(bench)
    bench.cloud.standin.revoke()


def failing(**how: Any) -> Callable[[LocalFunction], None]:
    def prepare(bench: LocalFunction) -> None:
        expired(bench)
        bench.cloud.standin.fail("RefreshToken", times=None, **how)

    return prepare


def deleted(bench: LocalFunction) -> None:
    bench.secrets.delete_secret(SecretId=bench.secret_arn)


@dataclass(frozen=True)
class Raised:
    """How a secret is prepared, what is asked, and the error type that a caller sees."""

    error: str
    prepare: Callable[[LocalFunction], Any]
    event: Any


ERRORS = [
    Raised("InvalidParameterException", nothing, {"provider": "sketch"}),
    Raised("SecretNotSeededException", nothing, {}),
    Raised("SecretMalformedException", lambda bench: bench.store("[]"), {}),
    Raised("SecretUnavailableException", deleted, {}),
    Raised("ReauthorizationRequiredException", refused, TICK),
    Raised("IssuerUnavailableException", failing(status=503), TICK),
    Raised("IssuerProtocolException", failing(body="{"), TICK),
]


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case.error)
def test_the_caller_sees_the_error_type_of_the_contract(bench: LocalFunction, case: Raised) -> None:
    case.prepare(bench)
    with bench.runtime() as runtime:
        answer = runtime.invoke(case.event)
        assert answer["errorType"] == case.error
        assert answer["errorMessage"].endswith((".", "`."))
        assert f'"reason":"{case.error}"' in runtime.log()


def test_a_wrong_environment_is_a_configuration_error_that_names_each_variable(bench: LocalFunction) -> None:
    with bench.runtime(SECRET_ARN="", ADVISORY_WINDOW_SECONDS="soon") as runtime:
        answer = runtime.invoke({})
    assert answer["errorType"] == "ConfigurationException"
    assert "SECRET_ARN" in answer["errorMessage"]
    assert "ADVISORY_WINDOW_SECONDS" in answer["errorMessage"]
    assert "soon" not in answer["errorMessage"]


def test_a_refresh_that_somebody_else_does_not_finish_is_in_progress(bench: LocalFunction) -> None:
    expired(bench)
    bench.cloud.standin.fail("RefreshToken", delay=30, times=None)
    short = {"AWS_LAMBDA_FUNCTION_TIMEOUT": "12"}
    with ThreadPoolExecutor(1) as pool, bench.runtime() as holder, bench.runtime(**short) as loser:
        pool.submit(holder.invoke, TICK)
        while not bench.cloud.standin.calls("RefreshToken"):
            time.sleep(0.05)
        assert loser.invoke({})["errorType"] == "RefreshInProgressException"


def test_a_token_that_cannot_be_stored_is_the_loudest_error(bench: LocalFunction) -> None:
    expired(bench)
    bench.cloud.standin.fail("RefreshToken", delay=2)
    with bench.runtime(AWS_LAMBDA_FUNCTION_TIMEOUT="15") as runtime, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(runtime.invoke, TICK)
        while not bench.cloud.standin.calls("RefreshToken"):
            time.sleep(0.05)
        bench.secrets.delete_secret(SecretId=bench.secret_arn)
        assert answer.result()["errorType"] == "TokenNotStoredException"
        assert '"TokenNotStored":[1.0]' in runtime.log()


def test_every_error_of_the_contract_is_seen_here() -> None:
    seen = {case.error for case in ERRORS}
    seen |= {"ConfigurationException", "RefreshInProgressException", "TokenNotStoredException"}
    assert seen == {error.__name__ for error in errors.ALL}


def test_a_consumer_gets_the_token_answer(bench: LocalFunction) -> None:
    grant = bench.cloud.standin.grant()
    version = bench.seed(grant)
    with bench.runtime() as runtime:
        for event in ({}, {"provider": "figma"}):
            answer = runtime.invoke(event)
            assert set(answer) == {"accessToken", "expiresIn", "expiresAt", "versionId", "state"}
            assert (answer["accessToken"], answer["versionId"]) == (grant.access_token, version)
            assert answer["state"] == "fresh"
    assert bench.cloud.standin.calls("RefreshToken") == []


def test_a_tick_refreshes_through_the_pruned_packages_with_botocores_retries(bench: LocalFunction) -> None:
    grant = bench.cloud.standin.grant()
    bench.seed(grant, expires_in=timedelta(hours=1), note="kept")
    bench.cloud.standin.fail("RefreshToken", status=503, times=2)
    with bench.runtime() as runtime:
        report = runtime.invoke(TICK)
        assert report["outcome"] == "refreshed"
        assert set(report) == {"outcome", "versionId", "expiresAt"}
        version, stored = bench.current()
        assert version == report["versionId"]
        assert bench.cloud.standin.accepts(stored["accessToken"])
        assert (stored["note"], stored["refreshToken"]) == ("kept", grant.refresh_token)
        assert len(bench.cloud.standin.calls("RefreshToken")) == 3
        log = runtime.log()
    assert '"correlation_id":"4f1c2f0a-tick"' in log
    assert '"Refreshed":[1.0]' in log
    for token in (grant.access_token, grant.refresh_token, stored["accessToken"]):
        assert token not in log


def test_the_request_id_is_the_correlation_id_of_a_consumers_question(bench: LocalFunction) -> None:
    with bench.runtime() as runtime:
        request_id = runtime.invoke({})["requestId"]
        assert f'"correlation_id":"{request_id}"' in runtime.log()


NO_STRING: list[Any] = ["", None, 1, 1.5, True, [], {}]
NO_TRUTH: list[Any] = [False, None, 1, "true", [], {}]
BODY = "refreshTokenBody"

WRONG: list[Any] = [
    *([], [1], "text", 1, 1.5, True),
    *({"provider": value} for value in [*NO_STRING, "sketch"]),
    *({"provider": "figma", "failedVersionId": value} for value in NO_STRING),
    *({"provider": "figma", "force": value} for value in NO_TRUTH),
    *({"provider": "figma", BODY: value} for value in NO_STRING),
    *({"provider": "figma", BODY: {"token": value}} for value in NO_STRING),
    *({"provider": "figma", BODY: {"token": "t", "clientId": value}} for value in NO_STRING),
    {BODY: {"token": "t"}},
    {"provider": "figma", BODY: {"token": "t", "scope": "x"}},
    {"provider": "figma", "force": True, "failedVersionId": "V"},
    {"provider": "figma", "surprise": 1},
    {"source": "aws.s3"},
]


def test_wrong_input_of_every_kind_is_an_invalid_parameter_and_costs_no_call(bench: LocalFunction) -> None:
    expired(bench)
    with bench.runtime() as runtime:
        for event in [*WRONG, None]:
            assert runtime.invoke(event)["errorType"] == "InvalidParameterException", event
    assert bench.cloud.standin.calls("RefreshToken") == []
