"""64 processes at once: one issuer call, and all of them get the same live token."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from local.cloud import LocalCloud
from tests.support.events import CONSUMER, FORCE, bare, report, tick
from tests.support.fault_proxy import fault_proxy
from tests.support.local_function import LocalFunction
from tests.support.windows import ADVISORY, EXPIRED, FRESH, MANDATORY
from tests.system.faults.swarm import PROCESSES, Swarm, swarming

pytestmark = pytest.mark.xdist_group("processes")


@pytest.fixture(scope="module")
def one_swarm(cloud: LocalCloud, asset: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    function = LocalFunction(cloud, asset, tmp_path_factory.mktemp("swarm"))
    with fault_proxy(cloud) as proxy, swarming(function, proxy) as swarm:
        yield swarm


@pytest.fixture
def swarm(one_swarm: Swarm) -> Iterator[Swarm]:
    one_swarm.function.cloud.standin.reset()
    one_swarm.log_file.write_text("")
    one_swarm.proxy.forget()
    yield one_swarm
    one_swarm.function.cloud.standin.reset()


def seed(swarm: Swarm, left: timedelta) -> str:
    return swarm.function.seed(swarm.function.cloud.standin.grant(), expires_in=left, note="kept")


def assert_one_refresh(swarm: Swarm, dead: str) -> str:
    """Assert that a version was refreshed once, and the pair is complete; return the live token."""
    standin = swarm.function.cloud.standin
    version, pair = swarm.function.current()
    assert version != dead
    assert len(standin.calls("RefreshToken")) == 1
    assert swarm.logged("Refreshed the token") == 1
    assert standin.accepts(pair["accessToken"])
    assert pair["note"] == "kept"
    assert pair["refreshToken"] == standin.grants()[0].refresh_token
    return str(pair["accessToken"])


def test_reports_of_one_dead_version(swarm: Swarm) -> None:
    dead = seed(swarm, FRESH)
    swarm.function.cloud.standin.kill()
    answers = swarm.invoke_together(report(dead))
    live = assert_one_refresh(swarm, dead)
    assert {(answer["accessToken"], answer["state"]) for answer in answers} == {(live, "fresh")}
    assert {answer["accessToken"] for answer in swarm.invoke([report(swarm.function.current()[0])])} == {live}
    for _ in range(16):  # a thousand more reports
        assert {answer["accessToken"] for answer in swarm.invoke([report(dead)])} == {live}
    assert_one_refresh(swarm, dead)


@pytest.mark.parametrize("left", [MANDATORY, EXPIRED], ids=["mandatory", "expired"])
def test_consumers_of_a_token_that_is_due(swarm: Swarm, left: timedelta) -> None:
    old = seed(swarm, left)
    answers = swarm.invoke_together(CONSUMER)
    live = assert_one_refresh(swarm, old)
    assert {(answer["accessToken"], answer["state"]) for answer in answers} == {(live, "fresh")}


@pytest.mark.parametrize("left", [ADVISORY, EXPIRED], ids=["advisory", "expired"])
def test_several_schedules_and_each_event_twice(swarm: Swarm, left: timedelta) -> None:
    old = seed(swarm, left)
    ticks = [tick(f"event-{number // 2}", source) for number in range(32) for source in ("aws.scheduler", "aws.events")]
    reports = swarm.invoke_together(*ticks)
    assert_one_refresh(swarm, old)
    assert {(one["outcome"], one["versionId"]) for one in reports} == {("refreshed", swarm.function.current()[0])}
    again = swarm.invoke(ticks)
    assert {(one["outcome"], one["versionId"]) for one in again} == {("fresh", swarm.function.current()[0])}
    assert_one_refresh(swarm, old)


def test_every_kind_of_caller(swarm: Swarm) -> None:
    old = seed(swarm, EXPIRED)
    stored = bare(swarm.function.cloud.standin.grants()[0].refresh_token)
    answers = swarm.invoke_together(CONSUMER, {}, report(old), report(old), tick("one"), tick("two"), FORCE, stored)
    live = assert_one_refresh(swarm, old)
    assert {answer["accessToken"] for answer in answers if "outcome" not in answer} == {live}
    assert [answer["outcome"] for answer in answers if "outcome" in answer] == ["refreshed"] * (PROCESSES // 4)


def test_a_refused_grant_is_asked_for_once(swarm: Swarm) -> None:
    old = seed(swarm, EXPIRED)
    swarm.function.cloud.standin.revoke()
    for answers in (swarm.invoke_together(CONSUMER, {}, report(old), CONSUMER), swarm.invoke([CONSUMER])):
        assert {answer["errorType"] for answer in answers} == {"ReauthorizationRequiredException"}
    assert len(swarm.function.cloud.standin.calls("RefreshToken")) == 1
    assert swarm.function.current()[0] == old
