"""No token, no client id in anything but the answer that a consumer asked for: every flow, every fault, all logs loud.

Looked at: stdout and stderr (log lines, metrics) with every logger at DEBUG; the error, its chain and tracebacks;
repr and str of every object of ours that a function of ours touched; the report of a tick; the items of the lock table.
`test_redactions.py` shows that each redaction is needed; `test_no_leak.py` and `test_traces.py` in
`tests/function/runtime` play under the real runtime.
"""

import json
from dataclasses import replace

import pytest

from refresh_token import errors
from tests.support.canaries import BASIC, ECHO, ISSUED, REFRESH
from tests.support.ui_builder_server import good, refusal
from tests.system.leak.cases import (
    APP_SECRETS,
    AROUND,
    FLOWS,
    IN_THE_MESSAGE,
    ISSUER_FAULTS,
    OAUTH_FAULTS,
    QUIET_FLOWS,
    SECRETS,
    SLOW,
    TICK,
    WINDOWS,
    WRONG_EVENTS,
)
from tests.system.leak.stage import Setting, Stage, reason_of

pytestmark = pytest.mark.no_cover  # it would take half as long again, for lines that the unit tests run anyway

RESTED = "tick, expired"
"""The flow whose outcome the tables name."""


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("fault", ISSUER_FAULTS)
def test_an_issuer_that_repeats_everything_leaks_nothing(fault: str, flow: str, stage: Stage) -> None:
    reply, expected = ISSUER_FAULTS[fault]
    played = stage.play(FLOWS[flow].event, Setting(replies=(reply,)), window=FLOWS[flow].window)
    assert played.leaks == []
    assert played.asked == 1
    reason = reason_of(played)
    if flow == RESTED:
        assert reason == expected


ASKED_BY_THE_APP = ("figma", "oauth2")


@pytest.mark.parametrize("flow", ["tick, expired", "consumer asks, mandatory", "bare operation"])
@pytest.mark.parametrize("fault", OAUTH_FAULTS)
@pytest.mark.parametrize("issuer", ASKED_BY_THE_APP)
def test_an_issuer_that_the_app_asks_leaks_nothing_of_its_credentials_either(
    issuer: str, fault: str, flow: str, stage: Stage
) -> None:
    reply, expected = OAUTH_FAULTS[fault]
    played = stage.play(FLOWS[flow].event, Setting(replies=(reply,), issuer=issuer), window=FLOWS[flow].window)
    assert played.leaks == []
    assert played.asked >= 1
    reason = reason_of(played)
    if flow == RESTED and fault in IN_THE_MESSAGE:
        assert reason == ("ConfigurationException" if issuer == "figma" else "ReauthorizationRequiredException")
    elif flow == RESTED:
        assert reason == expected


@pytest.mark.parametrize("flow", ["tick, expired", "consumer asks, mandatory", "bare operation"])
@pytest.mark.parametrize("app", APP_SECRETS)
@pytest.mark.parametrize("issuer", ASKED_BY_THE_APP)
def test_credentials_that_cannot_be_had_leak_nothing(issuer: str, app: str, flow: str, stage: Stage) -> None:
    setting, expected = APP_SECRETS[app]
    played = stage.play(FLOWS[flow].event, replace(setting, issuer=issuer), window=FLOWS[flow].window)
    assert played.leaks == []
    assert played.asked == 0
    reason = reason_of(played)
    if flow == RESTED:
        assert reason == expected


def test_the_credentials_were_really_sent(stage: Stage) -> None:
    """Else nothing of them could be found."""
    for issuer in ASKED_BY_THE_APP:
        stage.play(TICK, Setting(replies=(OAUTH_FAULTS["none"][0],), issuer=issuer))
        assert stage.server.seen[0].headers["Authorization"] == f"Basic {BASIC}"


@pytest.mark.parametrize("flow", ["tick, expired", "consumer asks, mandatory", "consumer reports", "bare operation"])
@pytest.mark.parametrize("content", SECRETS)
def test_a_secret_that_is_no_pair_leaks_nothing(content: str, flow: str, stage: Stage) -> None:
    text, expected = SECRETS[content]
    played = stage.play(FLOWS[flow].event, Setting(secret=text), window=FLOWS[flow].window)
    assert played.leaks == []
    assert reason_of(played) == (None if flow == "bare operation" else expected)


