"""The canary's smoke test: the code in the template, between a stand-in for Lambda and CodeDeploy and a real function.

The snapshots of `prod` have the rest of the canary. No local AWS has CodeDeploy.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from tests.support.http_server import App, serving
from tests.support.synthesised import Synthesised

pytestmark = pytest.mark.xdist_group("synth")

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:refresh"
NEW, LIVE = f"{ARN}:7", f"{ARN}:live"
HOOK = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}
FRESH = {"outcome": "fresh", "versionId": "V1", "expiresAt": "2027-01-01T00:00:00Z"}


class Aws(App):
    """Answers ticks by the function's name, and keeps what CodeDeploy is told."""

    def __init__(self, answers: dict[str, dict[str, str] | int]) -> None:
        self.answers, self.ticked, self.told = answers, list[str](), list[Any]()

    def respond(self, request: Request) -> Response:
        if "X-Amz-Target" in request.headers:
            self.told.append((request.headers["X-Amz-Target"].partition(".")[2], request.get_json(force=True)))
            return Response("{}")
        function = request.path.split("/")[3]
        assert request.get_json(force=True) == {"source": "aws.scheduler"}
        self.ticked.append(function)
        answer = self.answers[function]
        if isinstance(answer, int):
            return Response("{}", answer)
        failed = {"X-Amz-Function-Error": "Unhandled"} if "errorType" in answer else {}
        return Response(json.dumps(answer), headers=failed)


@pytest.fixture
def smoke_test(synthesised: Callable[[str], Synthesised], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Run the code that the template of `prod` holds, with AWS at this address."""
    functions = [one["Properties"] for one in synthesised("prod").resources("AWS::Lambda::Function")]
    (code,) = [one["Code"]["ZipFile"] for one in functions if "ZipFile" in one["Code"]]

    def run(url: str) -> None:
        settings = {"AWS_ENDPOINT_URL": url, "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        for name, value in {**settings, **keys, "NEW_VERSION": NEW, "LIVE": LIVE}.items():
            monkeypatch.setenv(name, value)
        module: dict[str, Any] = {}
        exec(code, module)  # noqa: S102 - as Lambda does
        module["lambda_handler"](HOOK, None)

    return run


@pytest.mark.parametrize(
    ("new", "live", "ticked", "status"),
    [
        (FRESH, FRESH, [NEW], "Succeeded"),
        ({"errorType": "Runtime.ImportModuleError"}, FRESH, [NEW, LIVE], "Failed"),
        ({"errorType": "ConfigurationException"}, FRESH, [NEW, LIVE], "Failed"),
        ({"errorMessage": "Task timed out", "errorType": "Sandbox.Timedout"}, FRESH, [NEW, LIVE], "Failed"),
        (503, FRESH, [NEW], "Failed"),
        (
            {"errorType": "SecretNotSeededException"},
            {"errorType": "SecretNotSeededException"},
            [NEW, LIVE],
            "Succeeded",
        ),
        ({"errorType": "ReauthorizationRequiredException"}, 503, [NEW, LIVE], "Failed"),
    ],
)
def test_it_fails_what_worked_before(
    new: dict[str, str] | int,
    live: dict[str, str] | int,
    ticked: list[str],
    status: str,
    smoke_test: Callable[[str], None],
) -> None:
    aws = Aws({NEW: new, LIVE: live})
    with serving(aws) as url:
        smoke_test(url)
    assert [function.replace("%3A", ":") for function in aws.ticked] == ticked
    told = {"deploymentId": "d-1", "lifecycleEventHookExecutionId": "e-1", "status": status}
    assert aws.told == [("PutLifecycleEventHookExecutionStatus", told)]


def test_an_emulator_or_the_default_has_no_canary(synthesise: Callable[..., Path]) -> None:
    for stage, canary in (("local", "true"), ("dev", "false"), ("prod", "false")):
        assert "CodeDeploy" not in synthesise(stage, canary=canary).read_text(encoding="utf-8")
