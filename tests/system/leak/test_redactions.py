"""Each redaction taken away, in a variant built here, and the canary is found: so the suite can fail.

The variants are composed, not patched: the handler's own parts, with one of them replaced by a careless one.
"""

import base64
import dataclasses
import importlib
import json
import logging
import os
import pkgutil
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

import refresh_token
from refresh_token.adapters.idempotency_lock import IdempotencyLock, dynamodb_client
from refresh_token.adapters.secrets_manager import SecretsManagerStore, secrets_manager_client
from refresh_token.answers import Answer, answer_of
from refresh_token.claims import RefreshLock
from refresh_token.errors import (
    InvalidParameterException,
    ReauthorizationRequiredException,
    SecretMalformedException,
    SecretUnavailableException,
)
from refresh_token.events import Request, Tick, parse_event
from refresh_token.issued_token import IssuedToken
from refresh_token.ports import Issuer, StoredPair, TokenStore
from refresh_token.refresher import Refresher
from refresh_token.results import BareToken, LiveToken, TickReport
from tests.support.canaries import ACCESS, CORE, ECHO, GIVEN_CLIENT, NOTE, REFRESH, Sights, chain_of, leaks, texts_of
from tests.support.ui_builder_server import Reply, refusal
from tests.system.leak.cases import ISSUER_FAULTS, TICK
from tests.system.leak.stage import TABLE, Context, Played, Setting, Stage

if TYPE_CHECKING:
    from refresh_token.connections import Connection

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
def test_a_canary_is_found_however_it_is_spelt(text: str) -> None:
    assert leaks(f"before {text} after")


def test_nothing_is_found_where_there_is_none() -> None:
    assert leaks("Refreshed the token 1e718130-cf44-46cc-9ad4-7d4e5e18d70c canary") == []


def test_an_error_is_searched_with_all_that_hangs_on_it() -> None:
    errors: list[BaseException] = []
    for text in (REFRESH, "x"):
        plain = ValueError(text)
        noted = ValueError("x")
        noted.add_note(text)
        cause, context, group = ValueError("x"), ValueError("x"), ExceptionGroup("x", [ValueError(text)])
        cause.__cause__, context.__context__ = ValueError(text), ValueError(text)
        context.__suppress_context__ = True
        deep = ValueError("x")
        deep.__context__ = cause
        errors += [plain, noted, cause, context, group, deep, json.JSONDecodeError("x", text, 0)]
    found = [any(leaks(text) for text in texts_of(error)) for error in errors]
    assert found == [True] * 7 + [False] * 7


# --- repr of our objects --------------------------------------------------------------------------------------------


def dataclasses_of_the_function() -> Iterator[type]:
    for module in pkgutil.walk_packages(refresh_token.__path__, "refresh_token."):
        if module.name == "refresh_token.handler":
            continue  # importing it is a cold start; it defines no value
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and value.__module__ == module.name and dataclasses.is_dataclass(value):
                yield value


SHOWN = {
    "Answer": {"status", "challenged"},
    "BareToken": {"expires_in"},
    "ClaimedRefresh": {"connection", "clock", "telemetry", "memory", "new_version_id", "claim"},
    "Connection": {"name", "store", "windows", "make_lock", "make_issuer"},
    "CoolingDown": {"failure"},
    "Expiry": {"at", "capped"},
    "Fault": {"kind", "code", "status"},
    "Failure": {"reason", "refused", "lost", "retry_at"},
    "HeldClaim": {"version_id", "previous"},
    "IssuedToken": {"expires_in"},
    "LiveToken": {"stored", "state", "expires_in"},
    "Lost": {"what", "sent", "trusted"},
    "OAuth2Settings": {"token_url", "client_auth", "scope", "lifetime"},
    "Outcome": {"stored", "issued"},
    "RefreshOnce": {"connection", "clock", "telemetry", "memory", "new_version_id", "jitter"},
    "Refresher": {"connection", "clock", "telemetry", "memory", "once"},
    "Reply": {"status"},
    "Settings": {"secret_arn", "lock_table", "windows", "issuer"},
    "StoredPair": {"version_id", "pair"},
    "Tick": {"event_id"},
    "TickReport": {"outcome", "stored"},
    "TokenPair": {"expires_at", "refreshed_at", "capped"},
    "WindowSettings": {"advisory", "mandatory"},
}
"""The fields that a repr shows, because they hold no secret. A new one is added here on purpose, or hidden."""