@pytest.mark.parametrize(
    "flow",
    ["tick, expired", "tick, advisory", "consumer asks, mandatory", "operator forces", "bare operation, stored token"],
)
@pytest.mark.parametrize("around", AROUND)
def test_aws_calls_that_fail_with_everything_in_their_message_leak_nothing(
    around: str, flow: str, stage: Stage
) -> None:
    setting, expected = AROUND[around]
    played = stage.play(FLOWS[flow].event, setting, window=FLOWS[flow].window)
    assert played.leaks == []
    reason = reason_of(played)
    if flow == RESTED:
        assert reason == expected


@pytest.mark.parametrize("flow", ["tick, expired", "consumer asks, mandatory"])
@pytest.mark.parametrize("fault", SLOW)
def test_waiting_in_vain_leaks_nothing(fault: str, flow: str, stage: Stage) -> None:
    setting, expected = SLOW[fault]
    played = stage.play(FLOWS[flow].event, setting, window=FLOWS[flow].window)
    assert played.leaks == []
    reason = reason_of(played)
    if flow == RESTED:
        assert reason == expected


@pytest.mark.parametrize("flow", WINDOWS)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_no_window_leaks(status: int, flow: str, stage: Stage) -> None:
    reply = good(accessToken=ISSUED) if status == 200 else refusal(status, REFRESH, ECHO)
    assert stage.play(WINDOWS[flow].event, Setting(replies=(reply,)), window=WINDOWS[flow].window).leaks == []


@pytest.mark.parametrize("code", ["AccessDeniedException", REFRESH])
def test_a_tick_that_cannot_look_for_a_lost_answer_leaks_nothing(code: str, stage: Stage) -> None:
    played = stage.play(TICK, Setting(aws={"dynamodb.GetItem": code}), window="fresh")
    assert played.leaks == []
    assert played.answer["outcome"] == "fresh"
    assert any("Could not check" in text for _, text in played.sights.seen)


@pytest.mark.parametrize("flow", QUIET_FLOWS)
def test_a_flow_that_asks_nobody_leaks_nothing(flow: str, stage: Stage) -> None:
    played = stage.play(QUIET_FLOWS[flow].event, window=QUIET_FLOWS[flow].window)
    assert played.leaks == []
    assert (played.error, played.asked) == (None, 0)


@pytest.mark.parametrize("event", WRONG_EVENTS, ids=range(len(WRONG_EVENTS)))
def test_a_secret_in_the_wrong_place_of_a_request_is_not_shown(event: object, stage: Stage) -> None:
    played = stage.play(event)
    assert played.leaks == []
    assert (reason_of(played), played.asked) == ("InvalidParameterException", 0)


def test_a_wrong_environment_is_not_shown(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISORY_WINDOW_SECONDS", json.dumps(WRONG_EVENTS[0]))
    played = stage.play({})
    assert played.leaks == []
    assert reason_of(played) == "ConfigurationException"


def test_the_report_of_a_tick_holds_no_token(stage: Stage) -> None:
    for window in ("fresh", "advisory", "mandatory", "expired"):
        assert set(stage.play(TICK, window=window).answer) == {"outcome", "versionId", "expiresAt"}


def test_the_tables_end_in_every_error_of_the_contract() -> None:
    ends = {end for _, end in [*ISSUER_FAULTS.values(), *SECRETS.values(), *AROUND.values(), *SLOW.values()]}
    assert ends - {None} | {"InvalidParameterException"} == {error.__name__ for error in errors.ALL}


def test_all_that_is_looked_at_is_really_there(stage: Stage) -> None:
    """Else nothing could be found in it."""
    reply, _ = ISSUER_FAULTS["400 with the request in the message"]
    played = stage.play(TICK, Setting(replies=(reply,)))
    seen: dict[str, str] = {}
    for where, text in played.sights.seen:
        seen[where] = seen.get(where, "") + text
    for mark in ('"_aws"', '"message":"The refresh failed"', "INFO leak-"):
        assert mark in seen["output"]
    assert "Traceback" in seen["error ReauthorizationRequiredException"]
    assert "COMPLETED" in seen["lock table"]
    objects = {where.removeprefix("object ") for where in seen if where.startswith("object ")}
    assert objects >= {
        *("Tick", "Refresher", "RefreshOnce", "StoredPair", "TokenPair", "Settings", "WindowSettings", "HeldClaim"),
        *("SecretsManagerStore", "IdempotencyLock", "UiBuilderIssuer", "PowertoolsTelemetry", "Failure", "TickReport"),
    }
    more = stage.play({}).sights.seen
    assert {"object IssuedToken", "object Outcome", "object LiveToken", "object Expiry"} <= {where for where, _ in more}
