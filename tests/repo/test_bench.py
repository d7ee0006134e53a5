"""What `make bench` makes of its figures. The figures themselves are not tested: no test depends on time."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench import cost, fleet_cost, report, warm
from bench.figures import Line, compare
from bench.prices import US_EAST_1
from tests.support.checkout import ROOT
from tests.support.template import template
from token_refresher.bundling.bundle import REQUIREMENTS
from token_refresher.bundling.installed import pinned


@pytest.mark.parametrize(("ours", "met"), [([10.0, 40.0, 12.0], True), ([10.0, 12.6, 12.6], False)])
def test_a_line_compares_medians(ours: list[float], *, met: bool) -> None:
    line = compare(what="warm", ours=ours, peer="bare", theirs=[9.0, 10.0, 11.0], unit="ms", goal=1.25)
    assert (line.met, line.theirs, line.goal) == (met, "10 ms (9)", "≤ 1.25")
    assert line.ours.endswith("ms (10)")
    line = compare(what="warm", ours=[1.0], peer="bare", theirs=[2.0], unit="MB")
    assert (line.met, line.goal, line.ratio, line.ours) == (None, "", 0.5, "1 MB")


def test_only_text_between_the_marks_changes(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text("by hand\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has lost its marks"):
        report.write([], document)
    assert document.read_text(encoding="utf-8") == "by hand\n"
    document.write_text(f"before\n{report.BEGIN}\nstale\n{report.END}\nafter\n", encoding="utf-8")
    for figure in ("first", "second"):
        report.write([Line(what="cold init", ours=figure, met=True)], document)
    text = document.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{report.BEGIN}\n")
    assert text.endswith(f"{report.END}\nafter\n")
    assert "| cold init | second |  |  |  |  | yes |" in text
    assert [old for old in ("stale", "first") if old in text] == []


def test_a_fleet_costs_less_than_secrets(tmp_path: Path) -> None:
    fleet = fleet_cost.Fleet(connections=10_000)
    assert fleet_cost.as_secrets(fleet) == pytest.approx(4_008, abs=1)
    assert fleet_cost.total(fleet) < 10
    assert fleet_cost.total(replace(fleet, rotates=True, questions_a_day=1_000)) > fleet_cost.total(fleet)
    document = tmp_path / "fleet.md"
    document.write_text(f"{report.BEGIN}\n{report.END}\n", encoding="utf-8")
    report.write_fleet([], document)
    assert f"| **total** | | **{fleet_cost.total(fleet):.2f}** |" in document.read_text(encoding="utf-8")


def test_the_published_figures_meet_every_goal() -> None:
    published = report.DOCUMENT.read_text(encoding="utf-8").partition(report.BEGIN)[2].partition(report.END)[0]
    rows = [row.strip("| ").split(" | ") for row in published.splitlines() if row.startswith("| ")]
    goals = [row for row in rows if row[-1] in ("yes", "no")]
    assert len(goals) == 22
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
def test_one_more_call_misses_the_goal(more: dict[str, int], *, met: bool) -> None:
    writes, lock = ("PutSecretValue", "UpdateSecretVersionStage"), ("PutItem", "UpdateItem")
    calls = Counter(["GetSecretValue", "GetSecretValue", "RefreshToken", *writes, *lock])
    calls.update(more)
    assert warm.meets_goal(calls) is met


def test_reads_are_billed_by_number() -> None:
    few, many = ({item.what: item.usd for item in cost.reads(a_day)} for a_day in (1_000, 100_000))
    assert few["traces"] == 0
    assert many["GetSecretValue"] == pytest.approx(100 * few["GetSecretValue"]) == pytest.approx(15.2)


def resources(variant: str) -> Counter[str]:
    """Return how many resources of each type a template has, and how many metrics its alarms watch."""
    found = template(variant)["Resources"].values()
    alarms = [one["Properties"] for one in found if one["Type"] == "AWS::CloudWatch::Alarm"]
    watched = sum(sum("MetricStat" in query for query in alarm.get("Metrics", [])) or 1 for alarm in alarms)
    return Counter(one["Type"] for one in found) + Counter({"watched": watched})


def test_a_fleets_bill_matches_its_resources() -> None:
    has = resources("prod-fleet") - resources("prod-figma")
    billed = {item.what: item.usd for item in fleet_cost.bill(fleet_cost.Fleet(connections=1))}
    assert billed["key of table and tokens"] == US_EAST_1.key * has["AWS::KMS::Key"]
    assert billed["alarms"] == US_EAST_1.alarm_metric * has["watched"]
    assert billed["composite alarms"] == US_EAST_1.composite_alarm * has["AWS::CloudWatch::CompositeAlarm"]


def test_the_bill_matches_prods_resources() -> None:
    has = resources("prod")
    billed = {item.what: item.usd for item in cost.pair()}
    assert billed["secret"] == US_EAST_1.secret * has["AWS::SecretsManager::Secret"]
    assert billed["keys for the secret and the alarm topic"] == US_EAST_1.key * has["AWS::KMS::Key"]
    assert billed["alarms"] == US_EAST_1.alarm_metric * has["watched"]
    assert billed["composite alarms"] == US_EAST_1.composite_alarm * has["AWS::CloudWatch::CompositeAlarm"]


@pytest.mark.parametrize("peer", ["plain", "powertools"])
def test_a_peer_has_our_versions(peer: str) -> None:
    theirs = pinned(ROOT / "bench" / "peers" / peer / "requirements.txt").items()
    ours = pinned(REQUIREMENTS).items()
    assert dict(theirs - ours).keys() <= {"aws-xray-sdk", "wrapt"}
    assert {"boto3", "botocore", "urllib3"} <= dict(theirs & ours).keys()
