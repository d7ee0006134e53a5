"""An issuer's answer that is lost on the way to the secret, under the real runtime and its real end of time.

The services hang, drip, or answer late. Whatever they do, the function reports the token as lost before Lambda ends
the invocation, and closes its claim; the next caller heals it, even in another process.
"""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.cloud import LocalCloud
from tests.support.events import TICK, report
from tests.support.fault_proxy import FaultProxy, Strike, fault_proxy
from tests.support.local_function import LocalFunction
from tests.support.windows import MANDATORY

pytestmark = pytest.mark.xdist_group("lost answers")

TIMEOUT = 10
"""Seconds that Lambda gives the function. A refresh begins only while eight are left."""

PUT, MOVE, READ = "PutSecretValue", "UpdateSecretVersionStage", "GetSecretValue"
HANGS, DRIPS, LATE = Strike(silent=True), Strike(drips=True), Strike(late=2.5)


@dataclass(frozen=True)
class Case:
    """Which calls after the issuer's answer go wrong, and how."""

    how: Strike
    operations: tuple[str, ...]
    timeout: int = TIMEOUT


CASES = {
    "the put hangs": Case(HANGS, (PUT,)),
    "the put hangs, with time for more": Case(HANGS, (PUT,), timeout=2 * TIMEOUT),
    "the put drips": Case(DRIPS, (PUT,)),
    "the put is late": Case(LATE, (PUT,)),
    "the move hangs": Case(HANGS, (MOVE,)),
    "the move drips": Case(DRIPS, (MOVE,)),
    "the put and the read after it hang": Case(HANGS, (PUT, READ)),
    "the put and the read after it drip": Case(DRIPS, (PUT, READ)),
    "the put and the read after it are late": Case(LATE, (PUT, READ)),
    "the move and the read after it hang": Case(HANGS, (MOVE, READ)),
    "the move and the read after it drip": Case(DRIPS, (MOVE, READ)),
}


@dataclass(frozen=True)
class Story:
    answer: Any
    log: str
    records: list[Any]
    next_tick: Any
    stored_is_live: bool


def play(case: Case, function: LocalFunction) -> Story:
    standin = function.cloud.standin
    version = function.seed(standin.grant(user=function.name))
    with (
        fault_proxy(function.cloud) as proxy,
        function.runtime(**proxy.environment, AWS_LAMBDA_FUNCTION_TIMEOUT=str(case.timeout)) as runtime,
    ):
        runtime.warm_up()
        for operation in case.operations:
            for nth in range(3, 20) if operation == READ else [0]:  # not the two reads before the issuer's call
                proxy.strike(operation, case.how, nth=nth)
        answer = runtime.invoke(report(version))
        proxy.forget()
        log, closed = runtime.log(), records(function)
        next_tick = runtime.invoke(TICK)
    return Story(answer, log, closed, next_tick, standin.accepts(function.current()[1]["accessToken"]))


@pytest.fixture(scope="module")
def stories(cloud: LocalCloud, asset: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Story]:
    cloud.standin.reset()
    folder = tmp_path_factory.mktemp("lost")
    with ThreadPoolExecutor(len(CASES)) as pool:
        played = pool.map(lambda case: play(case, LocalFunction(cloud, asset, folder)), CASES.values())
        return dict(zip(CASES, played, strict=True))


def records(function: LocalFunction) -> list[Any]:
    """Return what the lock table holds: (status, what is kept)."""
    items = function.dynamodb.scan(TableName=function.name, ConsistentRead=True)["Items"]
    return [(item["status"]["S"], json.loads(item.get("data", {}).get("S", "null"))) for item in items]


@pytest.mark.parametrize("name", CASES)
def test_a_lost_token_is_reported_and_healed(stories: Mapping[str, Story], name: str) -> None:
    story = stories[name]
    assert story.answer["errorType"] == "TokenNotStoredException"
    assert '"TokenNotStored":[1.0]' in story.log
    ((status, kept),) = story.records
    assert status == "COMPLETED"
    assert (kept["failure"]["reason"], kept["failure"]["lost"]) == ("TokenNotStoredException", True)
    assert story.next_tick["outcome"] == "refreshed"
    assert story.stored_is_live


def test_a_move_that_answers_late_loses_nothing(function: LocalFunction, proxy: FaultProxy) -> None:
    version = function.seed(function.cloud.standin.grant())
    with function.runtime(**proxy.environment, AWS_LAMBDA_FUNCTION_TIMEOUT=str(TIMEOUT)) as runtime:
        runtime.warm_up()
        proxy.strike(MOVE, LATE)
        answer = runtime.invoke(report(version))
    assert answer["versionId"] == function.current()[0] != version
    assert function.cloud.standin.accepts(answer["accessToken"])


def test_a_dripping_issuer_leaves_time_to_close(function: LocalFunction, proxy: FaultProxy) -> None:
    function.seed(function.cloud.standin.grant(), expires_in=MANDATORY)
    with function.runtime(**proxy.environment, AWS_LAMBDA_FUNCTION_TIMEOUT="15") as runtime:
        runtime.warm_up()
        proxy.strike("RefreshToken", Strike(drips=True))
        assert runtime.invoke({})["state"] == "degraded"
        (record,) = records(function)
        assert record[0] == "COMPLETED"
        assert record[1]["failure"]["reason"] == "IssuerUnavailableException"
