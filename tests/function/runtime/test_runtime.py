"""The asset that is deployed, under the real Lambda runtime: real error types, real context, no code but its own.

`test_issuers.py` and `test_lost_answers.py` have more errors, the fault matrix has all of them.
"""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.events import CONSUMER, EVENT_ID, TICK, bare
from tests.support.local_function import LocalFunction
from tests.support.windows import EXPIRED

pytestmark = pytest.mark.xdist_group("runtime")


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


def test_an_error_has_type_and_request_id(function: LocalFunction) -> None:
    with function.runtime() as runtime:
        answer = runtime.invoke({})
        assert answer["errorType"] == "SecretNotSeededException"
        assert answer["errorMessage"].endswith(".")
        log = runtime.log()
    assert '"reason":"SecretNotSeededException"' in log
    assert f'"correlation_id":"{answer["requestId"]}"' in log


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
    function.seed(function.cloud.standin.grant(), expires_in=EXPIRED)
    with function.runtime() as runtime:
        for event in WRONG:
            assert runtime.invoke(event)["errorType"] == "InvalidParameterException", event
    assert function.cloud.standin.calls("RefreshToken") == []
