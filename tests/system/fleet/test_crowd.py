"""64 processes at once over one real table: consumers and workers of one connection make one call of the provider.

The provider replaces refresh tokens and takes a spent one for theft, so a second call would end the grant.
"""

import json
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from refresh_token.fleet.messages import Work
from tests.support import forked_environments
from tests.support.deployed_fleet import REPLACED, DeployedFleet
from tests.support.lambda_emulator import PYTHON

pytestmark = pytest.mark.xdist_group("fleet")

PROCESSES, WORKERS = 64, 4
NAME, USER = "acme/u1", "u1"
A_DAY = timedelta(days=1)


@pytest.fixture
def crowd(fleet: DeployedFleet, asset: Path, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """The ask function in most processes, the worker in every sixteenth."""
    name = fleet.function("Ask")
    deployed = fleet.cloud.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    handlers = [*["connections_handler"] * (PROCESSES // WORKERS - 1), "worker_handler"]
    process = subprocess.Popen(
        [
            PYTHON,
            "-I",
            "-S",
            "-B",
            forked_environments.__file__,
            asset,
            str(PROCESSES),
            "60",
            tmp_path / "log",
            *handlers,
        ],
        env={"PATH": "/usr/bin:/bin", **deployed, **fleet.cloud.exports},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:  # the processes end with their input
        yield process


def invoke(crowd: "subprocess.Popen[str]", question: object, work: Work) -> tuple[list[Any], list[Any]]:
    """Invoke all at once; return the answers of consumers and of workers."""
    assert crowd.stdin
    assert crowd.stdout
    batch = {"Records": [{"messageId": "1", "body": work.to_body()}]}
    every = PROCESSES // WORKERS
    events: Sequence[object] = ([question] * (every - 1) + [batch]) * WORKERS
    crowd.stdin.write(json.dumps(events) + "\n")
    crowd.stdin.flush()
    answers = json.loads(crowd.stdout.readline())
    workers = answers[every - 1 :: every]
    return [answer for answer in answers if answer not in workers], workers


def test_consumers_and_workers_make_one_call(crowd: "subprocess.Popen[str]", fleet: DeployedFleet) -> None:
    standin = fleet.cloud.standin
    standin.set_rotation(on=True)
    fleet.connect({NAME: standin.grant(user=USER)}, expires_in=-timedelta(seconds=1), provider=REPLACED)
    for generation in (1, 2, 3):
        before = fleet.table.record(NAME)
        assert before.due_at
        question: dict[str, object] = {"connection": NAME}
        if generation > 1:
            question["failedVersionId"] = before.version
        answers, workers = invoke(crowd, question, Work(NAME, before.due_at))
        after = fleet.table.record(NAME)
        assert {answer.get("accessToken") for answer in answers} == {after.access}
        assert {answer.get("versionId") for answer in answers} == {after.version}
        assert workers == [{"batchItemFailures": []}] * WORKERS
        counts = standin.counts()[USER]
        assert (counts.refreshed, counts.calls, counts.reused) == (generation, generation, 0)
        assert (after.state, after.claim_id, after.open_claims, after.failure) == ("active", None, 0, None)
        aged = datetime.now(UTC) - A_DAY  # a report of a new token refreshes nothing
        fleet.table.change(NAME, refreshedAt={"S": aged.isoformat()})
