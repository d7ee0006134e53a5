"""The settings of a stage's fleet: what they may be, and what the functions get to know."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from refresh_token.fleet.settings import FleetSettings
from tests.support.stage_settings import faults, read
from token_refresher.settings.reader import SettingsError

pytestmark = pytest.mark.xdist_group("synth")

FLEET = {"connections": "true"}
ZENDESK = {"zendesk": {"params": {"subdomain": "acme"}}}
OAUTH2 = {"oauth2": {"token_url": "https://sign-in.example/token"}}
ANOTHER = '{"figma": {"base_url": "https://a.example"}}'


class TestProviders:
    @pytest.mark.parametrize(
        ("given", "names"),
        [
            ({}, ["figma"]),
            ({"issuer": "figma"}, ["figma"]),
            ({"issuer": "linear"}, ["linear"]),
            ({"providers": "linear, hubspot"}, ["linear", "hubspot"]),
            ({"providers": ["linear"]}, ["linear"]),
            ({"providers": '["amplify", "linear"]'}, ["figma", "linear"]),
            ({"providers": json.dumps(ZENDESK)}, ["zendesk"]),
            (
                {"providers": {"oauth2": {"token_url": "https://sign-in.example/token"}, **ZENDESK}},
                ["oauth2", "zendesk"],
            ),
        ],
    )
    def test_they_are_the_stacks_issuer_or_named(
        self, context: dict[str, Any], given: dict[str, Any], names: list[str]
    ) -> None:
        fleet = read(context, **FLEET, **given).fleet
        assert fleet
        assert [issuer.provider for issuer in fleet.providers] == names

    @pytest.mark.parametrize(
        ("given", "fault"),
        [
            ({"providers": "linear,linear"}, "must name each provider once, and linear is there twice"),
            ({"providers": "amplify,figma"}, "figma: is there twice. Name each provider once"),
            ({"providers": "linnear"}, "Did you mean linear"),
            ({"providers": "{"}, "must be names of issuers with commas between them, or a JSON object"),
            ({"providers": "{}"}, "must be names of issuers"),
            ({"providers": '{"linear": 1}'}, "must be names of issuers"),
            ({"providers": "static"}, "static: has tokens that a person renews"),
            ({"providers": "google-service-account"}, "needs a KMS key that signs for its only app"),
            ({"issuer": "static"}, "static: has tokens that a person renews"),
            ({"providers": "zendesk"}, "zendesk: params=: "),
            ({"providers": "oauth2"}, "oauth2: token_url=: must be set"),
            ({"providers": '{"linear": {"colour": "red"}}'}, "linear: colour=red: is not a setting"),
            (
                {"issuer": "figma", "providers": '{"figma": {"base_url": "https://a.example"}}'},
                "its own settings count",
            ),
        ],
    )
    def test_a_fault_says_what_to_do(self, context: dict[str, Any], given: dict[str, Any], fault: str) -> None:
        (found,) = faults(context, **FLEET, **given)
        assert found.startswith("providers=")
        assert fault in found

    def test_too_many_do_not_fit(self, synthesise: Callable[..., Path]) -> None:
        long = {name: {"scope": " ".join(f"scope:{number}" for number in range(300))} for name in ("linear", "hubspot")}
        with pytest.raises(SettingsError, match=r"at most 4096. Put some of the providers into another stack"):
            synthesise("dev", **FLEET, providers=json.dumps(long))


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"connections": "yes"}, "connections=yes: must be true or false"),
        ({**FLEET, "refreshes_per_second": "0"}, "refreshes_per_second=0: must be a whole number from 1 to 1000"),
        ({**FLEET, "max_workers": "1"}, "max_workers=1: must be a whole number from 2 to 1000"),
        ({**FLEET, "connection_policy": "hot"}, "connection_policy=hot: must be auto, warm or demand"),
        ({**FLEET, "idle_refresh_days": "0"}, "idle_refresh_days=0: must be a whole number from 1"),
        ({**FLEET, "seal_access_tokens": "1"}, "seal_access_tokens=1: must be true or false"),
        ({"event_bus": "a bus"}, "event_bus=a bus: must be the name or the ARN of an EventBridge bus"),
        ({"event_bus": "arn:aws:events:eu-west-1:1:event-bus/x"}, "event_bus=arn:aws:events:eu-west-1:1:event-bus/x: "),
        ({"max_workers": "5"}, "max_workers=5: has no effect without connections=true. Remove it, or set connections"),
        ({"providers": "linear"}, "providers=linear: has no effect without connections=true"),
    ],
)
def test_a_wrong_setting_is_named(context: dict[str, Any], given: dict[str, str], fault: str) -> None:
    (found,) = faults(context, **given)
    assert found.startswith(fault)


def functions_of(template: Path) -> dict[str, dict[str, Any]]:
    found = json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
    functions = [one["Properties"] for one in found if one["Type"] == "AWS::Lambda::Function"]
    return {one["Handler"].split(".")[1].removesuffix("_handler"): one for one in functions}


def as_deployed(variables: dict[str, Any]) -> dict[str, str]:
    """Return variables with each reference replaced by a name."""

    def text(value: Any) -> str:
        match value:
            case {"Fn::Join": [separator, parts]}:
                return str(separator.join(map(text, parts)))
            case dict():
                return re.sub(r"\W", "", json.dumps(value))
        return str(value)

    return {name: text(value) for name, value in variables.items()}


def test_a_tick_ends_before_the_next(synthesise: Callable[..., Path]) -> None:
    functions = functions_of(synthesise("dev", **FLEET, timeout_seconds="900"))
    assert {part: functions[part]["Timeout"] for part in ("connections", "worker", "dispatcher")} == {
        "connections": 900,
        "worker": 900,
        "dispatcher": 70,
    }


def test_the_functions_understand_their_settings(synthesise: Callable[..., Path]) -> None:
    given = {"refreshes_per_second": "7", "max_workers": "3", "connection_policy": "demand", "idle_refresh_days": "20"}
    given |= {"seal_access_tokens": "true", "event_bus": "design", "refresh_margin_seconds": "300"}
    given |= {"grant_idle_days": "90", "providers": json.dumps({"figma": {}, **ZENDESK})}
    template = synthesise("dev", **FLEET, issuer="figma", **given)
    functions = functions_of(template)
    for part in ("connections", "worker", "dispatcher"):
        settings = FleetSettings.from_environment(as_deployed(functions[part]["Environment"]["Variables"]))
        assert (settings.refreshes_per_second, settings.policy, settings.event_bus) == (7, "demand", "design")
        assert settings.seal_access_tokens
        figma, zendesk = settings.providers["figma"], settings.providers["zendesk"]
        days, seconds = timedelta(days=1), timedelta(seconds=1)
        assert (figma.rotates, figma.windows.margin, figma.grant_life.idle) == (False, 300 * seconds, 90 * days)
        assert (zendesk.rotates, zendesk.variables["ISSUER_PARAMS"]) == (True, '{"subdomain": "acme"}')
        assert all(provider.variables["APP_SECRET_ARN"] for provider in (figma, zendesk))
        assert figma.grant_life.refresh_after == 20 * days
    assert FLEET.keys().isdisjoint(functions["connections"]["Environment"]["Variables"])
    assert functions["handler"]["Environment"]["Variables"]["EVENT_BUS"] == "design"


@pytest.mark.parametrize(("providers", "batch", "timeout"), [("figma", 10, 210), ("figma,linear", 1, 60)])
def test_a_killed_worker_costs_one_grant(
    synthesise: Callable[..., Path], providers: str, batch: int, timeout: int
) -> None:
    template = synthesise("dev", **FLEET, issuer="figma", providers=providers)
    resources = json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
    (mapping,) = [one["Properties"] for one in resources if one["Type"] == "AWS::Lambda::EventSourceMapping"]
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (batch, {"MaximumConcurrency": 10})
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert functions_of(template)["worker"]["Timeout"] == timeout
    (queue,) = [one["Properties"] for one in resources if "RedrivePolicy" in one.get("Properties", {})]
    assert queue["VisibilityTimeout"] == 6 * timeout


def test_alarms_and_dashboard_can_be_off(synthesise: Callable[..., Path]) -> None:
    text = synthesise("dev", **FLEET, alarms="false", dashboard="false").read_text(encoding="utf-8")
    assert "AWS::CloudWatch::" not in text
    assert "AWS::SNS::Topic" not in text


def test_a_local_cloud_gets_what_it_can_watch(synthesise: Callable[..., Path]) -> None:
    text = synthesise("local", **FLEET).read_text(encoding="utf-8")
    assert [
        word for word in ("Composite", '"Expression"', "LeadingKeys", "EncryptionContextKeys") if word in text
    ] == []
    assert "ConnectionsStuck" in text
