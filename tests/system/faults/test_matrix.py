"""Every fault x every window x everybody who asks, as `fault_table.py` has it.

The handler runs in this process with its real clients, which talk to MiniStack and the stand-in over a wire on which
AWS's answers go wrong; the stand-in does the issuer's faults itself. Nothing of ours is replaced.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from local.cloud import LocalCloud
from local.standin import Grant
from refresh_token import aws_clients
from refresh_token.adapters import idempotency_lock, secrets_manager
from tests.support.fault_proxy import Strike, Wire, wire_to
from tests.support.fault_table import (
    CELLS,
    COMMON,
    ISSUER_FAULTS,
    ROWS,
    SERVER_ERRORS,
    SERVICES,
    SLOW,
    Cell,
    modelled_errors,
)
from tests.support.function_environment import forget_clients
from tests.support.local_function import LocalFunction

# Not measured: the unit tests run these lines, too.
pytestmark = [pytest.mark.xdist_group("matrix"), pytest.mark.no_cover]

LEFT = {
    "fresh": timedelta(days=30),
    "advisory": timedelta(days=3),
    "mandatory": timedelta(hours=3),
    "expired": timedelta(seconds=-1),
}

CLOSING_FAILS = ("issuer 503", "no write")
"""Given in the rows whose fault strikes the call that closes the claim after a failure."""


class Context:
    """Lambda's context of an invocation whose time passes with its calls, not with the clock.

    It has time for one attempt at the issuer, and after that for two at the write.
    """

    aws_request_id = "chaos"

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def get_remaining_time_in_millis(self) -> int:
        calls = self._wire.calls
        return 11000 - 500 * len(calls) - 3000 * calls.count("RefreshToken")


WRITES = ("PutSecretValue", "UpdateSecretVersionStage")
CLIENTS = ((secrets_manager, "_CONFIG"), (secrets_manager, "_WRITE_CONFIG"), (idempotency_lock, "_CONFIG"))


@dataclass
class Stage:
    """The function, and what it is played on."""

    bench: LocalFunction
    wire: Wire
    handler: Callable[[object, Context], Any]
    patch: pytest.MonkeyPatch = field(default_factory=pytest.MonkeyPatch)
    """What a cell changes of our clients: how long they wait for an answer that does not come."""

    def invoke(self, event: object) -> Any:
        """Return what a caller of Lambda's Invoke gets."""
        try:
            return self.handler(event, Context(self.wire))
        except Exception as error:  # noqa: BLE001 - as the runtime does
            return {"errorType": type(error).__name__}

    def seed(self, window: str) -> tuple[str, Grant]:
        """Store a pair in a window; return its version, and the grant."""
        grant = self.bench.cloud.standin.grant()
        pair = {"accessToken": grant.access_token, "refreshToken": grant.refresh_token, "note": "kept"}
        if window in LEFT:
            pair["expiresAt"] = (datetime.now(UTC) + LEFT[window]).isoformat()
        return self.bench.store(json.dumps(pair)), grant

    def ask(self, who: str, version: str) -> Any:
        """Send what one of the askers sends."""
        events: dict[str, dict[str, Any]] = {
            "tick": {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}},
            "consumer": {"provider": "figma"},
            "report": {"provider": "figma", "failedVersionId": version},
            "force": {"provider": "figma", "force": True},
        }
        return self.invoke(events[who])

    def prepare(self, cell: Cell, version: str) -> None:
        """Bring about what is given, and the fault."""
        standin = self.bench.cloud.standin
        if cell.row.given == "a failure stands":
            standin.fail("RefreshToken", status=503)
            assert self.ask("force", version)["errorType"] == "IssuerUnavailableException"
            self.wire.forget()
        elif cell.row.given == "an answer lost":
            self.wire.strike("PutSecretValue", aws_fault("InvalidRequestException"))
            assert self.ask("force", version)["errorType"] == "TokenNotStoredException"
            self.wire.forget()
            forget_clients()  # and what the process knows to be dead: who comes next is another
        elif cell.row.given == "no value":
            self.wire.strike("GetSecretValue", aws_fault("ResourceNotFoundException"))
        elif cell.row.given == "no write":
            self.wire.strike("PutSecretValue", aws_fault("InvalidRequestException"))
        elif cell.row.given:
            standin.fail("RefreshToken", **ISSUER_FAULTS[cell.row.given.removeprefix("issuer ")])
        if cell.row.operation in SERVICES:
            self.strike_aws(cell)
        elif fault := ISSUER_FAULTS[cell.fault]:
            standin.fail("RefreshToken", **fault)
        elif cell.fault == "extra refresh token":
            standin.set_rotation(on=True)

    def strike_aws(self, cell: Cell) -> None:
        """Bring about a fault of AWS's."""
        if cell.fault == SLOW:
            for adapter, name in CLIENTS:
                self.patch.setattr(adapter, name, getattr(adapter, name).merge(Config(read_timeout=1)))
        if cell.fault in ("answer lost", SLOW):
            forget_clients()  # botocore stops retrying when it had to retry too much, and many faults went before
        # What is not botocore's to repeat is lost once.
        nth = int(cell.fault == "answer lost" and cell.row.operation in WRITES)
        nth = {"GetSecretValue": 1, "GetSecretValue, again": 2}.get(cell.row.call, nth)
        self.wire.strike(cell.row.operation, aws_fault(cell.fault), nth=nth)

    def clean(self) -> None:
        """Let everything go right again."""
        self.wire.forget()
        self.bench.cloud.standin.reset()
        self.patch.undo()