FIELDS = [(kind, field) for kind in dataclasses_of_the_function() for field in dataclasses.fields(kind)]
HIDDEN = [(kind, field.name) for kind, field in FIELDS if field.name not in SHOWN.get(kind.__name__, ())]


def test_a_repr_shows_only_what_is_known_to_hold_no_secret() -> None:
    shown: dict[str, set[str]] = {}
    for kind, field in FIELDS:
        if field.repr:
            shown.setdefault(kind.__name__, set()).add(field.name)
    assert shown == SHOWN


def test_the_fields_that_hold_secrets_are_the_ones_that_are_hidden() -> None:
    assert {(kind.__name__, name) for kind, name in HIDDEN} == {
        *(("TokenPair", name) for name in ("access_token", "refresh_token", "client_id", "unknown")),
        *(("IssuedToken", name) for name in ("access_token", "refresh_token")),
        *(("Exchange", name) for name in ("token", "client_id")),
        ("BareToken", "access_token"),
        ("ReportFailure", "version_id"),
        ("ClaimedRefresh", "client_id"),
        ("HeldClaim", "lock"),
        *(("AppCredentials", name) for name in ("client_id", "client_secret")),
        *(("Reply", name) for name in ("body", "retry_after", "challenge")),
        ("Answer", "document"),
        ("OAuth2Settings", "extra"),
    }


@pytest.mark.parametrize(("kind", "name"), HIDDEN, ids=[f"{kind.__name__}.{name}" for kind, name in HIDDEN])
def test_without_its_redaction_a_field_would_show(kind: Any, name: str) -> None:
    fields = dataclasses.fields(kind)
    careless = dataclasses.make_dataclass(
        kind.__name__,
        [(field.name, object, dataclasses.field(repr=field.repr or field.name == name)) for field in fields],
    )
    values = {field.name: REFRESH if field.name == name else None for field in fields}
    assert any(leaks(text) for text in texts_of(careless(**values)))
    assert not any(leaks(text) for text in texts_of(kind(**values)))


def test_the_spy_looks_into_what_our_functions_touch(stage: Stage) -> None:
    """A value of ours whose repr shows a secret is found without anybody logging it."""

    def parse(event: object) -> Request:
        request = parse_event(event)
        return Tick(REFRESH) if isinstance(request, Tick) else request

    assert any(leak.startswith("object Tick") for leak in careless_play(stage, parse=parse).leaks)


# --- careless parts -------------------------------------------------------------------------------------------------


def careless_play(  # one keyword for each part that may be careless
    stage: Stage,
    setting: Setting | None = None,
    *,
    event: object = None,
    issuer: Issuer | None = None,
    store: Callable[[], TokenStore] | None = None,
    lock: Callable[[], RefreshLock] | None = None,
    parse: Callable[[object], Request] = parse_event,
    answer: Callable[[Any], Answer] = answer_of,
    wrap: Callable[[Callable[..., object]], Callable[..., object]] = lambda handler: handler,
) -> Played:
    """Play with the handler's own parts but for the given ones."""
    module = stage.module

    def refresher(context: Context) -> Refresher:
        ours: Connection = module._connection()
        connection = dataclasses.replace(
            ours,
            store=store() if store else ours.store,
            make_issuer=(lambda: issuer) if issuer else ours.make_issuer,
            make_lock=lock or ours.make_lock,
        )
        refresher: Refresher = module._refresher(connection, module.LambdaClock(context))
        return refresher

    def handler(event: object, context: Context) -> object:
        with module.TELEMETRY.invocation(context):
            request = parse(event)
            return answer(module._serve(request, refresher(context)))

    before = stage.handler
    stage.handler = wrap(handler)
    try:
        return stage.play(event or TICK, setting or Setting())
    finally:
        stage.handler = before


