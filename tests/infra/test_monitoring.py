"""The alarms and the dashboard. tests/function/test_handler.py has the same names and dimensions as printed."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from refresh_token import errors
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
    sent = {name for key, name in vars(Metric).items() if not key.startswith("_")}
    watched = [metric for alarm in alarms(every_stage).values() for metric in metrics_of(alarm)]
    own = [metric for metric in watched if metric["Namespace"] == "RefreshToken"]
    assert own
    for metric in own:
        assert metric["MetricName"] in sent
        *reasons, service = sorted(metric["Dimensions"], key=lambda dimension: dimension["Name"])
        assert service == {"Name": "service", "Value": f"RefreshToken-{every_stage.stage}"}
        assert all(hasattr(errors, reason["Value"]) for reason in reasons)


def test_the_topic_hears_of_start_and_end(every_stage: Synthesised) -> None:
    for alarm in alarms(every_stage).values():
        assert (alarm.get("AlarmActions"), alarm.get("OKActions")) == (TOPIC, TOPIC)
        assert alarm.get("ActionsEnabled", True)


def test_two_alarms_sum_up_all_others(every_stage: Synthesised) -> None:
    composites = [one["Properties"] for one in every_stage.resources("AWS::CloudWatch::CompositeAlarm")]
    parts = Counter(text for one in composites for text in re.findall(r"ALARM\(", json.dumps(one["AlarmRule"])))
    emulated = every_stage.stage == "local"
    assert sum(parts.values()) == (0 if emulated else len(alarms(every_stage)))
    assert len(composites) == (0 if emulated else 2)
    assert all({"AlarmName", "AlarmActions"}.isdisjoint(one) for one in composites)


@pytest.mark.parametrize(
    ("stage", "email", "warned"),
    [("prod", {}, True), ("prod", {"alarm_email": "a@b.example"}, False), ("dev", {}, False)],
)
def test_synthesis_says_that_nobody_listens(
    stage: str, email: dict[str, str], synthesise: Callable[..., Path], *, warned: bool
) -> None:
    written = [file.read_text(encoding="utf-8") for file in synthesise(stage, **email).parent.glob("*.json")]
    assert any(f"Nobody is told when an alarm of {stage} goes off" in text for text in written) is warned


def test_an_emulator_gets_no_alarm_it_refuses(synthesised: Callable[[str], Synthesised]) -> None:
    assert not [alarm for alarm in alarms(synthesised("local")).values() if "Metrics" in alarm]


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
            *("NeedsSignIn", "PairNotStored", "Failing", "Overdue", "GrantEnding"),
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
    assert expressions == [
        f"SEARCH('{schema} MetricName=\"{name}\" service=\"{service}\"', 'Sum', 3600)"
        for name in ("RefreshFailed", "Failures")
    ]
    composites = every_stage.resources("AWS::CloudWatch::CompositeAlarm")
    shown_alarms = [len(widget["alarms"]) for widget in widgets if "alarms" in widget]
    assert shown_alarms == [len(alarms(every_stage)) + len(composites)]
    assert [widget["query"].startswith("SOURCE '<reference>'") for widget in widgets if "query" in widget] == [True]
