"""Every fault x every window x every caller, as `fault_table.py` has it.

The handler runs in this process. Its own clients talk to MiniStack and the stand-in through a proxy that makes AWS's
answers go wrong; the stand-in does so for the issuer's. Nothing of ours is replaced.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from local.cloud import LocalCloud
from local.standin import CLIENT_ID, CLIENT_SECRET, Grant
from refresh_token import worker_handler
from refresh_token.adapters import aws_clients, connection_table, idempotency_lock, sealing, secrets_manager
from tests.support import fault_table
from tests.support.botocore_models import modelled_errors
from tests.support.canaries import leaks, texts_of
from tests.support.events import CONSUMER, FORCE, TICK, Event, report
from tests.support.fault_proxy import FaultProxy, Strike, fault_proxy
from tests.support.fleet import NAME
from tests.support.function_environment import SERVICE, forget_clients
from tests.support.lambda_context import LambdaContext
from tests.support.local_fleet import LocalFleet
from tests.support.local_function import LocalFunction
from tests.support.windows import LEFT

CLOSING_FAILS = ("issuer 503", "no write")
"""Given in the rows whose fault strikes the call that closes the claim after a failure."""

WRITES = ("PutSecretValue", "UpdateSecretVersionStage")
CLIENTS = (
    *((secrets_manager, "_CONFIG"), (secrets_manager, "_WRITE_CONFIG"), (idempotency_lock, "_CONFIG")),
    *((connection_table, name) for name in ("_READ_CONFIG", "_CLAIM_CONFIG", "_WRITE_CONFIG")),
    *((sealing, "_CONFIG"), (sealing, "_SEALING_CONFIG")),
)
TIMES = {"once": 1, "twice": 2, "three times": 3}


@dataclass
class Stage:
    """The function, the proxy between it and its services, and what a cell changes."""

    function: LocalFunction | LocalFleet
    proxy: FaultProxy
    issuer: str
    handler: Callable[[Event, LambdaContext], Any]
    patch: pytest.MonkeyPatch = field(default_factory=pytest.MonkeyPatch)
    """What a cell changes of our clients: how long they wait for an answer."""
    impatient: bool = False
    """Whether a cell made clients that wait a second."""
    shown: list[str] = field(default_factory=list)
    """All that a cell's invocations print, and their errors with everything behind them."""

    def invoke(self, event: Event) -> Any:
        printed = StringIO()
        for handler in logging.getLogger(SERVICE).handlers:  # they keep the stream that they first saw
            vars(handler)["stream"] = printed
        try:
            with redirect_stdout(printed):
                return self.handler(event, LambdaContext(self.seconds_left))
        except Exception as error:  # noqa: BLE001 - as the runtime does
            self.shown += texts_of(error)
            return {"errorType": type(error).__name__}
        finally:
            self.shown.append(printed.getvalue())

    def seconds_left(self) -> float:
        """Let time pass with the calls: enough for one attempt at the issuer, and after that for two at the write."""
        calls = self.proxy.calls
        return 11.0 - 0.5 * len(calls) - 3.0 * calls.count("RefreshToken")

    def seed(self, window: str) -> tuple[str, Grant]:
        grant = self.function.cloud.standin.grant()
        if self.issuer == "app" and isinstance(self.function, LocalFunction):
            # The stand-in knows no apps without a user. So the app has a third credential, which tells it the user.
            self.function.app_secret(CLIENT_ID, CLIENT_SECRET, userKey=grant.refresh_token)
            grant = replace(grant, refresh_token="")
        tokens = {"refreshToken": grant.refresh_token or None}
        return self.function.seed(grant, expires_in=LEFT[window], note="kept", **tokens), grant

    def ask(self, who: str, version: str) -> Any:
        events = {"tick": TICK, "consumer": CONSUMER, "report": report(version), "force": FORCE}
        of_app = {key: value for key, value in events[who].items() if key != "provider"}
        return self.invoke(of_app if self.issuer == "app" else events[who])

    def prepare(self, cell: fault_table.Cell, version: str) -> None:
        standin, row = self.function.cloud.standin, cell.row
        if row.given == "a failure stands":
            standin.fail(row.endpoint, status=503)
            assert self.ask("force", version)["errorType"] == "IssuerUnavailableException"
            self.proxy.forget()
        elif row.given == "an answer lost":
            self.strike_store()
            assert self.ask("force", version)["errorType"] == "TokenNotStoredException"
            self.proxy.forget()
            forget_clients()  # also forgets what the process knows to be dead: the next caller is another process
        elif row.given == "it rotates":
            standin.set_rotation(on=True)
        elif row.given == "no value":
            self.proxy.strike("GetSecretValue", aws_fault("ResourceNotFoundException"))
        elif row.given == "no write":
            self.strike_store()
        elif row.given:
            standin.fail("RefreshToken", **fault_table.ISSUER_FAULTS[row.given.removeprefix("issuer ")])
        if row.operation in fault_table.SERVICES:
            self.strike_aws(cell)
        elif cell.fault == "extra refresh token":
            standin.set_rotation(on=True)
        elif fault := (fault_table.FIGMA_FAULTS if row.endpoint == "FigmaRefresh" else fault_table.ISSUER_FAULTS)[
            cell.fault
        ]:
            standin.fail(row.endpoint, **fault)

    def strike_aws(self, cell: fault_table.Cell) -> None:
        if cell.row.call == "GetSecretValue, app":
            fault, _, times = cell.fault.replace("connection dropped", "connection-dropped").partition(" ")
            for attempt in range(TIMES[times]):
                self.proxy.strike("GetSecretValue", aws_fault(fault.replace("-", " ")), nth=3 + attempt)
            return
        if cell.fault == fault_table.SLOW:
            for adapter, name in CLIENTS:
                self.patch.setattr(adapter, name, getattr(adapter, name).merge(Config(read_timeout=1)))
            forget_clients()
            self.impatient = True
        self.proxy.strike(cell.row.operation, aws_fault(cell.fault), nth=self.nth(cell))

    def nth(self, cell: fault_table.Cell) -> int:
        """Return which of the calls of its operation fails, 0 for every one."""
        # What botocore does not repeat is lost once.
        nth = int(cell.fault == "answer lost" and cell.row.operation in WRITES)
        return {"GetSecretValue": 1, "GetSecretValue, again": 2}.get(cell.row.call, nth)

    def strike_store(self) -> None:
        """Let the new pair not be stored."""
        self.proxy.strike("PutSecretValue", aws_fault("InvalidRequestException"))

    def grants(self) -> list[Grant]:
        return list(self.function.cloud.standin.grants())

    def clean(self) -> None:
        self.proxy.forget()
        self.shown.clear()
        self.function.cloud.standin.reset()
        self.patch.undo()
        if self.impatient:
            forget_clients()
            self.impatient = False


