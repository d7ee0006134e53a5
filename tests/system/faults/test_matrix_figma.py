"""The matrix's rows of the issuer once more, with Figma itself as the issuer, and those of its app's credentials.

What a kind of failure means for whom in which window is the same, whoever the issuer is: `fault_table.OUTCOMES`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from local.cloud import LocalCloud
from local.standin import CLIENT_ID, CLIENT_SECRET, HTML, MALFORMED, USER, Grant
from tests.support.fault_table import ASKERS, EVERY_WINDOW, WINDOWS, outcome_by_group
from tests.support.local_function import LocalFunction
from tests.system.faults.test_matrix import Stage, assert_live, aws_fault, outcome_of, staged

pytestmark = [pytest.mark.xdist_group("matrix"), pytest.mark.no_cover]

REFRESH: Final = ["GetSecretValue", "PutItem", "GetSecretValue", "GetSecretValue", "RefreshToken"]
"""The third is for the app's credentials."""

RFC_6749: Final = '{"error": "%s", "error_description": "No."}'

FAULTS: Final[dict[tuple[str, str], dict[str, dict[str, Any]]]] = {
    ("works", ""): {
        "none": {},
        "extra refresh token": {"answer": {"refresh_token": "figr_new"}},
        "answer after a moment": {"delay": 0.05},
        "expires_in ten years": {"answer": {"expires_in": 315_360_000}},
        "no token_type": {"omit": ("token_type",)},
    },
    ("passing", "IssuerUnavailableException"): {
        "503": {"status": 503},
        "429 with a time": {"status": 429, "headers": {"Retry-After": "60"}},
        "408": {"status": 408},
        "500 after it acted": {"status": 500, "after": True},
        "502 HTML": {"status": 502, "body": HTML, "content_type": "text/html"},
        "connection dropped": {"drop": True},
        "connection dropped after it acted": {"drop": True, "after": True},
        "no answer in time": {"delay": 30, "after": True},
    },
    ("lasting", "ReauthorizationRequiredException"): {
        "400": {"status": 400, "message": "Invalid refresh token"},
        "401": {"status": 401, "message": "Token revoked"},
        "403": {"status": 403, "message": "Forbidden"},
        "400 HTML": {"status": 400, "body": HTML},
        "400 invalid_grant": {"status": 400, "body": RFC_6749 % "invalid_grant"},
    },
    ("lasting", "ConfigurationException"): {
        "401 client": {"status": 401, "message": "Invalid client credentials"},
        "401 invalid_client": {"status": 401, "body": RFC_6749 % "invalid_client"},
        "400 client_id": {"status": 400, "message": "Parameter client_id is required"},
    },
    ("lasting", "IssuerProtocolException"): {
        "malformed": {"body": MALFORMED},
        "HTML": {"body": HTML, "content_type": "text/html"},
        "empty body": {"body": ""},
        "10 MB": {"body": "x" * 10_000_000},
        "a member twice": {"body": '{"access_token": "a", "access_token": "b", "expires_in": 60}'},
        "404": {"status": 404},
        "302": {"status": 302, "body": "", "headers": {"Location": "http://127.0.0.1:1/"}},
        "no access_token": {"omit": ("access_token",)},
        "expires_in zero": {"answer": {"expires_in": 0}},
        "expires_in negative": {"answer": {"expires_in": -1}},
        "expires_in text": {"answer": {"expires_in": "3600"}},
        "no expires_in": {"omit": ("expires_in",)},
    },
}
"""By the kind of outcome, and what is raised."""

APP: Final[dict[tuple[str, str], dict[str, int]]] = {
    ("works", ""): {"ThrottlingException": 1, "connection dropped": 2},
    ("passing", "IssuerUnavailableException"): {"ThrottlingException": 3},
    ("lasting", "ConfigurationException"): {"ResourceNotFoundException": 1, "AccessDeniedException": 1},
}
"""What strikes the reading of the app's credentials, and how many attempts at it."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One fault, one window, one who asks, and what comes of it."""

    then: str
    raises: str
    fault: str
    who: str
    window: str
    times: int = 0
    """Of an attempt at the app's credentials; 0: it is the issuer's fault."""

    @property
    def outcome(self) -> str:
        """What the caller sees."""
        meant = outcome_by_group(self.then, self.who, self.window)
        return self.raises if meant == "raises" else meant

    def __str__(self) -> str:
        """Return its name among the tests."""
        where = "the app's credentials" if self.times else "Figma"
        return f"{where}: {self.fault} - {self.window} - {self.who}"


def cells() -> Iterator[Cell]:
    for (then, raises), faults in FAULTS.items():
        for fault in faults:
            everywhere = [(who, window) for who in ASKERS for window in WINDOWS]
            slow = fault == "no answer in time"
            first = fault == next(iter(faults))
            for who, window in [("consumer", "mandatory")] if slow else everywhere if first else EVERY_WINDOW:
                yield Cell(then=then, raises=raises, fault=fault, who=who, window=window)
    for (then, raises), app in APP.items():
        for fault, times in app.items():
            for who, window in EVERY_WINDOW:
                yield Cell(then=then, raises=raises, fault=fault, who=who, window=window, times=times)


@pytest.fixture(scope="module")
def running(cloud: LocalCloud, asset: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    bench = LocalFunction(cloud, asset, tmp_path_factory.mktemp("matrix-figma"))
    with staged(bench, ISSUER="figma", **bench.app_secret(CLIENT_ID, CLIENT_SECRET)) as stage:
        yield stage


@pytest.fixture
def stage(running: Stage) -> Stage:
    running.clean()
    return running


@pytest.mark.parametrize("cell", list(cells()), ids=str)
def test_a_fault_in_a_window_means_the_same_with_figma(stage: Stage, cell: Cell) -> None:
    version, grant = stage.seed(cell.window)
    if cell.times:
        for attempt in range(cell.times):
            stage.wire.strike("GetSecretValue", aws_fault(cell.fault), nth=3 + attempt)
    elif how := FAULTS[cell.then, cell.raises][cell.fault]:
        stage.bench.cloud.standin.fail("FigmaRefresh", **how)
    answer = stage.ask(cell.who, version)
    assert outcome_of(answer, version) == cell.outcome
    assert_stored(stage, cell, version, grant)
    asked = cell.outcome not in ("fresh", "due") and not (cell.times and cell.then != "works")
    assert stage.wire.calls.count("RefreshToken") == int(asked)
    if asked and not cell.times:
        assert [call for call in stage.wire.calls if call != "GetItem"][:5] == REFRESH


def assert_stored(stage: Stage, cell: Cell, version: str, grant: Grant) -> None:
    current, pair = stage.bench.current()
    assert pair["note"] == "kept"
    assert (current != version) == (cell.outcome == "new")
    if cell.fault == "extra refresh token" and cell.outcome == "new":
        assert pair["refreshToken"] == "figr_new"
    elif cell.outcome == "new":
        assert_live(stage)
    else:
        assert (pair["accessToken"], pair["refreshToken"]) == (grant.access_token, grant.refresh_token)
    assert stage.bench.cloud.standin.grants()[0].user == USER
