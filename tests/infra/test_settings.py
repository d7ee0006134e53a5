from typing import Any

import pytest

from infra.stage_settings import STAGES, StageSettings
from tests.support.stage_settings import faults, read
from token_refresher.settings.reader import SettingsError
from token_refresher.settings.refresher_settings import RefresherSettings

RETENTION_RULE = (
    "must be 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or "
    "3653, the days that CloudWatch Logs knows"
)
SLOW_RULE = "must tick twice within advisory_window_hours=168, but two ticks can take 192 hours"
URL_RULE = "must be a URL such as http://127.0.0.1:9999, without user, query or fragment"
KEYS = (
    "schedule, advisory_window_hours, mandatory_window_hours, issuer, figma_base_url, oauth2_token_url, "
    "oauth2_client_auth, oauth2_scope, oauth2_extra_parameters, oauth2_default_lifetime_seconds, "
    "log_retention_days, architecture, memory_mb, "
    "timeout_seconds, reserved_concurrency, snap_start, customer_managed_key, alarm_email or "
    "amplifyuibuilder_endpoint_url"
)


def test_dev_is_the_stage_when_none_is_named(context: dict[str, Any]) -> None:
    assert read(context).stack_name == "RefreshToken-dev"


def test_every_stage_in_cdk_json_is_sound(context: dict[str, Any]) -> None:
    stages = {name: read(context, stage=name) for name in context["stages"]}
    assert {name: stage.schedule for name, stage in stages.items()} == {
        "dev": "rate(12 hours)",
        "prod": "rate(6 hours)",
        "local": "rate(1 minute)",
    }
    assert [name for name, stage in stages.items() if stage.retain_data] == ["prod"]


@pytest.mark.parametrize("stage", ["qa", "", "PROD", 3, None, ["dev"]])
def test_an_unknown_stage_is_refused_by_name(context: dict[str, Any], stage: object) -> None:
    assert faults(context, stage=stage) == (
        f"stage={stage}: must be one of dev, prod or local, with its own block in cdk.json",
    )


@pytest.mark.parametrize("stages", [None, "dev", {}, {"dev": "rate(1 day)"}])
def test_a_stage_without_a_block_of_its_own_is_refused(context: dict[str, Any], stages: object) -> None:
    assert faults(context, stages=stages) == (
        "stage=dev: must be one of dev, prod or local, with its own block in cdk.json",
    )


def test_a_string_from_the_command_line_overrides_each_key(context: dict[str, Any]) -> None:
    overrides = {
        "schedule": "cron(0 6,18 * * ? *)",
        "issuer": "amplify",
        "architecture": "x86_64",
        "log_retention_days": "7",
        "memory_mb": "1024",
        "advisory_window_hours": "96",
        "mandatory_window_hours": "12",
        "timeout_seconds": "90",
        "reserved_concurrency": "2",
        "snap_start": "true",
        "customer_managed_key": "true",
        "alarm_email": "on-call@example.com",
        "amplifyuibuilder_endpoint_url": "https://stand-in.example:8443/base",
    }
    assert read(context, **overrides) == StageSettings(
        stage="dev",
        schedule="cron(0 6,18 * * ? *)",
        issuer="amplify",
        architecture="x86_64",
        log_retention_days=7,
        memory_mb=1024,
        advisory_window_hours=96,
        mandatory_window_hours=12,
        timeout_seconds=90,
        reserved_concurrency=2,
        snap_start=True,
        customer_managed_key=True,
        alarm_email="on-call@example.com",
        amplifyuibuilder_endpoint_url="https://stand-in.example:8443/base",
    )


def test_an_empty_override_takes_an_optional_setting_away(context: dict[str, Any]) -> None:
    block = {**context["stages"]["dev"], "reserved_concurrency": 5, "amplifyuibuilder_endpoint_url": "http://x"}
    settings = read({**context, "stages": {"dev": block}}, reserved_concurrency="", amplifyuibuilder_endpoint_url="")
    assert (settings.reserved_concurrency, settings.amplifyuibuilder_endpoint_url) == (None, None)


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("schedule", "", "must be a text that is not empty"),
        ("schedule", 5, "must be a text that is not empty"),
        ("schedule", "rate(1 hours)", "must say rate(1 hour)"),
        (
            "schedule",
            "rate(85 hours)",
            "must tick twice within advisory_window_hours=168, but two ticks can take 170 hours",
        ),
        ("issuer", "github", "must be amplify, figma or oauth2"),
        ("architecture", "i386", "must be arm64 or x86_64"),
        ("architecture", "machine", "must be arm64 or x86_64"),
        ("log_retention_days", "8", RETENTION_RULE),
        ("log_retention_days", True, RETENTION_RULE),
        ("memory_mb", "127", "must be a whole number from 128 to 10240 MB, Lambda's limits"),
        ("memory_mb", "10241", "must be a whole number from 128 to 10240 MB, Lambda's limits"),
        ("memory_mb", 512.5, "must be a whole number from 128 to 10240 MB, Lambda's limits"),
        ("advisory_window_hours", "-1", "must be a whole number from 2 to 2160 hours, 90 days at most"),
        ("advisory_window_hours", "٣", "must be a whole number from 2 to 2160 hours, 90 days at most"),
        ("advisory_window_hours", "2161", "must be a whole number from 2 to 2160 hours, 90 days at most"),
        ("mandatory_window_hours", "0", "must be a whole number from 1 to 2159 hours"),
        ("mandatory_window_hours", "168", "must be less than advisory_window_hours=168"),
        (
            "timeout_seconds",
            "44",
            "must be a whole number from 58 to 900 seconds: three attempts at the issuer, and Lambda's limit",
        ),
        ("reserved_concurrency", "0", "must be a whole number from 1 to 1000"),
        ("reserved_concurrency", "many", "must be a whole number from 1 to 1000"),
        ("amplifyuibuilder_endpoint_url", "127.0.0.1:9999", URL_RULE),
        ("amplifyuibuilder_endpoint_url", "ftp://127.0.0.1", URL_RULE),
        ("amplifyuibuilder_endpoint_url", "http://", URL_RULE),
        ("amplifyuibuilder_endpoint_url", "http://host:99999", URL_RULE),
        ("amplifyuibuilder_endpoint_url", "http://ho st", URL_RULE),
        ("amplifyuibuilder_endpoint_url", 9999, URL_RULE),
        ("schedule", "rate(4 days)", SLOW_RULE),
        ("snap_start", "yes", "must be true or false"),
        ("snap_start", 1, "must be true or false"),
        ("customer_managed_key", "True", "must be true or false"),
        ("alarm_email", "on-call", "must be one e-mail address"),
        ("alarm_email", "a@example.com, b@example.com", "must be one e-mail address"),
    ],
)
def test_a_setting_that_breaks_a_rule_is_refused_with_key_value_and_rule(
    context: dict[str, Any], key: str, value: object, rule: str
) -> None:
    assert faults(context, **{key: value}) == (f"{key}={value}: {rule}",)


