"""The tables of errors, metrics and events in the docs, from the code that raises, sends and takes them."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import token_client.errors as of_the_client
from infra.docstrings import about_members, paragraphs
from infra.markdown import table
from refresh_token import errors, signals
from refresh_token.events import Request, parse_event
from refresh_token.fleet import signals as fleet_signals
from refresh_token.fleet.gate import refusal
from refresh_token.fleet.questions import parse_question
from refresh_token.fleet.record import Record
from refresh_token.fleet.state_change import REASONS, Reason, StateChange
from refresh_token.fleet.states import State

_NOW: Final = datetime(2026, 11, 26, 12, tzinfo=UTC)
_BODY: Final = {"token": "…", "clientId": "…"}
_EVENTS: Final[tuple[dict[str, object], ...]] = (
    {},
    {"failedVersionId": "…"},
    {"force": True},
    {"provider": "figma", "refreshTokenBody": _BODY},
    {"source": "aws.scheduler"},
)
_QUESTIONS: Final[tuple[dict[str, object], ...]] = tuple({"connection": "acme/u1", **event} for event in _EVENTS[:3])


def function_errors() -> str:
    """Return the table of the function's errors, with what the client makes of each."""
    return table(
        ("`errorType`", "what happened", "what to do", "pause"),
        (
            (f"[`{error.__name__}`](runbook.md#{error.__name__.lower()})", *_said(error, _client(error)))
            for error in errors.ALL
        ),
    )


def client_errors() -> str:
    """Return the table of the errors that only the client raises, with a row for the base class of each group."""
    kinds = [
        kind
        for kind in vars(of_the_client).values()
        if isinstance(kind, type) and not kind.__subclasses__() and kind.__name__ not in of_the_client.CONTRACT
    ]
    rows, base = [], None
    for kind in kinds:
        if kind.__mro__[1] is not base:
            base = kind.__mro__[1]
            rows.append((f"**`{base.__name__}`s:**", "", "", ""))
        rows.append((f"`{kind.__name__}`", *_said(kind, kind)))
    return table(("class", "what happened", "what to do", "pause"), rows)


def metrics() -> str:
    """Return the table of the metrics of the stack of one secret."""
    return _metrics(about_members(signals.Metric), signals.ALSO_BY)


def fleet_metrics() -> str:
    """Return the table of a fleet's metrics, and the names of those that tell the same as above."""
    known, about = about_members(signals.Metric), about_members(fleet_signals.FleetMetric)
    alike = ", ".join(f"`{name}`" for name, text in about.items() if not text and known[name])
    own = _metrics({name: text for name, text in about.items() if text}, fleet_signals.ALSO_BY)
    return f"{own}\n\nAs above, but of all connections: {alike}."


def events() -> str:
    """Return the table of the events that the function takes."""
    return _requests((event, parse_event(event)) for event in _EVENTS)


def questions() -> str:
    """Return the table of the events that the function of a fleet takes."""
    return _requests((event, parse_question(event).request) for event in _QUESTIONS)


def state_change() -> str:
    """Return an event that tells of a change, as it is sent."""
    change = StateChange(
        connection="acme/u1",
        provider="xero",
        before=State.ACTIVE,
        after=State.REFUSED,
        reason=REASONS[State.REFUSED],
        at=_NOW,
        expires_at=_NOW + timedelta(minutes=10),
        refresh_expires_at=_NOW + timedelta(days=60),
    )
    return f"```json\n{json.dumps(change.to_detail('RefreshToken-prod-connections'), indent=2)}\n```"


def reasons() -> str:
    """Return the table of the reasons of a change, with the state that each leads to."""
    leads_to = {reason: state for state, reason in REASONS.items()} | {Reason.CONNECTED: State.ACTIVE}
    return table(
        ("`reason`", "`to`", "means"),
        (
            (f"`{reason}`", f"`{leads_to[reason]}`" if reason in leads_to else "as before", about)
            for reason, about in about_members(Reason).items()
        ),
    )


def states() -> str:
    """Return the table of the states of a connection, with what a consumer and a force get."""
    return table(
        ("state", "means", "a consumer gets", '`{"force": true}`'),
        (
            (f"`{state}`", about, _refused(State(state), force=False), _refused(State(state), force=True))
            for state, about in about_members(State).items()
        ),
    )


def _refused(state: State, *, force: bool) -> str:
    error = refusal(Record(name="acme/u1", provider="figma", state=state), force=force)
    return f"`{error.reason}`" if error else "a refresh" if force else "the token"


def _client(error: type[errors.RefreshTokenError]) -> type[of_the_client.TokenClientError]:
    return of_the_client.CONTRACT[error.__name__]


def _said(kind: type, raised: type[of_the_client.TokenClientError]) -> tuple[str, str, str]:
    said = paragraphs(kind)
    return (
        said[""].removesuffix("."),
        said["What to do"].removesuffix("."),
        f"{raised.pause:g} s" + (", transient" if raised.transient else ""),
    )


def _metrics(about: Mapping[str, str], also_by: Mapping[str, str]) -> str:
    rows = []
    for name, text in about.items():
        unit = "0 or 1" if text.startswith("1 if") else signals.unit_of(name).lower()
        rows.append((f"`{name}`", unit, f"`{also_by[name]}`" if name in also_by else "", text))
    return table(("metric", "unit", "also by", "what it tells"), rows)


def _requests(events: Iterable[tuple[dict[str, object], Request]]) -> str:
    return table(
        ("event", "means", "answer"),
        (
            (f"`{json.dumps(event, ensure_ascii=False)}`", said[""].removesuffix("."), said["Answer"].removesuffix("."))
            for event, said in ((event, paragraphs(type(request))) for event, request in events)
        ),
    )
