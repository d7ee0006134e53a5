"""No token, no client id in X-Ray, nor in anything else that the real runtime hands to Lambda.

The stack turns Lambda's own tracing on. A segment then holds what Lambda knows of an invocation, and of a failed one
the cause that the runtime posts beside the error: type, message and stack. The function brings no X-Ray SDK and sends
no segment; whatever did come to the daemon's port would be looked at.
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

from tests.function.runtime.test_no_leak import EVENTS, FAULTS, LOUD, seed
from tests.support.canaries import CLIENT, REFRESH, Sights
from tests.support.local_function import LocalFunction
from tests.support.runtime_api import CAUSE, TRACE_ID, Observed, observed
from tests.system.leak.cases import TICK, WRONG_EVENTS

pytestmark = pytest.mark.xdist_group("runtime")


@contextmanager
def running(function: LocalFunction, **more: str) -> Iterator[Observed]:
    environment = {**function.environment, **LOUD, **more}
    with observed(function.asset, environment, function.folder / f"{uuid.uuid4()}.log") as observed_function:
        yield observed_function


def sights_of(observed_function: Observed) -> Sights:
    """Look at all that a observed_function has handed over, but for the access tokens that were asked for."""
    sights = Sights()
    sights.add("log", observed_function.log())
    for post in observed_function.posts:
        body = json.loads(post.body)
        sights.add("body", json.dumps({**body, "accessToken": None} if isinstance(body, dict) else body))
        for name, value in post.headers.items():
            sights.add(f"header {name}", f"{name}: {value}")
    for segment in observed_function.segments:
        sights.add("segment", segment.decode(errors="replace"))
    return sights


def causes(observed_function: Observed) -> list[str]:
    return [post.headers[CAUSE] for post in observed_function.posts if CAUSE in post.headers]


def play(function: LocalFunction, observed_function: Observed, fault: str, event: dict[str, Any]) -> None:
    function.cloud.standin.clear_faults()
    function.cloud.standin.fail("RefreshToken", times=None, **FAULTS[fault])
    observed_function.invoke(event)


def test_no_trace_of_any_flow_or_fault_holds_a_token(function: LocalFunction) -> None:
    with running(function) as observed_function:
        for fault in FAULTS:
            for event in EVENTS:
                version = seed(function)
                play(function, observed_function, fault, event)
                observed_function.invoke({"provider": "figma", "failedVersionId": version})
        function.secrets.delete_secret(SecretId=function.secret_arn)
        observed_function.invoke(TICK)
        for wrong in WRONG_EVENTS:
            observed_function.invoke(wrong)
    assert sights_of(observed_function).leaks() == []
    assert observed_function.segments == [], "the observed_function sends no segment of its own"
    told = " ".join(causes(observed_function))
    for name in ("ReauthorizationRequired", "IssuerUnavailable", "IssuerProtocol", "InvalidParameter", "Configuration"):
        assert f'"type":"{name}Exception"' in told.replace(": ", ":"), f"{name} was to be looked at"
    assert all(json.loads(cause)["exceptions"][0]["stack"] for cause in causes(observed_function))


def test_a_function_that_cannot_start_leaves_no_trace_with_a_token(function: LocalFunction) -> None:
    with running(function, ADVISORY_WINDOW_SECONDS=REFRESH, MANDATORY_WINDOW_SECONDS=CLIENT) as observed_function:
        assert observed_function.invoke({})["errorType"] == "ConfigurationException"
    assert causes(observed_function)
    assert sights_of(observed_function).leaks() == []


SEND = """
def _send(text):
    import os, socket
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
    segment = '{"format": "json", "version": 1}\\n{"trace_id": "%s", "metadata": "%s"}' % (os.environ["_X_AMZN_TRACE_ID"], text)
    socket.socket(type=socket.SOCK_DGRAM).sendto(segment.encode(), (host, int(port)))
"""  # noqa: E501 - as it would stand in a module

CARELESS: dict[str, tuple[str, str, str, str]] = {
    "a segment with the answer in it, as the X-Ray SDK makes them": (
        "answers.py",
        '    if isinstance(result, BareToken):\n        return {"accessToken"',
        '    if isinstance(result, BareToken):\n        _send(result.access_token)\n        return {"accessToken"',
        "segment",
    ),
    "an error that quotes the request": (
        "issuers/ui_builder.py",
        "raise _meaning(answer)",
        "raise type(_meaning(answer))(refresh_token)",
        f"header {CAUSE}",
    ),
}


@pytest.mark.parametrize("name", CARELESS)
def test_a_trace_with_a_token_would_be_noticed(function: LocalFunction, tmp_path: Path, name: str) -> None:
    file, careful, careless, where = CARELESS[name]
    asset = tmp_path / "asset"
    shutil.copytree(function.asset, asset)
    module = asset / "refresh_token" / file
    source = module.read_text()
    assert source.count(careful) == 1
    module.write_text(source.replace(careful, careless) + SEND)
    shutil.rmtree(module.parent / "__pycache__")
    careless_bench = replace(function, asset=asset, name=f"{function.name}-careless")
    with running(careless_bench) as observed_function:
        for fault in ("none", "refused"):
            for event in EVENTS:
                seed(careless_bench)
                play(careless_bench, observed_function, fault, event)
    found = sights_of(observed_function).leaks()
    assert any(leak.startswith(f"{where}: ") for leak in found)
    assert all(TRACE_ID in segment.decode() for segment in observed_function.segments)
