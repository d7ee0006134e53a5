"""The canary's smoke test, between stand-ins for Lambda and CodeDeploy. The snapshots of `prod` have the rest.

tests/system/test_deployed.py runs it against the deployed function.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from werkzeug.wrappers import Request, Response

from local.environment import aws_variables
from tests.support.codedeploy import verdict_of_smoke_test
from tests.support.http_server import App, serving
from tests.support.synthesised import Synthesised
from token_refresher.constructs import smoke_test

pytestmark = pytest.mark.xdist_group("synth")

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:refresh"
NEW, LIVE = f"{ARN}:7", f"{ARN}:live"
FRESH = {"outcome": "fresh", "versionId": "V1", "expiresAt": "2027-01-01T00:00:00Z"}
Answer = dict[str, str] | int


class Lambda(App):
    """Answers ticks by the function's name; a number is a failure of Lambda itself. Throttles are over at once."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers, self.ticked = answers, list[str]()

    def respond(self, request: Request) -> Response:
        assert request.get_json(force=True) == {"source": "aws.scheduler"}
        self.ticked.append(unquote(request.path.split("/")[3]))
        answer = self.answers[self.ticked[-1]]
        if answer == 429:
            self.answers[self.ticked[-1]] = FRESH
        if isinstance(answer, int):
            return Response("{}", answer)
        failed = {"X-Amz-Function-Error": "Unhandled"} if "errorType" in answer else {}
        return Response(json.dumps(answer), headers=failed)


@pytest.mark.parametrize(
    ("new", "live", "ticked", "verdict"),
    [
        (FRESH, FRESH, [NEW], "Succeeded"),
        ({"errorType": "Runtime.ImportModuleError"}, FRESH, [NEW, LIVE], "Failed"),
        ({"errorType": "ConfigurationException"}, FRESH, [NEW, LIVE], "Failed"),
        ({"errorMessage": "Task timed out"} | {"errorType": "Sandbox.Timedout"}, FRESH, [NEW, LIVE], "Failed"),
        (503, FRESH, [NEW], "Failed"),
        (429, FRESH, [NEW, NEW], "Succeeded"),
        ({"errorType": "SecretNotSeededException"}, {"errorType": "Any"}, [NEW, LIVE], "Succeeded"),
        ({"errorType": "ReauthorizationRequiredException"}, 503, [NEW, LIVE], "Failed"),
    ],
)
def test_it_fails_what_worked_before(new: Answer, live: Answer, ticked: list[str], verdict: str) -> None:
    functions = Lambda({NEW: new, LIVE: live})
    with serving(functions) as url:
        assert verdict_of_smoke_test(aws_variables(url), new=NEW, live=LIVE) == verdict
    assert functions.ticked == ticked


def test_a_rollback_goes_on_whatever_it_finds() -> None:
    with serving(Lambda({NEW: {"errorType": "ConfigurationException"}, LIVE: FRESH})) as url:
        verdict = verdict_of_smoke_test(aws_variables(url), new=NEW, live=LIVE, creator="CloudFormationRollback")
    assert verdict == "Succeeded"


def test_without_alarms_codedeploy_forgets_the_last_one(synthesise: Callable[..., Path]) -> None:
    template = json.loads(synthesise("prod", alarms="false").read_text(encoding="utf-8"))
    kinds = {one["Type"]: one.get("Properties", {}) for one in template["Resources"].values()}
    group = kinds["AWS::CodeDeploy::DeploymentGroup"]
    assert group["AlarmConfiguration"] == {"Alarms": [], "Enabled": False}
    assert "AWS::CloudWatch::Alarm" not in kinds


def test_the_template_holds_its_code(synthesised: Callable[[str], Synthesised]) -> None:
    functions = [one["Properties"] for one in synthesised("prod").resources("AWS::Lambda::Function")]
    (code,) = [one["Code"]["ZipFile"] for one in functions if "ZipFile" in one["Code"]]
    assert code == Path(smoke_test.__file__).read_text(encoding="utf-8")
    assert {*re.findall(r"^ *(?:from|import) (\w+)", code, re.MULTILINE)} == {
        "boto3",
        "botocore",
        "json",
        "os",
        "time",
        "typing",
    }


def test_an_emulator_or_the_default_has_no_canary(synthesise: Callable[..., Path]) -> None:
    for stage, canary in (("local", "true"), ("dev", "false"), ("prod", "false")):
        assert "CodeDeploy" not in synthesise(stage, canary=canary).read_text(encoding="utf-8")
