"""Endpoints for tokenctl: a stand-in that records its requests, Lambda's Invoke, and CloudFormation's answer."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError
from werkzeug import Request, Response

from local.standin.app import StandinApp
from tests.support.http_server import App

NO_STACK = "<ErrorResponse><Error><Code>ValidationError</Code><Message>no such stack</Message></Error></ErrorResponse>"


def described_stack(
    status: str,
    outputs: Mapping[str, str] | None = None,
    *,
    template: str = "{}",
    resources: Mapping[str, str] | None = None,
) -> str:
    """Return CloudFormation's answer to DescribeStacks, GetTemplate and ListStackResources.

    `resources` are the physical ids, by logical id.
    """
    listed = "".join(
        f"<member><LogicalResourceId>{name}</LogicalResourceId><PhysicalResourceId>{physical}</PhysicalResourceId></member>"
        for name, physical in (resources or {}).items()
    )
    members = "".join(
        f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
        for key, value in (outputs or {}).items()
    )
    return (
        '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>'
        "<Stacks><member><StackId>arn:aws:cloudformation:r:0:stack/x/1</StackId><StackName>x</StackName><CreationTime>2030-01-01T00:00:00Z</CreationTime>"
        f"<StackStatus>{status}</StackStatus><Outputs>{members}</Outputs></member></Stacks>"
        "</DescribeStacksResult><ListStackResourcesResult>"
        f"<StackResourceSummaries>{listed}</StackResourceSummaries></ListStackResourcesResult>"
        f"<GetTemplateResult><TemplateBody>{template}</TemplateBody></GetTemplateResult></DescribeStacksResponse>"
    )


class Wire(App):
    """The stand-in; records the path and body of each request of the two operations."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []
        self._app = StandinApp()

    def respond(self, request: Request) -> Response:
        body = request.get_data()
        if request.path.startswith("/tokens/"):
            self.requests.append((unquote(request.path), json.loads(body)))
        return Response.from_app(self._app, {**request.environ, "wsgi.input": io.BytesIO(body)})

    def take(self) -> list[tuple[str, Any]]:
        taken, self.requests = self.requests, []
        return taken


@dataclass
class Function(App):
    """Lambda's Invoke. Performs RefreshToken at the stand-in, unless `answer` is set."""

    ui_builder: Any
    url: str = ""
    payloads: list[dict[str, Any]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    answer: bytes | None = None
    error: bool = False
    status: int = 200

    def will_answer(self, answer: object, *, error: bool = False, status: int = 200) -> None:
        self.answer, self.error, self.status = json.dumps(answer).encode(), error, status

    def respond(self, request: Request) -> Response:
        event = json.loads(request.get_data())
        self.payloads.append(event)
        self.names.append(unquote(request.path.split("/")[3]))
        failed, payload = (self.error, self.answer) if self.answer is not None else self._perform(event)
        headers = {"X-Amz-Function-Error": "Unhandled"} if failed else {}
        return Response(payload, self.status, headers, content_type="application/json")

    def _perform(self, event: dict[str, Any]) -> tuple[bool, bytes]:
        try:
            answer = self.ui_builder.refresh_token(**event)
        except ClientError as error:
            fault = error.response["Error"]
            return True, json.dumps({"errorType": fault["Code"], "errorMessage": fault["Message"]}).encode()
        return False, json.dumps({name: answer[name] for name in ("accessToken", "expiresIn")}).encode()