def aws_fault(name: str) -> Strike:
    """Return the fault that the table calls so."""
    if name == "connection dropped":
        return Strike()
    if name == "answer lost":
        return Strike(lost=True)
    if name == SLOW:
        return Strike(silent=True)
    if name == "502 HTML":
        return Strike(status=502)
    return Strike(status=SERVER_ERRORS.get(name, 400), code=name)


@contextmanager
def staged(bench: LocalFunction, **environment: str) -> Iterator[Stage]:
    """Set the stage; `environment` changes the function's variables."""
    with wire_to(bench.cloud) as wire, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in {**bench.environment, **wire.environment, **environment}.items():
            patch.setenv(name, value)
        patch.setattr(aws_clients, "session", cache(botocore.session.get_session))
        # botocore's own waiting between two attempts; the attempts stay.
        patch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
        forget_clients()
        from refresh_token.handler import lambda_handler  # noqa: PLC0415 - it reads the environment

        stage = Stage(bench, wire, lambda_handler)
        yield stage
        stage.clean()
    forget_clients()


@pytest.fixture(scope="module")
def running(cloud: LocalCloud, asset: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(LocalFunction(cloud, asset, tmp_path_factory.mktemp("matrix"))) as stage:
        yield stage


@pytest.fixture
def stage(running: Stage) -> Stage:
    running.clean()
    return running


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_fault_in_a_window_means_for_whoever_asks_what_the_table_says(stage: Stage, cell: Cell) -> None:
    version, grant = stage.seed(cell.window)
    stage.prepare(cell, version)
    answer = stage.ask(cell.who, version)
    assert set(stage.wire.calls) <= {*SERVICES, "RefreshToken"}
    assert outcome_of(answer, version) == (cell.row.raises if cell.outcome == "raises" else cell.outcome)
    assert_stored(stage, cell, version, grant, answer)
    assert stage.wire.calls.count("RefreshToken") == issuer_calls(cell)
    if mended_by_force(cell):
        stage.wire.forget()
        stage.bench.cloud.standin.clear_faults()
        current, _ = stage.bench.current()
        assert outcome_of(stage.ask("force", current), current) == "new"
        assert_live(stage)


def outcome_of(answer: Any, version: str) -> str:
    """Return what an answer is, in the words of the table, where `version` was current before."""
    if "errorType" in answer:
        return str(answer["errorType"])
    said, means_new = (answer["outcome"], "refreshed") if "outcome" in answer else (answer["state"], "fresh")
    return "new" if answer["versionId"] != version and said == means_new else str(said)


def assert_stored(stage: Stage, cell: Cell, version: str, grant: Grant, answer: Any) -> None:
    """Assert that the pair which is stored is whole, and is the one that was answered."""
    current, pair = stage.bench.current()
    assert pair["note"] == "kept"
    assert (current != version) == (cell.outcome == "new")
    if cell.outcome == "new":
        assert_live(stage)
    else:
        assert (pair["accessToken"], pair["refreshToken"]) == (grant.access_token, grant.refresh_token)
    assert answer.get("versionId", current) == current
    assert answer.get("accessToken", pair["accessToken"]) == pair["accessToken"]


def assert_live(stage: Stage) -> None:
    """Assert that the stored pair is the issuer's."""
    _, pair = stage.bench.current()
    (grant,) = stage.bench.cloud.standin.grants()
    assert (pair["accessToken"], pair["refreshToken"]) == (grant.access_token, grant.refresh_token)


def issuer_calls(cell: Cell) -> int:
    """Return how often the issuer is asked: once, if it comes to that."""
    if cell.outcome in ("fresh", "due"):
        return 0
    before = {"GetSecretValue", "GetSecretValue, again", "DescribeSecret", "PutItem"}
    stopped = cell.row.call in before or cell.row.given == "a failure stands"
    return int(cell.outcome == "new" or not stopped)


def mended_by_force(cell: Cell) -> bool:
    """Tell whether to look if an operator can mend it at once: not while a claim stands that was not closed."""
    left_claimed = (cell.row.call, cell.fault) == ("PutItem", "answer lost") or cell.row.given in CLOSING_FAILS
    return cell.window == "mandatory" and not left_claimed


def test_every_error_that_a_service_models_has_its_row() -> None:
    for operation in SERVICES:
        rows = [row for row in ROWS if row.operation == operation]
        in_full = {row.call: set[str]() for row in rows}
        for row in rows:
            in_full[row.call] |= set(row.faults)
        for call, faults in in_full.items():
            assert faults == modelled_errors(operation) | COMMON, call


def test_every_fault_of_the_issuer_has_its_row() -> None:
    assert {fault for row in ROWS if row.operation == "RefreshToken" for fault in row.faults} == set(ISSUER_FAULTS)
