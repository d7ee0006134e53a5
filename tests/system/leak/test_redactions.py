"""What our objects show of themselves; and that the leak tests can fail: a canary is found wherever it gets out."""

import base64
import dataclasses
import importlib
import json
import logging
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import refresh_token
from refresh_token.adapters.idempotency_lock import IdempotencyLock, dynamodb_client
from refresh_token.errors import ReauthorizationRequiredException
from tests.support.canaries import ACCESS, CLIENT, CORE, NOTE, REFRESH, leaks, texts_of
from tests.support.events import TICK
from tests.support.lock_table import TABLE
from tests.system.leak.cases import ISSUER_FAULTS
from tests.system.leak.stage import Played, Setting, Stage

# --- the detector ---------------------------------------------------------------------------------------------------

SPELT: dict[str, str] = {
    "plain": f"token={REFRESH}",
    "as a header name, in small letters": REFRESH.lower(),
    "in JSON in JSON": json.dumps(json.dumps({"token": REFRESH})),
    "as bytes": repr(REFRESH.encode()),
    "in hex": REFRESH.encode().hex(),
    **{
        f"in base64, {offset} to the right": base64.b64encode(b"x" * offset + CORE.encode() + b"yz").decode()
        for offset in range(3)
    },
}


@pytest.mark.parametrize("text", SPELT.values(), ids=SPELT)
def test_a_canary_is_found_in_any_spelling(text: str) -> None:
    assert leaks(f"before {text} after")


def test_nothing_is_found_where_there_is_none() -> None:
    assert leaks("Refreshed the token 1e718130-cf44-46cc-9ad4-7d4e5e18d70c canary") == []


# --- repr of our objects --------------------------------------------------------------------------------------------


NO_VALUES = (
    "refresh_token.handler",
    *(f"refresh_token.oauth.{name}" for name in ("rules", "setting", "profile", "profile_rules")),
    *(f"refresh_token.oauth.profile_{name}" for name in ("addresses", "answers", "requests")),
)
"""Importing the first is a cold start. The others declare settings, and hold what the code or a profile says."""


def fields_of_the_function() -> Iterator[tuple[type, Any]]:
    for module in pkgutil.walk_packages(refresh_token.__path__, "refresh_token."):
        if module.name in NO_VALUES:
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and value.__module__ == module.name and dataclasses.is_dataclass(value):
                yield from ((value, field) for field in dataclasses.fields(value))


FIELDS = list(fields_of_the_function())
HIDDEN = [(kind, field.name) for kind, field in FIELDS if not field.repr]

SHOWN_TEXTS = {
    *("AmplifySettings.endpoint_url", "Connection.name", "Connection.policy", "Failure.reason", "Fault.code"),
    "FigmaSettings.base_url",
    *("HeldClaim.version_id", "Settings.policy"),
    *("NoReply.what", "OAuth2Settings.scope", "OAuth2Settings.token_url"),
    *("BoundProfile.more_scopes", "Occasion.random", "ProfileSettings.scope", "TokenRequest.format"),
    *("TokenRequest.method", "RefusalRules.phrases", "Settings.grant", "Settings.provider"),
    *("TokenPair.provider", "TokenPair.scope", "IssuedToken.scope"),
    *("Proxy.host", "Proxy.scheme", "Settings.lock_table", "Settings.secret_arn", "StoredPair.version_id"),
    *("Ask.providers", "Dispatcher.policy", "Dispatcher.providers", "Holding.claim_id", "Keeping.policy"),
    *(f"FleetSettings.{name}" for name in ("event_bus", "key_arn", "policy", "providers", "queue_url", "table")),
    *("Provider.grant", "Provider.name", "Question.connection", "Successor.version"),
    *(f"Record.{name}" for name in ("claim_id", "name", "policy", "provider", "told", "version")),
    *("StateChange.connection", "StateChange.provider", "StateChange.reason"),
    *("IssuedToken.odd", "RefreshTokenOnly.odd", "RefusalRules.codes", "RefusalRules.app_hint", "Tick.event_id"),
}
"""The texts that a repr may show, because they hold no secret. Hide a new one, or add it here on purpose."""


