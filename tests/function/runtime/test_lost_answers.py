"""An answer of the issuer that is lost on the way to the secret, under the real runtime and its real end of time.

The services hang, drip, or answer late. Whatever they do, the function says that the token is lost before Lambda ends
the invocation, closes its claim, and whoever comes next heals it, in another process, too.
"""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.cloud import LocalCloud
from tests.support.fault_proxy import Strike, Wire, wire_to
from tests.support.local_function import LocalFunction

pytestmark = pytest.mark.xdist_group("lost answers")

TICK = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}}
TIMEOUT = 10
"""Seconds that Lambda gives the function. Eight must be left to begin a refresh."""

PUT, MOVE, LOOK = "PutSecretValue", "UpdateSecretVersionStage", "GetSecretValue"
HANGS, DRIPS, LATE = Strike(silent=True), Strike(drips=True), Strike(late=2.5)


@dataclass(frozen=True, kw_only=True)
class Case:
    """Which calls after the issuer's answer go wrong, and how."""

    operations: tuple[str, ...]
    how: Strike
    timeout: int = TIMEOUT


CASES = {
    "the put hangs": Case(operations=(PUT,), how=HANGS),
    "the put hangs, with time for more": Case(operations=(PUT,), how=HANGS, timeout=2 * TIMEOUT),
    "the put drips": Case(operations=(PUT,), how=DRIPS),
    "the put is late": Case(operations=(PUT,), how=LATE),
    "the move hangs": Case(operations=(MOVE,), how=HANGS),
    "the move drips": Case(operations=(MOVE,), how=DRIPS),
    "the put and the look-up hang": Case(operations=(PUT, LOOK), how=HANGS),
    "the put and the look-up drip": Case(operations=(PUT, LOOK), how=DRIPS),
    "the put and the look-up are late": Case(operations=(PUT, LOOK), how=LATE),
    "the move and the look-up hang": Case(operations=(MOVE, LOOK), how=HANGS),
    "the move and the look-up drip": Case(operations=(MOVE, LOOK), how=DRIPS),
}


@dataclass(frozen=True, kw_only=True)
class Story:
    """What happened."""

    answer: Any
    log: str
    records: list[Any]
    next_tick: Any
    stored_is_live: bool


def play(case: Case, cloud: LocalCloud, asset: Path, folder: Path) -> Story:
    bench = LocalFunction(cloud, asset, folder)
    version = bench.seed(cloud.standin.grant(user=bench.name))
    with (
        wire_to(cloud) as wire,
        bench.runtime(**wire.environment, AWS_LAMBDA_FUNCTION_TIMEOUT=str(case.timeout)) as runtime,
    ):
        runtime.warm_up()
        strike_after_the_answer(wire, case.operations, case.how)
        answer = runtime.invoke({"provider": "figma", "failedVersionId": version})
        wire.forget()
        log, closed = runtime.log(), records(bench)
        next_tick = runtime.invoke(TICK)
    live = cloud.standin.accepts(bench.current()[1]["accessToken"])
    return Story(answer=answer, log=log, records=closed, next_tick=next_tick, stored_is_live=live)


@pytest.fixture(scope="module")
def stories(cloud: LocalCloud, asset: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Story]:
    cloud.standin.reset()
    with ThreadPoolExecutor(len(CASES)) as pool:
        playing = {
            name: pool.submit(play, case, cloud, asset, tmp_path_factory.mktemp("lost")) for name, case in CASES.items()
        }
        return {name: story.result() for name, story in playing.items()}


@pytest.fixture
def wire(bench: LocalFunction) -> Iterator[Wire]:
    with wire_to(bench.cloud) as wire:
        yield wire


def records(bench: LocalFunction) -> list[Any]:
    """Return what the lock table holds: (status, what is kept)."""
    items = bench.dynamodb.scan(TableName=bench.name, ConsistentRead=True)["Items"]
    return [(item["status"]["S"], json.loads(item.get("data", {}).get("S", "null"))) for item in items]


def strike_after_the_answer(wire: Wire, operations: tuple[str, ...], how: Strike) -> None:
    """Let the calls go wrong that the function makes once the issuer has answered: not its two reads before."""
    for operation in operations:
        for nth in range(3, 20) if operation == LOOK else [0]:
            wire.strike(operation, how, nth=nth)


@pytest.mark.parametrize("name", CASES)
def test_a_token_that_is_lost_is_told_in_time_the_claim_is_closed_and_the_next_tick_heals(
    stories: Mapping[str, Story], name: str
) -> None:
    story = stories[name]
    assert story.answer["errorType"] == "TokenNotStoredException"
    assert '"TokenNotStored":[1.0]' in story.log
    ((status, kept),) = story.records
    assert status == "COMPLETED"
    assert (kept["failure"]["reason"], kept["failure"]["lost"]) == ("TokenNotStoredException", True)
    assert story.next_tick["outcome"] == "refreshed"
    assert story.stored_is_live


def test_a_move_whose_answer_is_late_is_found_out_and_nothing_is_lost(bench: LocalFunction, wire: Wire) -> None:
    version = bench.seed(bench.cloud.standin.grant())
    with bench.runtime(**wire.environment, AWS_LAMBDA_FUNCTION_TIMEOUT=str(TIMEOUT)) as runtime:
        runtime.warm_up()
        wire.strike(MOVE, LATE)
        answer = runtime.invoke({"provider": "figma", "failedVersionId": version})
    assert answer["versionId"] == bench.current()[0] != version
    assert bench.cloud.standin.accepts(answer["accessToken"])


def test_a_tick_in_another_process_heals_what_a_report_could_not_store(bench: LocalFunction, wire: Wire) -> None:
    version = bench.seed(bench.cloud.standin.grant())
    with bench.runtime(**wire.environment, AWS_LAMBDA_FUNCTION_TIMEOUT=str(TIMEOUT)) as runtime:
        runtime.warm_up()
        wire.strike("PutSecretValue", Strike(status=400, code="EncryptionFailure"))
        answer = runtime.invoke({"provider": "figma", "failedVersionId": version})
        assert answer["errorType"] == "TokenNotStoredException"
    with bench.runtime() as another:
        assert another.invoke({})["versionId"] == version, "a consumer pays for no second call"
        assert another.invoke(TICK)["outcome"] == "refreshed"
        assert bench.cloud.standin.accepts(bench.current()[1]["accessToken"])
        assert '"Recovered":[1.0]' in another.log()
        assert another.invoke(TICK)["outcome"] == "fresh"


def test_an_issuer_that_drips_leaves_the_time_to_close_the_claim(bench: LocalFunction, wire: Wire) -> None:
    bench.seed(bench.cloud.standin.grant(), expires_in=timedelta(hours=3))
    with bench.runtime(**wire.environment, AWS_LAMBDA_FUNCTION_TIMEOUT="15") as runtime:
        runtime.warm_up()
        wire.strike("RefreshToken", Strike(drips=True))
        assert runtime.invoke({})["state"] == "degraded"
        (record,) = records(bench)
        assert record[0] == "COMPLETED"
        assert record[1]["failure"]["reason"] == "IssuerUnavailableException"