def where(played: Played) -> set[str]:
    """Return the kinds of places in which canaries were found."""
    return {leak.partition(":")[0].partition(" ")[0] for leak in played.leaks}


def test_with_careful_parts_nothing_is_found(stage: Stage) -> None:
    for reply, _ in (ISSUER_FAULTS["none"], ISSUER_FAULTS["400 with the token as the code in the header"]):
        assert careless_play(stage, Setting(replies=(reply,))).leaks == []


class Careless:
    """An issuer that calls as ours does, and ``tell``s of an error in its own way."""

    rotates = False
    takes_client_id = True

    def __init__(self, tell: Callable[[Exception], None]) -> None:
        self._tell = tell

    def refresh(self, refresh_token: str, client_id: str | None, *, seconds: float) -> IssuedToken:  # noqa: ARG002
        client: Any = boto3.client("amplifyuibuilder")
        try:
            client.refresh_token(provider="figma", refreshTokenBody={"token": refresh_token, "clientId": client_id})
        except (ClientError, BotoCoreError) as error:
            self._tell(error)
        finally:
            client.close()
        raise AssertionError("the issuer was to fail")


def with_cause(error: Exception) -> None:
    raise ReauthorizationRequiredException("Refused.") from error


def in_the_except_block(error: Exception) -> None:  # noqa: ARG001 - it is the context
    raise ReauthorizationRequiredException("Refused.")


def with_the_context_suppressed(error: Exception) -> None:  # noqa: ARG001 - it is the context
    raise ReauthorizationRequiredException("Refused.") from None


def as_a_group(error: Exception) -> None:
    raise ExceptionGroup("Refused.", [error]) from None


@pytest.mark.parametrize("tell", [with_cause, in_the_except_block, with_the_context_suppressed, as_a_group])
@pytest.mark.parametrize(
    "reply",
    [refusal(400, "InvalidParameterException", ECHO), refusal(400, REFRESH), Reply(raw=ECHO.encode())],
    ids=["message", "code", "no HTTP"],
)
def test_an_error_of_botocore_behind_ours_would_leak(
    reply: Reply, tell: Callable[[Exception], None], stage: Stage
) -> None:
    assert "error" in where(careless_play(stage, Setting(replies=(reply,)), issuer=Careless(tell)))


def test_a_code_that_is_not_known_would_leak_into_the_message(stage: Stage) -> None:
    codes: list[str] = []

    class ShowsTheCode(Careless):
        def refresh(self, refresh_token: str, client_id: str | None, *, seconds: float) -> IssuedToken:
            try:
                return super().refresh(refresh_token, client_id, seconds=seconds)
            except AssertionError:
                pass
            raise ReauthorizationRequiredException(f"Refused ({codes.pop()}).")

    def keep(error: Exception) -> None:
        assert isinstance(error, ClientError)
        codes.append(error.response["Error"]["Code"])

    played = careless_play(stage, Setting(replies=(refusal(400, REFRESH),)), issuer=ShowsTheCode(keep))
    assert where(played) >= {"output", "error"}


class CarelessStore(SecretsManagerStore):
    """A store that keeps the cause, shows the code, and names what it could not read."""

    def __init__(self, arn: str) -> None:
        super().__init__(arn, secrets_manager_client(), secrets_manager_client)
        self.arn = arn

    def read(self) -> StoredPair:
        client = secrets_manager_client()
        try:
            text = client.get_secret_value(SecretId=self.arn)["SecretString"]
            json.loads(text)
        except ClientError as error:
            raise SecretUnavailableException(f"Denied ({error.response['Error']['Code']}).") from error
        except ValueError as error:
            raise SecretMalformedException("Not JSON.") from error
        raise SecretMalformedException(f"Not a pair: {text}")


@pytest.mark.parametrize(
    "setting",
    [
        Setting(aws={"secretsmanager.GetSecretValue": "AccessDeniedException"}),
        Setting(aws={"secretsmanager.GetSecretValue": REFRESH}),
        Setting(secret=f"{{'accessToken': '{ACCESS}'}}"),
        Setting(secret=json.dumps({"accessToken": [ACCESS]})),
    ],
    ids=["the cause of a denial", "the code of a denial", "the document in a JSON error", "the content in a message"],
)
def test_a_store_that_tells_what_it_got_would_leak(setting: Setting, stage: Stage) -> None:
    assert "error" in where(careless_play(stage, setting, store=lambda: CarelessStore(os.environ["SECRET_ARN"])))


