"""What must hold in every stack. Policies, alarms and retention have their own modules."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from refresh_token.events import Tick, parse_event
from tests.support.synthesised import APP_SECRET, Synthesised, by_type

pytestmark = pytest.mark.xdist_group("synth")


def test_no_template_holds_or_writes_a_token(every_stage: Synthesised) -> None:
    for secret in (every_stage.only("AWS::SecretsManager::Secret"), *every_stage.resources(APP_SECRET)):
        assert sorted(set(secret["Properties"]) - {"KmsKeyId"}) == ["Description", "Tags"]
    words = ("SecretString", "GenerateSecretString", "accessToken", "refreshToken", "clientId", "clientSecret")
    for word in (*words, "figd_", "resolve:"):
        assert word not in every_stage.text


ALWAYS_SET = {
    *("SECRET_ARN", "LOCK_TABLE", "ADVISORY_WINDOW_SECONDS", "MANDATORY_WINDOW_SECONDS"),
    *("POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"),
}


def other_variables(function: dict[str, Any]) -> dict[str, Any]:
    variables = function["Environment"]["Variables"]
    assert variables.keys() >= ALWAYS_SET
    return {key: value for key, value in variables.items() if key not in ALWAYS_SET}


class TestIssuer:
    @pytest.mark.parametrize(
        ("overrides", "variables"),
        [
            (
                {"issuer": "figma", "figma_base_url": "http://127.0.0.1:9999"},
                {"ISSUER": "figma", "FIGMA_BASE_URL": "http://127.0.0.1:9999", "ALLOW_HTTP_ISSUER": "true"},
            ),
            (
                {"issuer": "oauth2", "oauth2_token_url": "https://h/token"},
                {
                    "ISSUER": "oauth2",
                    "OAUTH2_TOKEN_URL": "https://h/token",
                    "OAUTH2_CLIENT_AUTH": "basic",
                    "OAUTH2_DEFAULT_LIFETIME": "3600",
                },
            ),
        ],
    )
    def test_http_is_allowed_only_where_used(
        self, synthesise: Callable[..., Path], overrides: dict[str, str], variables: dict[str, str]
    ) -> None:
        template = json.loads(synthesise("local", **overrides).read_text(encoding="utf-8"))
        (function,) = [one for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
        found = other_variables(function["Properties"])
        assert {key: value for key, value in found.items() if key != "APP_SECRET_ARN"} == variables

    def test_another_number_is_another_signing_key(self, synthesise: Callable[..., Path]) -> None:
        files = [synthesise("dev", issuer="google-service-account", issuer_key_number=number) for number in ("1", "2")]
        keys = [
            name for file in files for name, one in resources(file).items() if "Origin" in one.get("Properties", {})
        ]
        assert len(set(keys)) == len(files)

    def test_another_one_moves_nothing(self, template_file: Callable[[str], Path]) -> None:
        amplify, figma = (set(resources(template_file(variant))) for variant in ("prod", "prod-figma"))
        assert figma - amplify - version_ids(template_file("prod-figma")) == {"AppSecretFAB5164C"}
        assert amplify - figma == version_ids(template_file("prod")), "a change of the configuration is another version"


def test_settings_reach_the_resources(synthesise: Callable[..., Path]) -> None:
    overrides = {"amplifyuibuilder_endpoint_url": "http://127.0.0.1:9999", "reserved_concurrency": "3"}
    overrides |= {"memory_mb": "1024", "timeout_seconds": "120", "architecture": "arm64", "log_retention_days": "7"}
    timing = {"refresh_margin_seconds": "600", "refresh_policy": "demand", "grant_idle_days": "60"}
    timing |= {"grant_absolute_days": "365"}
    overrides |= {**timing, "snap_start": "true", "customer_managed_key": "true", "alarm_email": "on-call@example.com"}
    template = by_type(json.loads(synthesise("local", **overrides).read_text(encoding="utf-8")))
    kinds = {resource["Type"]: resource["Properties"] for resource in template["Resources"].values()}
    function = kinds["AWS::Lambda::Function"]
    assert other_variables(function) == {
        "AWS_ENDPOINT_URL_AMPLIFYUIBUILDER": "http://127.0.0.1:9999",
        **{key.upper(): value for key, value in timing.items()},
    }
    assert (function["MemorySize"], function["Timeout"], function["ReservedConcurrentExecutions"]) == (1024, 120, 3)
    assert function["Architectures"] == ["arm64"]
    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert kinds["AWS::SecretsManager::Secret"]["KmsKeyId"] == {"Fn::GetAtt": ["AWS::KMS::Key", "Arn"]}
    subscription = {"Endpoint": "on-call@example.com", "Protocol": "email", "TopicArn": {"Ref": "AWS::SNS::Topic"}}
    assert kinds["AWS::SNS::Subscription"] == subscription
    assert kinds["AWS::Logs::LogGroup"]["RetentionInDays"] == 7


class TestAlias:
    def test_only_code_and_configuration_publish_a_version(
        self, template_file: Callable[[str], Path], synthesise: Callable[..., Path], tmp_path: Path
    ) -> None:
        before = version_ids(template_file("dev"))
        changed = tmp_path / ("1" * 64)
        changed.mkdir()
        (changed / "handler.py").touch()
        assert len(before) == 1
        assert version_ids(synthesise("dev", asset=changed)).isdisjoint(before)
        assert version_ids(synthesise("dev", mandatory_window_hours="25")).isdisjoint(before)
        assert version_ids(synthesise("dev", schedule="rate(6 hours)", log_retention_days="7")) == before


class TestSchedule:
    def test_the_function_takes_its_event_for_a_tick(self, dev: Synthesised) -> None:
        separator, parts = dev.only("AWS::Scheduler::Schedule")["Properties"]["Target"]["Input"]["Fn::Join"]
        event = json.loads(separator.join(part if isinstance(part, str) else "x" for part in parts))
        assert isinstance(parse_event(event), Tick)
        assert (event["id"], event["time"]) == ("<aws.scheduler.execution-id>", "<aws.scheduler.scheduled-time>")


class TestWhatOthersFind:
    def test_tags_name_the_application_and_stage(self, every_stage: Synthesised) -> None:
        untaggable = {
            *("AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::LayerVersion"),
            *("AWS::Lambda::Version", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::Scheduler::Schedule"),
        }
        found = every_stage.template["Resources"].values()
        tags = [resource["Properties"].get("Tags") for resource in found if resource["Type"] not in untaggable]
        assert tags
        expected = {"Application": "refresh-token", "Stage": every_stage.stage}
        listed = [{"Key": key, "Value": value} for key, value in expected.items()]
        assert all(tag in (listed, expected) for tag in tags), "Parameter Store takes a mapping, the others a list"


def test_synthesis_is_reproducible(template_file: Callable[[str], Path], synthesise: Callable[..., Path]) -> None:
    assert synthesise("dev").read_bytes() == template_file("dev").read_bytes()


def resources(template: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(template.read_text(encoding="utf-8"))["Resources"]
    return found


def version_ids(template: Path) -> set[str]:
    return {name for name, resource in resources(template).items() if resource["Type"] == "AWS::Lambda::Version"}
