"""The stand-in as one WSGI application: routes, the record of calls, and faults around every operation."""

import json
import socket
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from local.standin import admin, consent, figma, oauth2, ui_builder
from local.standin.calls import Call, credential_of, digest
from local.standin.faults import Fault
from local.standin.state import State

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Operation = Callable[..., Response]

_OPERATIONS: dict[str, Operation] = {
    "RefreshToken": ui_builder.refresh_token,
    "ExchangeCodeForToken": ui_builder.exchange_code_for_token,
    "FigmaConsent": consent.consent,
    "FigmaToken": figma.token,
    "FigmaRefresh": figma.refresh,
    "FigmaMe": figma.me,
    "OAuth2Token": oauth2.token,
}

_ROUTES = Map(
    [
        Rule("/tokens/<path:provider>/refresh", endpoint="RefreshToken", methods=["POST"]),
        Rule("/tokens/<path:provider>", endpoint="ExchangeCodeForToken", methods=["POST"]),
        Rule("/oauth", endpoint="FigmaConsent", methods=["GET", "POST"]),
        Rule("/v1/oauth/token", endpoint="FigmaToken", methods=["POST"]),
        Rule("/v1/oauth/refresh", endpoint="FigmaRefresh", methods=["POST"]),
        Rule("/v1/me", endpoint="FigmaMe", methods=["GET"]),
        Rule("/oauth2/token", endpoint="OAuth2Token", methods=["POST"]),
        *(
            Rule(f"{admin.PREFIX}/{name}", endpoint=f"{admin.PREFIX}/{name}", methods=list(methods))
            for name, methods in admin.RESOURCES.items()
        ),
    ],
    merge_slashes=False,
)


class StandinApp:
    """One stand-in."""

    def __init__(self) -> None:
        self.state = State(frozenset(_OPERATIONS))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request. Read its complete body first, so that no answer overtakes it."""
        request = Request(environ)
        request.get_data()
        try:
            endpoint, arguments = _ROUTES.bind_to_environ(environ).match()
        except HTTPException as error:
            return figma.figma_error(error.code or 500, error.name)(environ, start_response)
        if endpoint.startswith(admin.PREFIX):
            response = admin.serve(self.state, endpoint.removeprefix(f"{admin.PREFIX}/"), request)
        else:
            response = self._perform(endpoint, request, arguments)
        return response(environ, start_response)

    def _perform(self, operation: str, request: Request, arguments: Mapping[str, str]) -> Response:
        state = self.state
        sent = credential_of(request)
        call = Call(
            operation=operation,
            at=time.time(),
            request_id=str(uuid.uuid4()),
            credential=digest(sent) if sent else None,
            user=state.grants.owner(sent) if sent else None,
            port=request.environ.get("REMOTE_PORT"),
        )
        state.calls.begin(call)
        fault = (
            state.faults.take(operation, call.user) or state.rate_limit.take(operation) or Fault(operation=operation)
        )
        answer = _OPERATIONS[operation](state.grants, request, **arguments) if fault.after else None
        state.stopping.wait(fault.delay)
        if fault.drop or state.stopping.is_set():
            # Werkzeug takes this error for a lost caller. On an open socket it would wait for the next request.
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError
        if fault.replaces_answer:
            response = _replacement(fault)
        else:
            response = _changed(answer or _OPERATIONS[operation](state.grants, request, **arguments), fault)
        response.headers["x-amzn-requestid"] = call.request_id
        state.calls.finish(call.request_id, response.status_code)
        return response


def _replacement(fault: Fault) -> Response:
    status = fault.status or 200
    if fault.body is not None:
        response = Response(fault.body, status, content_type=fault.content_type)
    elif fault.operation in ui_builder.OPERATIONS:
        response = ui_builder.aws_error(status, fault.code or "InternalServerException", fault.message)
    else:
        response = figma.figma_error(status, fault.message)
    response.headers.extend(dict(fault.headers))
    return response


def _changed(response: Response, fault: Fault) -> Response:
    if (fault.answer or fault.omit) and response.is_json and response.status_code == 200:  # noqa: PLR2004 - HTTP
        members = json.loads(response.get_data()) | dict(fault.answer)
        response.set_data(json.dumps({name: value for name, value in members.items() if name not in fault.omit}))
    return response
