"""No token, no client id in what the real runtime prints and answers, with every switch on that makes it say more.

The wide product of flows and faults is played in `tests/system/leak`; here is a representative set under
awslambdaric, which formats errors itself: what it answers is what Lambda puts into a dead-letter message and, of type,
message and stack, into an X-Ray segment.
"""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.canaries import ACCESS, CLIENT, ECHO, GIVEN, GIVEN_CLIENT, ISSUED, NOTE, REFRESH, ROTATED, Sights
from tests.support.lambda_emulator import Runtime
from tests.support.local_function import LocalFunction
from tests.system.leak.cases import SECRETS, TICK, WRONG_EVENTS

pytestmark = pytest.mark.xdist_group("runtime")

LOUD = {
    "AWS_LAMBDA_LOG_FORMAT": "JSON",
    "AWS_LAMBDA_LOG_LEVEL": "DEBUG",  # of the root logger, in this format
    "POWERTOOLS_LOG_LEVEL": "DEBUG",
    "POWERTOOLS_LOGGER_LOG_EVENT": "true",
    "POWERTOOLS_DEBUG": "true",
    "POWERTOOLS_DEV": "true",
}

GOOD = json.dumps({"accessToken": ISSUED, "expiresIn": 7_776_000, "refreshToken": ROTATED, "echo": ECHO})
FAULTS: dict[str, dict[str, Any]] = {
    "none": {"body": GOOD},
    "refused": {"status": 400, "code": "InvalidParameterException", "message": ECHO},
    "refused, the token as the code": {"status": 400, "code": REFRESH, "message": ECHO},
    "access denied": {"status": 403, "code": "AccessDeniedException", "message": ECHO},
    "down": {"status": 503, "body": ECHO, "headers": {"X-Echo": REFRESH}},
    "nonsense": {"body": ECHO},
    "no expiry": {"body": json.dumps({"accessToken": ISSUED, "expiresIn": REFRESH})},
    "dropped": {"drop": True},
}
BARE = {"provider": "figma", "refreshTokenBody": {"token": GIVEN, "clientId": GIVEN_CLIENT}}
STORED = {"provider": "figma", "refreshTokenBody": {"token": REFRESH, "clientId": CLIENT}}
EVENTS: list[dict[str, Any]] = [TICK, {}, {"provider": "figma", "force": True}, BARE, STORED]


def seed(function: LocalFunction) -> str:
    expired = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    pair = {"accessToken": ACCESS, "refreshToken": REFRESH, "clientId": CLIENT, "expiresAt": expired, "note": NOTE}
    return function.store(json.dumps(pair))


def look(sights: Sights, where: str, answer: Any) -> None:
    """Look at an answer, but for the access token that a consumer asked for."""
    shown = {**answer, "accessToken": None} if isinstance(answer, dict) else answer
    sights.add(where, json.dumps(shown))


def play(function: LocalFunction, runtime: Runtime, sights: Sights, fault: str, event: dict[str, Any]) -> Any:
    function.cloud.standin.clear_faults()
    function.cloud.standin.fail("RefreshToken", times=None, **FAULTS[fault])
    answer = runtime.invoke(event)
    look(sights, f"answer to {event}, issuer: {fault}"[:80], answer)
    return answer


@pytest.mark.parametrize("log_format", ["JSON", "Text"])
def test_the_real_runtime_leaks_nothing(function: LocalFunction, log_format: str) -> None:
    sights, seen = Sights(), set[str]()
    with function.runtime(**{**LOUD, "AWS_LAMBDA_LOG_FORMAT": log_format}) as runtime:
        for fault in FAULTS:
            for event in EVENTS:
                version = seed(function)
                seen.add(play(function, runtime, sights, fault, event).get("errorType", "none"))
                look(sights, "report", runtime.invoke({"provider": "figma", "failedVersionId": version}))
        for text, _ in SECRETS.values():
            if isinstance(text, str) and text and "\\ud800" not in text:
                function.store(text)
                seen.add(runtime.invoke(TICK)["errorType"])
        for wrong in WRONG_EVENTS:
            look(sights, "refusal", runtime.invoke(wrong))
        look(sights, "no JSON", runtime.invoke_raw(REFRESH.encode()))
        log = runtime.log()
    sights.add("log", log)
    for item in function.dynamodb.scan(TableName=function.name)["Items"]:
        sights.add("lock table", repr(item))
    assert sights.leaks() == []
    assert seen >= {
        *("none", "ReauthorizationRequiredException", "ConfigurationException", "IssuerUnavailableException"),
        *("IssuerProtocolException", "SecretMalformedException", "SecretNotSeededException"),
    }
    for mark in (
        '"_aws"',
        "[DEBUG]",
        "Refreshed the token",
        "The request failed",
        "Traceback" if log_format == "Text" else "stackTrace",
    ):
        assert mark in log, f"{mark} was to be looked at"


def test_without_the_muting_the_real_runtime_would_leak(function: LocalFunction, tmp_path: Path) -> None:
    careless = tmp_path / "asset"
    shutil.copytree(function.asset, careless)
    telemetry = careless / "refresh_token" / "telemetry.py"
    source = telemetry.read_text()
    assert '"botocore": logging.INFO' in source
    telemetry.write_text(source.replace('"botocore": logging.INFO', '"botocore": logging.NOTSET'))
    shutil.rmtree(telemetry.parent / "__pycache__")
    sights = Sights()
    with replace(function, asset=careless, name=f"{function.name}-careless").runtime(**LOUD) as runtime:
        runtime.invoke(TICK)
        play(function, runtime, sights, "none", BARE)
        sights.add("log", runtime.log())
    assert sights.leaks()


def test_a_wrong_environment_is_not_shown_by_the_real_runtime(function: LocalFunction) -> None:
    sights = Sights()
    with function.runtime(**LOUD, ADVISORY_WINDOW_SECONDS=REFRESH, MANDATORY_WINDOW_SECONDS=CLIENT) as runtime:
        answer = runtime.invoke({})
        sights.add("log", runtime.log())
    look(sights, "answer", answer)
    assert answer["errorType"] == "ConfigurationException"
    assert sights.leaks() == []