class ItemStage(Stage):
    """The functions of a fleet: the worker ticks, and the consumers' function does the rest."""

    def seconds_left(self) -> float:
        """Let time pass with the calls: enough for one attempt at the issuer, and after that for one at the write."""
        calls = self.proxy.calls
        return 10.0 - 0.5 * len(calls) - 3.0 * calls.count("RefreshToken")

    def ask(self, who: str, version: str) -> Any:
        if who == "tick":
            return self._tick(version)
        events: dict[str, Event] = {"consumer": {}, "report": {"failedVersionId": version}, "force": {"force": True}}
        return self.invoke({"connection": NAME, **events[who]})

    def _tick(self, version: str) -> Any:
        """Let the worker have a message. What becomes of it shows in the item and in the log."""
        assert isinstance(self.function, LocalFleet)
        consumers, shown = self.handler, len(self.shown)
        self.handler = worker_handler.lambda_handler
        answer = self.invoke(self.function.due_message())
        self.handler = consumers
        assert "errorType" not in answer, "the worker itself never fails"
        current, _ = self.function.current()
        if current != version:
            return {"outcome": "refreshed", "versionId": current}
        lines = [json.loads(line) for text in self.shown[shown:] for line in text.splitlines() if line]
        reasons = [line["reason"] for line in lines if "reason" in line and line.get("level") == "ERROR"]
        degraded = any("callers get the current token" in str(line.get("message")) for line in lines)
        if reasons and not degraded:
            return {"errorType": reasons[-1]}
        return {"outcome": "degraded" if degraded else "fresh", "versionId": current}

    def nth(self, cell: fault_table.Cell) -> int:
        return fault_table.ITEM_CALLS[cell.row.call]

    def strike_store(self) -> None:
        self.proxy.strike("UpdateItem", aws_fault("InternalServerError"), nth=2)


