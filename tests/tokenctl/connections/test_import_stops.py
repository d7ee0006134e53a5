"""`tokenctl connections import` when it is interrupted, or when AWS refuses: it says how far it came, and goes on."""

import re
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.bare_fleet import BareFleet
from tests.support.command_line import Done, Tokenctl, on_terminal
from tests.support.connections import REFRESH, line, lines
from tests.support.fault_proxy import FaultProxy, Strike
from tests.support.fleet import pair_of

pytestmark = pytest.mark.xdist_group("connections")

NAMES = [f"t/{number}" for number in range(40)]
TEXT = lines(NAMES)
DENIED = Strike(status=400, code="AccessDeniedException")
THROTTLED = Strike(status=400, code="ProvisionedThroughputExceededException")
DISABLED = Strike(status=400, code="DisabledException")


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few connections be several chunks."""
    monkeypatch.setattr("tokenctl.connections.importing.CHUNK", 16)


def run(tokenctl: Tokenctl, text: str = TEXT) -> Done:
    return tokenctl("import", "--from", "-", "--output", "json", stdin=text)


@pytest.mark.parametrize(
    ("operation", "strike", "nth"),
    [
        ("Encrypt", DENIED, 1),
        ("Encrypt", DISABLED, 9),
        ("PutItem", THROTTLED, 5),
        ("PutItem", DENIED, 30),
        ("PutItem", Strike(status=500), 7),
        ("PutItem", Strike(status=413, code="ValidationException"), 2),
    ],
    ids=["key denied", "key disabled", "table throttled", "table denied", "server error", "item refused"],
)
def test_what_has_begun_is_finished_and_counted(  # noqa: PLR0917 - a row
    tokenctl: Tokenctl, fleet: BareFleet, proxy: FaultProxy, operation: str, strike: Strike, nth: int
) -> None:
    proxy.strike(operation, strike, nth=nth)
    done = run(tokenctl)
    assert (done.code, done.out) == (254, "")
    assert f"when calling the {operation} operation" in done.err
    stopped = re.search(r"Stopped: (\d+) of 40 connections are stored. Repeat the command to go on.", done.err)
    assert stopped
    assert len(fleet.names()) == int(stopped[1]) < 40
    proxy.forget()
    again = run(tokenctl).json
    assert (again["imported"], again["unchanged"], again["kept"]) == (40 - int(stopped[1]), int(stopped[1]), 0)
    assert [fleet.opened(name) for name in NAMES] == [REFRESH.format(name) for name in NAMES]


def test_nothing_is_stored_before_all_is_read(tokenctl: Tokenctl, fleet: BareFleet, proxy: FaultProxy) -> None:
    proxy.strike("BatchGetItem", DENIED)
    assert (run(tokenctl).code, fleet.names()) == (254, [])


def test_a_write_whose_answer_is_lost_counts(tokenctl: Tokenctl, fleet: BareFleet, proxy: FaultProxy) -> None:
    proxy.strike("PutItem", Strike(lost=True), nth=1)
    assert run(tokenctl).json["imported"] == 40
    assert fleet.names() == sorted(NAMES)


def test_a_pair_that_appears_meanwhile_is_kept(tokenctl: Tokenctl, fleet: BareFleet, proxy: FaultProxy) -> None:
    put = proxy.hold("PutItem")

    def seed() -> None:
        put.wait()
        fleet.table.seed("a", pair_of("canary-later", provider="oauth2"))
        put.release()

    with ThreadPoolExecutor(1) as pool:
        seeding = pool.submit(seed)
        done = run(tokenctl, line("a"))
        seeding.result()
    assert (done.json["kept"], done.json["imported"]) == (1, 0)
    assert fleet.table.record("a").access == "canary-later"


def test_an_interruption_is_told_and_mended(fleet: BareFleet, tokenctl: Tokenctl, tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    names = [f"t/{number}" for number in range(150)]
    file.write_text(lines(names))
    words = ("connections", "import", "--from", str(file), "--stage", fleet.stage)
    done = on_terminal(fleet.cloud.env, *words, dialogue=[("/150", signal.SIGINT)])
    stopped = re.search(r"Stopped: (\d+) of 150 connections are stored.", done.out)
    assert stopped, done.out
    assert (done.code, len(fleet.names())) == (130, int(stopped[1]))
    again = tokenctl("import", "--from", str(file), "--output", "json").json
    assert (again["imported"], again["unchanged"]) == (150 - int(stopped[1]), int(stopped[1]))


@pytest.mark.parametrize(
    "later",
    [lines(NAMES[:20]), lines([*NAMES[:20], *NAMES[21:]]), f"{lines(NAMES[:20])}\ncanary"],
    ids=["cut off", "a line gone", "a broken line"],
)
def test_an_input_that_changes_meanwhile_stops(
    tokenctl: Tokenctl, fleet: BareFleet, proxy: FaultProxy, tmp_path: Path, later: str
) -> None:
    file, room = tmp_path / "many.jsonl", " " * 8_192  # more than Python reads ahead
    file.write_text(TEXT.replace("\n", f"{room}\n"))
    first = proxy.hold("BatchGetItem")

    def change() -> None:
        first.wait()
        file.write_text(later.replace("\n", f"{room}\n"))
        first.release()

    with ThreadPoolExecutor(1) as pool:
        changing = pool.submit(change)
        done = tokenctl("import", "--from", str(file))
        changing.result()
    stopped = re.search(r"Stopped: (\d+) of 40 connections are stored.", done.err)
    assert stopped, done.err
    assert (done.code, len(fleet.names())) == (252, int(stopped[1]))
    assert int(stopped[1]) <= 16, "none but those of the first chunk, as far as their writes had begun"
    assert "The input has changed since it was checked." in done.err


def test_another_region_has_no_such_stack(tokenctl: Tokenctl, fleet: BareFleet) -> None:
    done = tokenctl("import", "--from", "-", "--region", "eu-central-1", stdin=TEXT)
    assert (done.code, "There is no stack" in done.err, fleet.names()) == (253, True, [])