def test_a_repr_shows_only_harmless_texts() -> None:
    def may_hold_text(field: Any) -> bool:
        declared = field.type.__origin__ if hasattr(field.type, "__metadata__") else field.type
        kind = declared.__name__ if isinstance(declared, type) else str(declared)
        plain = kind.replace("refresh_token.", "").replace("collections.abc.", "").partition("Callable")[0]
        return any(word in plain for word in ("str", "bytes", "object", "Any"))

    shown = {f"{kind.__name__}.{field.name}" for kind, field in FIELDS if field.repr and may_hold_text(field)}
    assert shown == SHOWN_TEXTS


@pytest.mark.parametrize(("kind", "name"), HIDDEN, ids=[f"{kind.__name__}.{name}" for kind, name in HIDDEN])
def test_a_hidden_field_is_not_shown(kind: Any, name: str) -> None:
    fields = dataclasses.fields(kind)
    careless = dataclasses.make_dataclass(kind.__name__, [(field.name, object) for field in fields])
    values = {field.name: REFRESH if field.name == name else None for field in fields}
    assert any(leaks(text) for text in texts_of(careless(**values)))
    assert not any(leaks(text) for text in texts_of(kind(**values)))


# --- careless handlers ----------------------------------------------------------------------------------------------


def where(played: Played) -> set[str]:
    return {leak.partition(":")[0].partition(" ")[0] for leak in played.leaks}


def answered(fault: str) -> Setting:
    return Setting(replies=(ISSUER_FAULTS[fault][0],))


def with_a_cause(*_: object) -> None:
    raise ReauthorizationRequiredException("Refused.") from ValueError(REFRESH)


def with_a_suppressed_context(*_: object) -> None:
    try:
        json.loads(REFRESH)  # the error has the text
    except ValueError:
        raise ReauthorizationRequiredException("Refused.") from None


def with_a_note_in_the_table(*_: object) -> None:
    IdempotencyLock(TABLE, os.environ["SECRET_ARN"], dynamodb_client())._save("v1", {"note": NOTE}, 120)


CARELESS: list[tuple[str, Callable[..., object]]] = [
    ("error", with_a_cause),
    ("error", with_a_suppressed_context),
    ("output", lambda *_: sys.stdout.write(REFRESH)),
    ("output", lambda *_: logging.getLogger("any").debug(CLIENT)),
    ("answer", lambda *_: {"outcome": "fresh", "token": ACCESS}),
    ("lock", with_a_note_in_the_table),
]
"""Where a canary shows, and a handler that lets it out there."""


@pytest.mark.parametrize(("place", "handler"), CARELESS, ids=[place for place, _ in CARELESS])
def test_a_careless_handler_is_noticed(place: str, handler: Callable[..., object], stage: Stage) -> None:
    assert where(stage.play(TICK, handler=handler)) == {place}


# --- loggers --------------------------------------------------------------------------------------------------------

UNMUTED = {"botocore": "none", "urllib3": "a header without a colon"}
"""Loggers, and the issuer's fault that makes them speak at DEBUG."""


@pytest.mark.parametrize("name", UNMUTED)
def test_a_logger_that_is_not_muted(name: str, stage: Stage) -> None:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.NOTSET)
    try:
        assert "output" in where(stage.play(TICK, answered(UNMUTED[name])))
    finally:
        logger.setLevel(level)
    assert stage.play(TICK, answered(UNMUTED[name])).leaks == []


@pytest.mark.parametrize("name", ["botocore", "botocore.endpoint", "botocore.hooks", "boto3", "urllib3.connectionpool"])
def test_libraries_stay_muted_under_a_loud_root(name: str, stage: Stage) -> None:
    with stage.captured():
        assert logging.getLogger().isEnabledFor(logging.DEBUG)
        assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)
