"""The control path, `/_standin/...`: what tests and demos ask of the stand-in itself. JSON in, JSON out.

Unlike everything else here it shows tokens as they are, so the server listens on the loopback address only.
"""

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response

from local.standin.faults import Fault

if TYPE_CHECKING:
    from local.standin.app import StandinApp

PREFIX = "/_standin"

RESOURCES = {
    "state": ("GET", "DELETE"),
    "calls": ("GET", "DELETE"),
    "faults": ("POST", "DELETE"),
    "grants": ("POST",),
    "kill": ("POST",),
    "revoke": ("POST",),
    "settings": ("POST",),
}


def serve(app: "StandinApp", resource: str, request: Request) -> Response:
    """Answer one control request; a member that is unknown or missing is answered with 400."""
    try:
        members = json.loads(request.get_data() or b"{}")
        answer = _ACTIONS[f"{request.method} {resource}"](app, **members)
    except (TypeError, ValueError) as error:
        return _json({"message": str(error)}, 400)
    return _json(answer)


def _state(app: "StandinApp") -> dict[str, Any]:
    return {
        "pid": app.pid,
        "expires_in": app.grants.expires_in,
        "rotate": app.grants.rotate,
        "clock_offset": app.clock_offset,
        "grants": [dataclasses.asdict(grant) for grant in app.grants.all()],
        "faults": [dataclasses.asdict(fault) for fault in app.faults.pending()],
    }


def _reset(app: "StandinApp") -> dict[str, Any]:
    app.grants.clear()
    app.faults.clear()
    app.calls.clear()
    app.clock_offset = 0.0
    return _state(app)


def _settings(
    app: "StandinApp", *, expires_in: int | None = None, rotate: bool | None = None, advance: float = 0
) -> dict[str, Any]:
    if expires_in is not None:
        app.grants.expires_in = expires_in
    if rotate is not None:
        app.grants.rotate = rotate
    app.clock_offset += advance
    return _state(app)


def _add_fault(app: "StandinApp", **members: Any) -> None:  # noqa: ANN401 - checked by Fault's own signature
    fault = Fault(**members)
    if fault.operation not in app.operations:
        raise ValueError(f"There is no operation {fault.operation!r}, only {', '.join(app.operations)}")
    app.faults.add(dataclasses.replace(fault, omit=tuple(fault.omit)))


_ACTIONS: dict[str, Any] = {
    "GET state": _state,
    "DELETE state": _reset,
    "GET calls": lambda app: [dataclasses.asdict(call) for call in app.calls.all()],
    "DELETE calls": lambda app: app.calls.clear(),
    "POST faults": _add_fault,
    "DELETE faults": lambda app: app.faults.clear(),
    "POST grants": lambda app, **members: dataclasses.asdict(app.grants.issue(**members)),
    "POST kill": lambda app, **members: app.grants.kill(**members),
    "POST revoke": lambda app, **members: app.grants.revoke(**members),
    "POST settings": _settings,
}


def _json(answer: object, status: int = 200) -> Response:
    return Response(json.dumps(answer), status, content_type="application/json")
