"""No token and no client id in what the real runtime prints and hands to Lambda, with every switch on that says more.

The wide product of flows and faults is in `test_no_leak.py`; here is a representative set under awslambdaric, which
formats errors itself. What it answers goes into dead-letter messages, and an error's type, message and stack also go
into the X-Ray segment that Lambda writes. The function brings no X-Ray SDK, so it sends no segment of its own:
`tests/infra/test_function_bundle.py`.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.canaries import ACCESS, CLIENT, ECHO, ISSUED, NOTE, REFRESH, ROTATED, Sights
from tests.support.events import FORCE, TICK, Event, bare, report
from tests.support.lambda_emulator import Runtime
from tests.support.local_function import LocalFunction
from tests.support.windows import EXPIRED
from tests.system.leak.cases import BARE, SECRETS, WRONG_EVENTS

pytestmark = pytest.mark.xdist_group("runtime leak")

LOUD = {
    "AWS_LAMBDA_LOG_LEVEL": "DEBUG",  # of the root logger, in the format JSON
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
EVENTS: list[Event] = [TICK, {}, FORCE, BARE, bare(REFRESH, clientId=CLIENT)]


def play(function: LocalFunction, runtime: Runtime, fault: str, event: Event) -> list[Any]:
    """Invoke with an expired token, and report its version; return the answers."""
    standin = function.cloud.standin
    canaries = replace(standin.grant(), access_token=ACCESS, refresh_token=REFRESH)
    version = function.seed(canaries, expires_in=EXPIRED, clientId=CLIENT, note=NOTE)
    standin.clear_faults()
    standin.fail("RefreshToken", times=None, **FAULTS[fault])
    return [runtime.invoke(event), runtime.invoke(report(version))]


def leaks(function: LocalFunction, runtime: Runtime, answers: list[Any]) -> list[str]:
    """Return where canaries show in what came out of a runtime, except for the tokens that consumers wanted."""
    sights = Sights()
    sights.add("log", runtime.log())
    for answer in answers:
        sights.add("answer", json.dumps({**answer, "accessToken": None} if isinstance(answer, dict) else answer))
    for item in function.dynamodb.scan(TableName=function.name)["Items"]:
        sights.add("lock table", repr(item))
    return sights.leaks()


@pytest.mark.parametrize("log_format", ["JSON", "Text"])
def test_the_real_runtime_leaks_nothing(function: LocalFunction, log_format: str) -> None:
    answers: list[Any] = []
    with function.runtime(**LOUD, AWS_LAMBDA_LOG_FORMAT=log_format) as runtime:
        for fault in FAULTS:
            for event in EVENTS:
                answers += play(function, runtime, fault, event)
        for text, _ in SECRETS.values():
            if isinstance(text, str) and text and "\\ud800" not in text:
                function.store(text)
                answers.append(runtime.invoke(TICK))
        answers += [runtime.invoke(wrong) for wrong in WRONG_EVENTS]
        answers.append(runtime.invoke_raw(REFRESH.encode()))
        function.secrets.delete_secret(SecretId=function.secret_arn)
        answers.append(runtime.invoke(TICK))
    assert leaks(function, runtime, answers) == []
    types = {answer["errorType"] for answer in answers if "errorType" in answer}
    for name in (
        *("ReauthorizationRequired", "Configuration", "IssuerUnavailable", "IssuerProtocol", "InvalidParameter"),
        *("SecretMalformed", "SecretNotSeeded"),
    ):
        assert f"{name}Exception" in types, f"{name} was to be checked"
    assert "stackTrace" in answers[-1], "stack traces were to be checked"
    trace = "Traceback" if log_format == "Text" else "stackTrace"
    for mark in ('"_aws"', "[DEBUG]", "Refreshed the token", "The request failed", trace):
        assert mark in runtime.log(), f"{mark} was to be checked"


def test_a_function_that_cannot_start(function: LocalFunction) -> None:
    with function.runtime(**LOUD, ADVISORY_WINDOW_SECONDS=REFRESH, MANDATORY_WINDOW_SECONDS=CLIENT) as runtime:
        answer = runtime.invoke({})
    assert answer["errorType"] == "ConfigurationException"
    assert leaks(function, runtime, [answer]) == []
