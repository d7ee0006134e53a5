"""The asset that is deployed, under the real Lambda runtime: real error types, real context, no code but its own.

`test_issuers.py` and `test_lost_answers.py` have more errors, the fault matrix has all of them.
"""

from datetime import timedelta

import pytest

from tests.support.events import EVENT_ID, TICK
from tests.support.local_function import LocalFunction

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