def aws_fault(name: str) -> Strike:
    named = {
        "connection dropped": Strike(),
        "answer lost": Strike(lost=True),
        fault_table.SLOW: Strike(silent=True),
        "502 HTML": Strike(status=502),
    }
    return named.get(name) or Strike(status=fault_table.SERVER_ERRORS.get(name, 400), code=name)


@contextmanager
def staged(function: LocalFunction | LocalFleet, issuer: str) -> Iterator[Stage]:
    with fault_proxy(function.cloud) as proxy, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        variables = (
            function.environment({"ISSUER": "amplify", **proxy.environment})
            if isinstance(function, LocalFleet)
            else {**function.environment, **issuer_variables(issuer, function, proxy.url)}
        )
        for name, value in {**variables, **proxy.environment}.items():
            patch.setenv(name, value)
        patch.setattr(aws_clients, "session", cache(botocore.session.get_session))
        # botocore's own waiting between two attempts; the attempts stay.
        patch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
        # A client of botocore's stops retrying after a hundred retries, and here all cells share the clients.
        patch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda *_: True)
        forget_clients()
        entry = "connections_handler" if isinstance(function, LocalFleet) else "handler"
        handler = import_module(f"refresh_token.{entry}").lambda_handler  # it reads the environment
        make = ItemStage if isinstance(function, LocalFleet) else Stage
        stage = make(function, proxy, issuer, handler)
        yield stage
        stage.clean()
    forget_clients()


def issuer_variables(issuer: str, function: LocalFunction, url: str) -> dict[str, str]:
    if issuer == "amplify":
        return {"ISSUER": issuer}
    app = function.app_secret(CLIENT_ID, CLIENT_SECRET)
    if issuer == "figma":
        return {"ISSUER": issuer, **app}
    profile = {
        "name": "acme",
        "title": "Acme",
        "grant": "client_credentials",
        "address": {"token": f"{url}/v1/oauth/refresh"},
        "client": {"keys": ["userKey"]},
        "refresh": {"parameters": {"refresh_token": "{userKey}"}},
    }
    grant = {"ISSUER_GRANT": "client_credentials", "ISSUER_PROFILE": json.dumps(profile)}
    return {"ISSUER": "acme", **grant, **app}


