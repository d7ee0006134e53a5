"""No token and no client id in anything but the answer that a consumer wants: every flow, all logs loud.

Here the issuer and the secret are hostile; tests/system/faults/test_matrix.py makes the same check under faults of AWS.

Checked: stdout and stderr (log lines, metrics) with every logger at DEBUG; the error, its chain and tracebacks; the
report of a tick; the items of the lock table. `test_redactions.py` checks what our classes show of themselves, and that
these tests can fail; `test_runtime.py` plays under the real runtime.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.support.canaries import BASIC, ECHO, ISSUED, REFRESH
from tests.support.events import TICK
from tests.support.token_server import ui_builder_error, ui_builder_issued
from tests.system.leak import cases
from tests.system.leak.stage import Setting, Stage, reason_of

TICK_EXPIRED, CONSUMER, BARE = "tick, expired", "consumer, mandatory", "bare"
SHORT = [TICK_EXPIRED, BARE]


@dataclass(frozen=True, kw_only=True)
class Play:
    flow: cases.Flow
    setting: Setting = field(default_factory=Setting)
    ends: tuple[str | None] | None = None
    """The error, if it must be that one; (None,): the flow must succeed."""
    asked: tuple[int, ...] | None = None
    """How often the issuer may be called."""


def plays() -> Iterator[tuple[str, Play]]:
    for issuer, faults, flows in (
        ("amplify", cases.ISSUER_FAULTS, list(cases.FLOWS)),
        ("figma", cases.FIGMA_FAULTS, [TICK_EXPIRED, CONSUMER, BARE]),
        ("oauth2", cases.OAUTH2_FAULTS, [TICK_EXPIRED, CONSUMER, BARE]),
    ):
        asked, ends = (1,) if issuer == "amplify" else (1, 2, 3), set[str | None]()
        for fault, (reply, error) in faults.items():
            # The fault decides how the call fails; the kind of error decides what the function does next.
            setting, reached = Setting(replies=(reply,), issuer=issuer), flows if error not in ends else SHORT
            for flow in reached:
                ending = (error,) if flow == TICK_EXPIRED else None
                play = Play(flow=cases.FLOWS[flow], setting=setting, ends=ending, asked=asked)
                yield f"{issuer}: {fault} - {flow}", play
            ends.add(error)
    yield from secret_plays()
    for name, quiet in cases.QUIET_FLOWS.items():
        yield name, Play(flow=quiet, ends=(None,), asked=(0,))
    for number, event in enumerate(cases.WRONG_EVENTS):
        yield f"wrong event {number}", Play(flow=cases.Flow(event), ends=("InvalidParameterException",), asked=(0,))


def secret_plays() -> Iterator[tuple[str, Play]]:
    """Return the plays with each secret that is no pair, and with a pair in each window."""
    for name, (content, error) in cases.SECRETS.items():
        for flow in (TICK_EXPIRED, CONSUMER, BARE):
            sent = flow == BARE and content != ECHO  # a token that is in the secret is not sent by itself
            ends = (None if sent else error,)
            yield f"secret: {name} - {flow}", Play(flow=cases.FLOWS[flow], setting=Setting(secret=content), ends=ends)
    for status in (200, 400, 500):
        reply = ui_builder_issued(accessToken=ISSUED) if status == 200 else ui_builder_error(status, REFRESH, ECHO)
        for flow in cases.WINDOWS:
            yield f"{status} - {flow}", Play(flow=cases.WINDOWS[flow], setting=Setting(replies=(reply,)))


PLAYS = dict(plays())


@pytest.mark.parametrize("name", PLAYS)
def test_nothing_leaks(name: str, stage: Stage) -> None:
    play = PLAYS[name]
    played = stage.play(play.flow.event, play.setting, window=play.flow.window)
    assert played.leaks == []
    assert play.ends in (None, (reason_of(played),))
    assert play.asked is None or played.asked in play.asked


@pytest.mark.parametrize("issuer", ["figma", "oauth2"])
def test_the_credentials_were_really_sent(issuer: str, stage: Stage) -> None:
    stage.play(TICK, Setting(replies=(cases.OAUTH2_FAULTS["none"][0],), issuer=issuer))
    assert stage.server.seen[0].headers["Authorization"] == f"Basic {BASIC}"


def test_all_that_is_checked_is_really_there(stage: Stage) -> None:
    played = stage.play(TICK, Setting(replies=(cases.ISSUER_FAULTS["400 with the request in the message"][0],)))
    seen: dict[str, str] = {}
    for where, text in played.sights.seen:
        seen[where] = seen.get(where, "") + text
    for mark in ('"_aws"', '"message":"The refresh failed"', "INFO leak-"):
        assert mark in seen["output"]
    assert "Traceback" in seen["error ReauthorizationRequiredException"]
    assert "COMPLETED" in seen["lock table"]
