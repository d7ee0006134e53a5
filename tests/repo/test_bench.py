"""What `make bench` makes of its figures; the figures themselves are not tested: no timed tests."""

from collections import Counter
from pathlib import Path

import pytest

from bench import cost, report, warm
from bench.figures import Line, compare
from tests.support.checkout import ROOT
from tests.support.template import template
from token_refresher.bundling.bundle import REQUIREMENTS
from token_refresher.bundling.installed import pinned


@pytest.mark.parametrize(("ours", "met"), [([10.0, 40.0, 12.0], True), ([10.0, 12.6, 12.6], False)])
def test_a_line_compares_medians_and_knows_whether_its_goal_is_met(ours: list[float], *, met: bool) -> None:
    line = compare(what="warm", ours=ours, peer="bare", theirs=[9.0, 10.0, 11.0], unit="ms", goal=1.25)
    assert line.met is met
    assert (line.theirs, line.goal) == ("10 ms (9)", "≤ 1.25")
    assert line.ours.endswith("ms (10)")


def test_a_line_without_a_goal_is_neither_met_nor_missed() -> None:
    line = compare(what="warm", ours=[1.0], peer="bare", theirs=[2.0], unit="MB")
    assert (line.met, line.goal, line.ratio, line.ours) == (None, "", 0.5, "1 MB")


def test_only_what_is_between_the_marks_is_rewritten(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text(f"before\n{report.BEGIN}\nstale\n{report.END}\nafter\n", encoding="utf-8")
    for figure in ("first", "second"):
        report.write([Line(what="cold init", ours=figure, met=True)], document)
    text = document.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{report.BEGIN}\n")
    assert text.endswith(f"{report.END}\nafter\n")
    assert "| cold init | second |  |  |  |  | yes |" in text
    assert "stale" not in text
    assert "first" not in text


def test_a_document_without_the_marks_is_left_alone(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text("by hand\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has lost its marks"):
        report.write([], document)
    assert document.read_text(encoding="utf-8") == "by hand\n"


def test_the_published_figures_met_every_goal_when_they_were_taken() -> None:
    published = report.DOCUMENT.read_text(encoding="utf-8").partition(report.BEGIN)[2].partition(report.END)[0]
    rows = [row.strip("| ").split(" | ") for row in published.splitlines() if row.startswith("| ")]
    goals = [row for row in rows if row[-1] in ("yes", "no")]
    assert Counter(row[0] for row in goals) == {
        "cold init": 3,
        "cold start to first answer": 3,
        "memory, at most": 1,
        "package, zipped": 2,
        "warm answer": 1,
        "tick that refreshes": 1,
        "calls on the wire": 1,
        "1, 4, 16, 64, 256 consumers of one dead token: all live after": 1,
        "issuer calls for each such crowd": 1,
        "CPU time of a refresh": 1,
        "cdk synth, nothing changed": 1,
    }
    assert [row[0] for row in goals if row[-1] == "no"] == []


@pytest.mark.parametrize(
    ("more", "met"),
    [
        ({}, True),
        ({"UpdateItem": 1}, False),
        ({"GetSecretValue": 1}, False),
        ({"DeleteItem": 1}, False),
        ({"RefreshToken": 1}, False),
        ({"RefreshToken": -1}, False),
        ({"UpdateSecretVersionStage": -1}, True),
    ],
)
def test_a_refresh_meets_the_goal_with_no_call_more(more: dict[str, int], *, met: bool) -> None:
    writes, lock = ("PutSecretValue", "UpdateSecretVersionStage"), ("PutItem", "UpdateItem")
    calls = Counter(["GetSecretValue", "GetSecretValue", "RefreshToken", *writes, *lock])
    calls.update(more)
    assert warm.within(calls) is met


def test_reads_cost_by_their_number_and_traces_only_past_the_free_ones() -> None:
    few, many = ({item.what: item.usd for item in cost.reads(a_day)} for a_day in (1_000, 100_000))
    assert few["traces"] == 0
    assert many["GetSecretValue"] == pytest.approx(100 * few["GetSecretValue"]) == pytest.approx(15.2)


def test_what_is_billed_by_the_piece_is_what_prod_has() -> None:
    has = Counter(one["Type"] for one in template("prod")["Resources"].values())
    billed = {item.what: item.usd for item in cost.pair()}
    assert billed["secret"] == cost.SECRET * has["AWS::SecretsManager::Secret"]
    assert billed["keys of the secret and of the alarm topic"] == cost.KEY * has["AWS::KMS::Key"]
    assert billed["alarms"] == cost.ALARM * has["AWS::CloudWatch::Alarm"]


@pytest.mark.parametrize("peer", ["plain", "powertools"])
def test_a_peer_has_the_functions_own_versions(peer: str) -> None:
    theirs = pinned(ROOT / "bench" / "peers" / peer / "requirements.txt").items()
    ours = pinned(REQUIREMENTS).items()
    assert dict(theirs - ours).keys() <= {"aws-xray-sdk", "wrapt"}
    assert {"boto3", "botocore", "urllib3"} <= dict(theirs & ours).keys()
