"""A stand-in for CodeDeploy, which no local AWS has, and the hook that it calls."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from tests.support.http_server import App, serving
from token_refresher.constructs.smoke_test import lambda_handler

HOOK = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}


class CodeDeploy(App):
    """Says who made the deployment, and keeps what hooks tell it."""

    def __init__(self, creator: str) -> None:
        self.creator, self.told = creator, list[tuple[str, Any]]()

    def respond(self, request: Request) -> Response:
        operation = request.headers["X-Amz-Target"].partition(".")[2]
        if operation == "GetDeployment":
            return Response(json.dumps({"deploymentInfo": {"creator": self.creator}}))
        self.told.append((operation, request.get_json(force=True)))
        return Response("{}")


def verdict_of_smoke_test(
    environment: Mapping[str, str], *, new: str, live: str, creator: str = "CloudFormation"
) -> str:
    """Return what the smoke test tells CodeDeploy about a version, with Lambda where the environment says."""
    codedeploy = CodeDeploy(creator)
    with serving(codedeploy) as url, pytest.MonkeyPatch.context() as patch:
        names = {"NEW_VERSION": new, "LIVE": live, "AWS_ENDPOINT_URL_CODEDEPLOY": url}
        for name, value in {**environment, **names}.items():
            patch.setenv(name, value)
        lambda_handler(HOOK, None)
    ((operation, told),) = codedeploy.told
    ids = {"deploymentId": "d-1", "lifecycleEventHookExecutionId": "e-1"}
    assert (operation, told) == ("PutLifecycleEventHookExecutionStatus", {**ids, "status": told["status"]})
    return str(told["status"])