@pytest.fixture(scope="module", params=["amplify", "figma", "app", "item"])
def staged_issuer(
    request: pytest.FixtureRequest, cloud: LocalCloud, asset: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    make = LocalFleet if request.param == "item" else LocalFunction
    function = make(cloud, asset, tmp_path_factory.mktemp("matrix"))
    with staged(function, request.param) as stage:
        yield stage


@pytest.fixture
def stage(staged_issuer: Stage) -> Stage:
    staged_issuer.clean()
    return staged_issuer


def of_each_issuer() -> Iterator[Any]:
    """Return the cells, each in its issuer's group and on its issuer's stage."""
    for cell in fault_table.CELLS:
        group = pytest.mark.xdist_group(f"matrix of {cell.row.issuer}")
        yield pytest.param(cell.row.issuer, cell, id=str(cell), marks=group)


# Without the scope, pytest would set up an issuer's stage for each cell.
@pytest.mark.parametrize(("staged_issuer", "cell"), list(of_each_issuer()), indirect=["staged_issuer"], scope="module")
def test_a_fault_leads_to_what_the_table_says(stage: Stage, cell: fault_table.Cell) -> None:
    version, grant = stage.seed(cell.window)
    stage.prepare(cell, version)
    answer = stage.ask(cell.who, version)
    assert set(stage.proxy.calls) <= {*fault_table.SERVICES, "RefreshToken"}
    assert outcome_of(answer, version) == (cell.row.raises if cell.outcome == "raises" else cell.outcome)
    assert_stored(stage, cell, version, grant, answer)
    assert_nothing_shown(stage, grant)
    assert stage.proxy.calls.count("RefreshToken") == issuer_calls(cell)
    if force_helps(cell):
        stage.proxy.forget()
        stage.function.cloud.standin.clear_faults()
        current, _ = stage.function.current()
        assert outcome_of(stage.ask("force", current), current) == "new"
        assert_live(stage)


def outcome_of(answer: Any, version: str) -> str:
    """Return the table's word for an answer, where `version` was current before."""
    if "errorType" in answer:
        return str(answer["errorType"])
    said, means_new = (answer["outcome"], "refreshed") if "outcome" in answer else (answer["state"], "fresh")
    return "new" if answer["versionId"] != version and said == means_new else str(said)


def assert_stored(stage: Stage, cell: fault_table.Cell, version: str, grant: Grant, answer: Any) -> None:
    """Assert that the stored pair is complete, and that the answer holds it."""
    current, pair = stage.function.current()
    assert pair["note"] == "kept"
    assert (current != version) == (cell.outcome == "new")
    if cell.outcome == "new":
        assert_live(stage)
    else:
        assert (pair["accessToken"], pair.get("refreshToken") or "") == (grant.access_token, grant.refresh_token)
    assert answer.get("versionId", current) == current
    assert answer.get("accessToken", pair["accessToken"]) == pair["accessToken"]


def assert_nothing_shown(stage: Stage, grant: Grant) -> None:
    """Assert that neither logs nor errors hold a token, the app's credentials, or what AWS says in an error."""
    _, pair = stage.function.current()
    tokens = [pair["accessToken"], *(each.access_token for each in (grant, *stage.grants()))]
    tokens += [each.refresh_token for each in stage.grants()]
    shown = "\n".join(stage.shown)
    assert [secret for secret in (*tokens, CLIENT_ID, CLIENT_SECRET) if secret in shown] == []
    assert leaks(shown) == []


def assert_live(stage: Stage) -> None:
    _, pair = stage.function.current()
    (grant,) = stage.grants()
    assert pair["accessToken"] == grant.access_token
    assert pair.get("refreshToken") == (None if stage.issuer == "app" else grant.refresh_token)


def issuer_calls(cell: fault_table.Cell) -> int:
    """Return how often the function calls the issuer: once, if it gets that far."""
    if cell.outcome in ("fresh", "due"):
        return 0
    before = {"GetSecretValue", "GetSecretValue, again", "GetSecretValue, app", "DescribeSecret", "PutItem"}
    before |= {"GetItem, item", "UpdateItem, claim", "Decrypt", "Encrypt, trial"}
    stopped = cell.row.call in before or cell.row.given == "a failure stands"
    return int(cell.outcome == "new" or not stopped)


def force_helps(cell: fault_table.Cell) -> bool:
    """Tell whether an operator's force refreshes at once. It cannot while a claim stands that was not closed."""
    left_claimed = (cell.row.call, cell.fault) == ("PutItem", "answer lost") or cell.row.given in CLOSING_FAILS
    # The worker keeps a new refresh token that it cannot store in its own memory, and tries again itself.
    elsewhere = cell.row.call == "Encrypt, new token" and cell.who == "tick"
    return cell.window in ("advisory", "mandatory") and not left_claimed and not elsewhere


ITEM_OPERATIONS = ("GetItem", "UpdateItem", "Decrypt", "Encrypt")


@pytest.mark.parametrize(
    ("operation", "of"),
    [
        *((operation, "amplify") for operation, service in fault_table.SERVICES.items() if service != "kms"),
        *((operation, "item") for operation in ITEM_OPERATIONS),
    ],
)
def test_every_modelled_error_has_its_row(operation: str, of: str) -> None:
    rows = [row for row in fault_table.ROWS if row.operation == operation and row.issuer == of]
    rows = [row for row in rows if row.call != "UpdateItem, close"]
    for call in {row.call for row in rows}:
        faults = {fault for row in rows if row.call == call for fault in row.faults}
        assert faults == {*modelled_errors(fault_table.SERVICES[operation], operation)} | fault_table.COMMON, call


@pytest.mark.parametrize(
    ("call", "faults"), [("RefreshToken", fault_table.ISSUER_FAULTS), ("FigmaRefresh", fault_table.FIGMA_FAULTS)]
)
def test_every_issuer_fault_has_its_row(call: str, faults: dict[str, object]) -> None:
    assert {fault for row in fault_table.ROWS if row.call == call for fault in row.faults} == set(faults)
