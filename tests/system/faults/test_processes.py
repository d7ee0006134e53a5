"""64 processes at once: one issuer call, and everybody gets the same live token."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.cloud import LocalCloud
from tests.support.checkout import ROOT
from tests.support.fault_proxy import Wire, wire_to
from tests.support.local_function import LocalFunction

pytestmark = pytest.mark.xdist_group("processes")

PROCESSES = 64
WORKER = ROOT / "tests" / "support" / "forked_environments.py"

FRESH = timedelta(days=30)
ADVISORY = timedelta(days=3)
MANDATORY = timedelta(hours=3)
EXPIRED = timedelta(seconds=-1)

CONSUMER = {"provider": "figma"}
FORCE = {"provider": "figma", "force": True}


def tick(event_id: str, source: str = "aws.scheduler") -> dict[str, Any]:
    return {"source": source, "id": event_id, "detail-type": "Scheduled Event", "detail": {}}


def report(version: str) -> dict[str, Any]:
    return {"provider": "figma", "failedVersionId": version}


@dataclass
class Swarm:
    """64 warm Lambda environments of one deployment, each a process."""

    bench: LocalFunction
    wire: Wire
    process: subprocess.Popen[str]
    log_file: Path

    def invoke(self, events: Sequence[object]) -> list[Any]:
        """Invoke every environment at once."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(list(events)) + "\n")
        self.process.stdin.flush()
        return list(json.loads(self.process.stdout.readline()))

    def invoke_together(self, events: Sequence[object]) -> list[Any]:
        """The same, with an issuer that does not answer until all of them have tried to claim the refresh."""
        self.wire.forget()
        issuer = self.wire.hold("RefreshToken")
        with ThreadPoolExecutor(1) as pool:
            try:
                answers = pool.submit(self.invoke, events)
                self.wire.wait_for("PutItem", PROCESSES)
                issuer.wait()
            finally:
                issuer.release()
            return answers.result()

    def logged(self, message: str) -> int:
        """How often all of them logged a message."""
        return self.log_file.read_text().count(f'"message":"{message}"')


@contextmanager
def swarming(bench: LocalFunction, wire: Wire, **environment: str) -> Iterator[Swarm]:
    log_file = bench.folder / "swarm.log"
    python = Path(sys.base_exec_prefix, "bin", f"python3.{sys.version_info.minor}")
    process = subprocess.Popen(
        [python, "-I", "-S", WORKER, bench.asset, str(PROCESSES), "60", log_file],
        env={"PATH": "/usr/bin:/bin", **bench.environment, **wire.environment, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:  # the processes end with their input
        yield Swarm(bench, wire, process, log_file)


@pytest.fixture(scope="module")
def one_swarm(cloud: LocalCloud, asset: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    with (
        wire_to(cloud) as wire,
        swarming(LocalFunction(cloud, asset, tmp_path_factory.mktemp("swarm")), wire) as swarm,
    ):
        yield swarm


@pytest.fixture
def swarm(one_swarm: Swarm) -> Iterator[Swarm]:
    """Return the swarm, with a stand-in that knows of nothing yet."""
    one_swarm.bench.cloud.standin.reset()
    one_swarm.log_file.write_text("")
    one_swarm.wire.forget()
    yield one_swarm
    one_swarm.bench.cloud.standin.reset()


def assert_one_refresh(swarm: Swarm, dead: str) -> str:
    """Assert that a version was refreshed once, and the pair is whole; return the live token."""
    standin = swarm.bench.cloud.standin
    version, pair = swarm.bench.current()
    assert version != dead
    assert len(standin.calls("RefreshToken")) == 1
    assert swarm.logged("Refreshed the token") == 1
    assert standin.accepts(pair["accessToken"])
    assert pair["note"] == "kept"
    assert pair["refreshToken"] == standin.grants()[0].refresh_token
    return str(pair["accessToken"])


def seed(swarm: Swarm, left: timedelta) -> str:
    return swarm.bench.seed(swarm.bench.cloud.standin.grant(), expires_in=left, note="kept")


def test_64_reports_of_one_dead_version_make_one_issuer_call_and_a_thousand_more_none(swarm: Swarm) -> None:
    dead = seed(swarm, FRESH)
    swarm.bench.cloud.standin.kill()
    answers = swarm.invoke_together([report(dead)] * PROCESSES)
    live = assert_one_refresh(swarm, dead)
    assert {(answer["accessToken"], answer["state"]) for answer in answers} == {(live, "fresh")}
    for _ in range(16):
        assert {answer["accessToken"] for answer in swarm.invoke([report(dead)] * PROCESSES)} == {live}
    assert_one_refresh(swarm, dead)


@pytest.mark.parametrize("left", [MANDATORY, EXPIRED], ids=["mandatory", "expired"])
def test_64_consumers_of_a_token_that_is_due_make_one_issuer_call(swarm: Swarm, left: timedelta) -> None:
    old = seed(swarm, left)
    answers = swarm.invoke_together([CONSUMER] * PROCESSES)
    live = assert_one_refresh(swarm, old)
    assert {(answer["accessToken"], answer["state"]) for answer in answers} == {(live, "fresh")}


@pytest.mark.parametrize("left", [ADVISORY, EXPIRED], ids=["advisory", "expired"])
def test_several_schedules_at_once_and_one_event_twice_are_one_refresh(swarm: Swarm, left: timedelta) -> None:
    old = seed(swarm, left)
    ticks = [tick(f"event-{number // 2}", source) for number in range(32) for source in ("aws.scheduler", "aws.events")]
    reports = swarm.invoke_together(ticks)
    assert_one_refresh(swarm, old)
    assert {(one["outcome"], one["versionId"]) for one in reports} == {("refreshed", swarm.bench.current()[0])}
    again = swarm.invoke(ticks)
    assert {(one["outcome"], one["versionId"]) for one in again} == {("fresh", swarm.bench.current()[0])}
    assert_one_refresh(swarm, old)


def test_consumers_reports_ticks_operators_and_the_bare_operation_at_once_are_one_refresh(swarm: Swarm) -> None:
    old = seed(swarm, EXPIRED)
    refresh_token = swarm.bench.cloud.standin.grants()[0].refresh_token
    bare = {"provider": "figma", "refreshTokenBody": {"token": refresh_token}}
    mix = [CONSUMER, {}, report(old), report(old), tick("one"), tick("two"), FORCE, bare]
    answers = swarm.invoke_together(mix * (PROCESSES // len(mix)))
    live = assert_one_refresh(swarm, old)
    assert {answer["accessToken"] for answer in answers if "outcome" not in answer} == {live}
    assert [answer["outcome"] for answer in answers if "outcome" in answer] == ["refreshed"] * (PROCESSES // 4)


def test_a_grant_that_is_refused_is_asked_for_once_however_many_want_it(swarm: Swarm) -> None:
    old = seed(swarm, EXPIRED)
    swarm.bench.cloud.standin.revoke()
    mix = [CONSUMER, {}, report(old), CONSUMER]
    for answers in (swarm.invoke_together(mix * (PROCESSES // len(mix))), swarm.invoke([CONSUMER] * PROCESSES)):
        assert {answer["errorType"] for answer in answers} == {"ReauthorizationRequiredException"}
    assert len(swarm.bench.cloud.standin.calls("RefreshToken")) == 1
    assert swarm.bench.current()[0] == old