def test_a_setting_that_is_taken_away_and_has_to_be_there_is_refused(context: dict[str, Any]) -> None:
    assert faults(context, memory_mb="") == (
        "memory_mb=: must be a whole number from 128 to 10240 MB, Lambda's limits",
    )


def test_a_block_may_leave_everything_to_the_defaults(context: dict[str, Any]) -> None:
    settings = read(context, stages={"dev": {}})
    assert settings == StageSettings(stage="dev")
    assert (settings.advisory_window_hours, settings.mandatory_window_hours, settings.timeout_seconds) == (168, 24, 60)


def test_a_schedule_whose_missing_tick_no_alarm_could_notice_is_refused(context: dict[str, Any]) -> None:
    assert read(context, schedule="rate(84 hours)", advisory_window_hours="2160").schedule == "rate(84 hours)"
    rule = "must tick twice within 7 days, as far back as an alarm can look, but two ticks can take 170 hours"
    found = faults(context, schedule="rate(85 hours)", advisory_window_hours="2160")
    assert found == (f"schedule=rate(85 hours): {rule}",)


def test_settings_from_anywhere_are_checked_by_the_same_rules() -> None:
    assert RefresherSettings.checked() == RefresherSettings()
    with pytest.raises(SettingsError) as refused:
        RefresherSettings.checked(schedule="rate(9 days)", alarm_email="me", architecture="machine")
    assert refused.value.faults == (
        "architecture=machine: must be arm64 or x86_64",
        "alarm_email=me: must be one e-mail address",
        "schedule=rate(9 days): must tick twice within advisory_window_hours=168, but two ticks can take 432 hours",
    )


def test_the_slowest_schedule_that_ticks_twice_in_the_advisory_window_is_accepted(context: dict[str, Any]) -> None:
    assert read(context, schedule="rate(84 hours)").schedule == "rate(84 hours)"


def test_an_unknown_key_in_a_stage_block_is_refused(context: dict[str, Any]) -> None:
    block = {**context["stages"]["dev"], "colour": "red"}
    assert faults(context, stages={"dev": block}) == (f"colour=red: is no setting; the keys are {KEYS}",)


def test_a_misspelt_override_is_refused_with_the_right_spelling(context: dict[str, Any]) -> None:
    assert faults(context, advisory_window_hour="48") == (
        "advisory_window_hour=48: is no setting; did you mean advisory_window_hours?",
    )


def test_context_that_belongs_to_others_is_left_alone(context: dict[str, Any]) -> None:
    assert read(context, **{"@aws-cdk/core:newFlag": True, "vpc-provider:x": {}, "colour": "red"}).stage == "dev"


def test_prod_refuses_to_send_tokens_to_another_endpoint(context: dict[str, Any]) -> None:
    url = "https://stand-in.example"
    assert faults(context, stage="prod", amplifyuibuilder_endpoint_url=url) == (
        f"amplifyuibuilder_endpoint_url={url}: must not be set on prod: it would send the refresh token elsewhere",
    )


def test_all_faults_are_reported_at_once_one_line_each(context: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as refused:
        read(context, memory_mb="12", issuer="x", schedule="rate(9 days)", mandatory_window_hours="400")
    assert str(refused.value).splitlines() == [
        "issuer=x: must be amplify, figma or oauth2",
        "memory_mb=12: must be a whole number from 128 to 10240 MB, Lambda's limits",
        "mandatory_window_hours=400: must be less than advisory_window_hours=168",
        "schedule=rate(9 days): must tick twice within advisory_window_hours=168, but two ticks can take 432 hours",
    ]


@pytest.mark.parametrize(
    ("machine", "architecture"),
    [("x86_64", "x86_64"), ("AMD64", "x86_64"), ("aarch64", "arm64"), ("arm64", "arm64")],
)
def test_the_local_stage_follows_the_machine_and_dev_does_not(
    context: dict[str, Any], machine: str, architecture: str
) -> None:
    stages = {name: StageSettings.from_context({**context, "stage": name}, machine=lambda: machine) for name in STAGES}
    assert {name: settings.architecture for name, settings in stages.items()} == {
        "dev": "arm64",
        "prod": "arm64",
        "local": architecture,
    }
