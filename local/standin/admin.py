"""The control path `/_standin/...`, with which tests and demos control the stand-in. It takes and returns JSON.

The control path shows tokens in full, so the server listens on the loopback address only.
"""

import dataclasses
import json
from typing import Any

from werkzeug import Request, Response

from local.standin.counts import counts
from local.standin.faults import Fault
from local.standin.state import State

PREFIX = "/_standin"

RESOURCES = {
    "state": ("GET", "DELETE"),
    "calls": ("GET", "DELETE"),
    "counts": ("GET",),
    "faults": ("POST", "DELETE"),
    "grants": ("POST",),
    "kill": ("POST",),
    "revoke": ("POST",),
    "settings": ("POST",),
}


def serve(state: State, resource: str, request: Request) -> Response:
    """Answer one control request. The answer to an unknown or a missing member is 400."""
    try:
        members = json.loads(request.get_data() or b"{}")
        answer = _ACTIONS[f"{request.method} {resource}"](state, **members)
    except (TypeError, ValueError) as error:
        return _json({"message": str(error)}, 400)
    return _json(answer)


def _shown(state: State) -> dict[str, Any]:
    return {
        "pid": state.pid,
        "expires_in": state.grants.expires_in,
        "rotate": state.grants.rotate,
        "rate_limit": state.rate_limit.per_second,
        "clock_offset": state.clock_offset,
        "grants": [dataclasses.asdict(grant) for grant in state.grants.all()],
        "faults": [dataclasses.asdict(fault) for fault in state.faults.pending()],
    }


def _reset(state: State) -> dict[str, Any]:
    state.grants.clear()
    state.faults.clear()
    state.calls.clear()
    state.rate_limit.set(0)
    state.clock_offset = 0.0
    return _shown(state)


def _settings(
    state: State,
    *,
    expires_in: int | None = None,
    rotate: bool | None = None,
    rate_limit: float | None = None,
    advance: float = 0,
) -> dict[str, Any]:
    if rate_limit is not None:
        state.rate_limit.set(rate_limit)
    if expires_in is not None:
        state.grants.expires_in = expires_in
    if rotate is not None:
        state.grants.rotate = rotate
    state.clock_offset += advance
    return _shown(state)


def _add_fault(state: State, **members: Any) -> None:  # noqa: ANN401 - Fault's signature checks them
    fault = Fault(**members)
    if fault.operation not in state.operations:
        raise ValueError(f"There is no operation {fault.operation!r}, only {', '.join(sorted(state.operations))}")
    state.faults.add(dataclasses.replace(fault, omit=tuple(fault.omit)))


def _issue(state: State, *, users: list[str], **members: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - as above
    return [dataclasses.asdict(state.grants.issue(user=user, **members)) for user in users]


_ACTIONS: dict[str, Any] = {
    "GET state": _shown,
    "DELETE state": _reset,
    "GET calls": lambda state: [dataclasses.asdict(call) for call in state.calls.all()],
    "DELETE calls": lambda state: state.calls.clear(),
    "POST faults": _add_fault,
    "DELETE faults": lambda state: state.faults.clear(),
    "GET counts": lambda state: {user: dataclasses.asdict(count) for user, count in counts(state).items()},
    "POST grants": _issue,
    "POST kill": lambda state, **members: state.grants.kill(**members),
    "POST revoke": lambda state, **members: state.grants.revoke(**members),
    "POST settings": _settings,
}


def _json(answer: object, status: int = 200) -> Response:
    return Response(json.dumps(answer), status, content_type="application/json")