def test_a_lock_that_keeps_the_pair_would_leak_into_the_table(stage: Stage) -> None:
    class TellingLock(IdempotencyLock):
        def record_success(self, version_id: str) -> None:
            self._save(version_id, {"done": True, "note": NOTE}, 120)

    def lock() -> RefreshLock:
        return TellingLock(TABLE, os.environ["SECRET_ARN"], dynamodb_client())

    assert "lock" in where(careless_play(stage, lock=lock))


def test_a_refusal_that_shows_what_was_sent_would_leak(stage: Stage) -> None:
    def parse(event: object) -> Request:
        raise InvalidParameterException(f"Unknown keys {event}.")

    assert where(careless_play(stage, event={GIVEN_CLIENT: 1}, parse=parse)) >= {"output", "error"}


def test_an_id_taken_over_unread_would_leak_as_the_correlation_id(stage: Stage) -> None:
    def parse(event: object) -> Request:
        assert isinstance(event, dict)
        return Tick(event["id"])

    assert "output" in where(careless_play(stage, event={**TICK, "id": GIVEN_CLIENT}, parse=parse))


def test_a_report_with_the_token_would_leak(stage: Stage) -> None:
    def answer(result: LiveToken | BareToken | TickReport) -> Answer:
        assert isinstance(result, TickReport)
        return {**answer_of(result), "token": result.stored.pair.access_token}

    assert where(careless_play(stage, answer=answer)) == {"answer"}


def test_powertools_decorator_would_log_the_event(stage: Stage) -> None:
    """POWERTOOLS_LOGGER_LOG_EVENT is set on this stage; the handler does not use what heeds it."""

    def wrap(handler: Callable[..., object]) -> Callable[..., object]:
        decorated: Callable[..., object] = stage.module.TELEMETRY._logger.inject_lambda_context(handler)
        return decorated

    body = {"provider": "figma", "refreshTokenBody": {"token": REFRESH}}
    assert "output" in where(careless_play(stage, event=body, wrap=wrap))


# --- loggers --------------------------------------------------------------------------------------------------------


@contextmanager
def unmuted(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.NOTSET)
    try:
        yield
    finally:
        logger.setLevel(level)


UNMUTED = {"botocore": "none", "urllib3": "a header without a colon"}
"""What a logger would print at DEBUG, by the issuer's fault that makes it speak."""


@pytest.mark.parametrize("name", UNMUTED)
def test_a_logger_that_is_not_muted_would_leak(name: str, stage: Stage) -> None:
    reply, _ = ISSUER_FAULTS[UNMUTED[name]]
    with unmuted(name):
        assert "output" in where(stage.play(TICK, Setting(replies=(reply,))))
    assert stage.play(TICK, Setting(replies=(reply,))).leaks == []


@pytest.mark.parametrize("name", ["botocore", "botocore.endpoint", "botocore.hooks", "boto3", "urllib3.connectionpool"])
def test_the_libraries_that_send_tokens_say_nothing_in_detail_even_if_the_root_logger_does(
    name: str, stage: Stage
) -> None:
    with stage._captured():
        assert logging.getLogger().isEnabledFor(logging.DEBUG)
        assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)


# --- what no redaction can help against -----------------------------------------------------------------------------


def test_a_traceback_with_local_variables_would_leak(stage: Stage) -> None:
    """So nothing here may be given to a tool that captures locals; Lambda's runtime and Powertools do not."""
    reply, _ = ISSUER_FAULTS["400 with the request in the message"]
    error = stage.play(TICK, Setting(replies=(reply,))).error
    assert error
    sights = Sights()
    for link in chain_of(error):
        for line in traceback.TracebackException.from_exception(link, capture_locals=True).format():
            sights.add("locals", line)
    assert sights.leaks()
