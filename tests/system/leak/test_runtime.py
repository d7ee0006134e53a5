"""No token and no client id in what the real runtime prints and hands to Lambda, with every switch on that says more.

The wide product of flows and faults is in `test_no_leak.py`; here is a representative set under awslambdaric, which
formats errors itself. What it answers goes into dead-letter messages; what it posts beside an error goes into the
X-Ray segment that Lambda writes, since the stack turns tracing on. The function has no X-Ray SDK and sends no segment.
"""

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.canaries import ACCESS, CLIENT, ECHO, ISSUED, NOTE, REFRESH, ROTATED, Sights
from tests.support.events import FORCE, TICK, Event, bare, report
from tests.support.local_function import LocalFunction
from tests.support.runtime_api import CAUSE, TRACE_ID, Observed, observed
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


@contextmanager
def running(function: LocalFunction, log_format: str = "JSON", **more: str) -> Iterator[Observed]:
    environment = {**function.environment, **LOUD, "AWS_LAMBDA_LOG_FORMAT": log_format, **more}
    with observed(function.asset, environment, function.folder / f"{uuid.uuid4()}.log") as runtime:
        yield runtime


def play(function: LocalFunction, runtime: Observed, fault: str, event: Event) -> str:
    """Invoke with an expired token; return the version that was stored before."""
    standin = function.cloud.standin
    canaries = replace(standin.grant(), access_token=ACCESS, refresh_token=REFRESH)
    version = function.seed(canaries, expires_in=EXPIRED, clientId=CLIENT, note=NOTE)
    standin.clear_faults()
    standin.fail("RefreshToken", times=None, **FAULTS[fault])
    runtime.invoke(event)
    return version


def sights_of(function: LocalFunction, runtime: Observed) -> Sights:
    """Return all that came out of a runtime, except for the access tokens that consumers wanted."""
    sights = Sights()
    sights.add("log", runtime.log())
    for post in runtime.posts:
        body = json.loads(post.body)
        sights.add("body", json.dumps({**body, "accessToken": None} if isinstance(body, dict) else body))
        for name, value in post.headers.items():
            sights.add(f"header {name}", f"{name}: {value}")
    for segment in runtime.segments:
        sights.add("segment", segment.decode(errors="replace"))
    for item in function.dynamodb.scan(TableName=function.name)["Items"]:
        sights.add("lock table", repr(item))
    return sights


def causes(runtime: Observed) -> list[str]:
    return [post.headers[CAUSE] for post in runtime.posts if CAUSE in post.headers]


@pytest.mark.parametrize("log_format", ["JSON", "Text"])
def test_the_real_runtime_leaks_nothing(function: LocalFunction, log_format: str) -> None:
    with running(function, log_format) as runtime:
        for fault in FAULTS:
            for event in EVENTS:
                runtime.invoke(report(play(function, runtime, fault, event)))
        for text, _ in SECRETS.values():
            if isinstance(text, str) and text and "\\ud800" not in text:
                function.store(text)
                runtime.invoke(TICK)
        for wrong in WRONG_EVENTS:
            runtime.invoke(wrong)
        runtime.invoke_raw(REFRESH.encode())
        function.secrets.delete_secret(SecretId=function.secret_arn)
        runtime.invoke(TICK)
    sights = sights_of(function, runtime)
    assert sights.leaks() == []
    assert runtime.segments == [], "the function sends no segment of its own"
    named = " ".join(causes(runtime)).replace(": ", ":")
    for name in (
        *("ReauthorizationRequired", "Configuration", "IssuerUnavailable", "IssuerProtocol", "InvalidParameter"),
        *("SecretMalformed", "SecretNotSeeded"),
    ):
        assert f'"type":"{name}Exception"' in named, f"{name} was to be checked"
    without_stack = [cause for cause in causes(runtime) if not json.loads(cause)["exceptions"][0]["stack"]]
    assert len(without_stack) == 1, "only the event that is no JSON fails before our code runs"
    trace = "Traceback" if log_format == "Text" else "stackTrace"
    for mark in ('"_aws"', "[DEBUG]", "Refreshed the token", "The request failed", trace):
        assert mark in runtime.log(), f"{mark} was to be checked"


def test_a_function_that_cannot_start(function: LocalFunction) -> None:
    with running(function, ADVISORY_WINDOW_SECONDS=REFRESH, MANDATORY_WINDOW_SECONDS=CLIENT) as runtime:
        assert runtime.invoke({})["errorType"] == "ConfigurationException"
    assert causes(runtime)
    assert sights_of(function, runtime).leaks() == []


SEND = """
def _send(text):
    import os, socket
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
    segment = '{"trace_id": "%s", "metadata": "%s"}' % (os.environ["_X_AMZN_TRACE_ID"], text)
    socket.socket(type=socket.SOCK_DGRAM).sendto(segment.encode(), (host, int(port)))
"""


def test_a_segment_with_the_answer_is_noticed(function: LocalFunction, tmp_path: Path) -> None:
    """As the X-Ray SDK makes them."""
    asset = tmp_path / "asset"
    shutil.copytree(function.asset, asset)
    module = asset / "refresh_token" / "answers.py"
    source, bare_answer = module.read_text(), "    if isinstance(result, BareToken):\n"
    assert source.count(bare_answer) == 1
    module.write_text(source.replace(bare_answer, f"{bare_answer}        _send(result.access_token)\n") + SEND)
    shutil.rmtree(module.parent / "__pycache__", ignore_errors=True)
    with running(replace(function, asset=asset, name=f"{function.name}-careless")) as runtime:
        play(function, runtime, "none", BARE)
    assert [leak for leak in sights_of(function, runtime).leaks() if leak.startswith("segment: ")]
    assert all(TRACE_ID in segment.decode() for segment in runtime.segments)
