"""The alarms and the dashboard. tests/function/test_handler.py has the same names and dimensions as printed."""

import json
import re
from typing import Any

import pytest

from refresh_token.signals import Metric
from tests.support.checkout import ROOT
from tests.support.synthesised import Resource, Synthesised

pytestmark = pytest.mark.xdist_group("synth")

TOPIC = [{"Ref": "AWS::SNS::Topic"}]


def alarms(synthesised: Synthesised) -> dict[str, Resource]:
    found = [alarm["Properties"] for alarm in synthesised.resources("AWS::CloudWatch::Alarm")]
    return {alarm["AlarmDescription"].partition("docs/runbook.md#")[2]: alarm for alarm in found}


def test_the_function_sends_what_alarms_watch(every_stage: Synthesised) -> None:
    sent = {name for key, name in vars(Metric).items() if not key.startswith("_")}
    own = [alarm for alarm in alarms(every_stage).values() if alarm["Namespace"] == "RefreshToken"]
    assert own
    for alarm in own:
        assert alarm["MetricName"] in sent
        assert alarm["Dimensions"] == [{"Name": "service", "Value": f"RefreshToken-{every_stage.stage}"}]


def test_the_topic_hears_of_start_and_end(every_stage: Synthesised) -> None:
    for alarm in alarms(every_stage).values():
        assert (alarm.get("AlarmActions"), alarm.get("OKActions")) == (TOPIC, TOPIC)
        assert alarm.get("ActionsEnabled", True)


def test_the_runbook_has_an_entry_for_each(every_stage: Synthesised) -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert set(alarms(every_stage)) <= anchors


def body(synthesised: Synthesised) -> dict[str, Any]:
    """Return the dashboard, with a word instead of each reference."""
    separator, parts = synthesised.only("AWS::CloudWatch::Dashboard")["Properties"]["DashboardBody"]["Fn::Join"]
    text = separator.join(part if isinstance(part, str) else "<reference>" for part in parts)
    dashboard: dict[str, Any] = json.loads(text)
    return dashboard


def test_the_dashboard_shows_every_metric_and_alarm(every_stage: Synthesised) -> None:
    widgets = [widget["properties"] for widget in body(every_stage)["widgets"]]
    shown = {metric[1] for widget in widgets for metric in widget.get("metrics", []) if isinstance(metric[0], str)}
    assert shown == {
        *(
            "SecondsUntilExpiry",
            "SecondsUntilGrantExpiry",
            "Ticked",
            "Refreshed",
            "Recovered",
            "Degraded",
            "RefreshFailed",
        ),
        *("Duration", "Invocations", "Errors", "Throttles", "ApproximateNumberOfMessagesVisible"),
    }
    service = f"RefreshToken-{every_stage.stage}"
    expressions = [
        metric[0]["expression"]
        for widget in widgets
        for metric in widget.get("metrics", [])
        if isinstance(metric[0], dict)
    ]
    schema = "{RefreshToken,reason,service}"
    assert expressions == [f"SEARCH('{schema} MetricName=\"RefreshFailed\" service=\"{service}\"', 'Sum', 3600)"]
    assert [len(widget["alarms"]) for widget in widgets if "alarms" in widget] == [8]
    assert [widget["query"].startswith("SOURCE '<reference>'") for widget in widgets if "query" in widget] == [True]
