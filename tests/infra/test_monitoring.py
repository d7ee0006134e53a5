"""The alarms. tests/function/test_handler.py has the same names and dimensions as printed."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from refresh_token import errors
from refresh_token.fleet.signals import FleetMetric
from refresh_token.signals import Metric
from tests.support.checkout import ROOT
from tests.support.synthesised import Resource, Synthesised

pytestmark = pytest.mark.xdist_group("synth")

TOPIC = [{"Ref": "AWS::SNS::Topic"}]


def alarms(synthesised: Synthesised) -> dict[str, Resource]:
    found = [alarm["Properties"] for alarm in synthesised.resources("AWS::CloudWatch::Alarm")]
    return {alarm["AlarmDescription"].partition("docs/runbook.md#")[2]: alarm for alarm in found}


def metrics_of(alarm: Resource) -> list[dict[str, Any]]:
    """Return the metrics that an alarm watches, alone or in an expression."""
    stats = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return stats or [alarm]


def test_the_function_sends_what_alarms_watch(every_stage: Synthesised) -> None:
    sent = {name for kind in (Metric, FleetMetric) for key, name in vars(kind).items() if not key.startswith("_")}
    services = [f"RefreshToken-{every_stage.stage}{part}" for part in ("", "-connections")]
    watched = [metric for alarm in alarms(every_stage).values() for metric in metrics_of(alarm)]
    own = [metric for metric in watched if metric["Namespace"] == "RefreshToken"]
    assert own
    for metric in own:
        assert metric["MetricName"] in sent
        *reasons, service = sorted(metric["Dimensions"], key=lambda dimension: dimension["Name"])
        assert service["Name"] == "service"
        assert service["Value"] in services
        assert all(hasattr(errors, reason["Value"]) for reason in reasons)


def test_the_topic_hears_of_start_and_end(every_stage: Synthesised) -> None:
    for alarm in alarms(every_stage).values():
        assert (alarm.get("AlarmActions"), alarm.get("OKActions")) == (TOPIC, TOPIC)
        assert alarm.get("ActionsEnabled", True)


@pytest.mark.parametrize(
    ("stage", "email", "warned"),
    [("prod", {}, True), ("prod", {"alarm_email": "a@b.example"}, False), ("dev", {}, False)],
)
def test_synthesis_says_that_nobody_listens(
    stage: str, email: dict[str, str], synthesise: Callable[..., Path], *, warned: bool
) -> None:
    written = [file.read_text(encoding="utf-8") for file in synthesise(stage, **email).parent.glob("*.json")]
    assert any(f"Nobody is told when an alarm of {stage} goes off" in text for text in written) is warned


def test_the_runbook_has_an_entry_for_each(every_stage: Synthesised) -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert set(alarms(every_stage)) <= anchors
