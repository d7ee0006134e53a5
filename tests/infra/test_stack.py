import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.synthesised import APP_SECRET, SECRETS_KEY, Synthesised, by_type

pytestmark = pytest.mark.xdist_group("synth")

QUEUE_ARN = {"Fn::GetAtt": ["AWS::SQS::Queue", "Arn"]}


def test_no_template_holds_a_token_or_a_way_to_write_one(every_stage: Synthesised) -> None:
    for secret in (every_stage.only("AWS::SecretsManager::Secret"), *every_stage.resources(APP_SECRET)):
        assert sorted(set(secret["Properties"]) - {"KmsKeyId"}) == ["Description", "Tags"]
    words = ("SecretString", "GenerateSecretString", "accessToken", "refreshToken", "clientId", "clientSecret")
    for word in (*words, "figd_", "resolve:"):
        assert word not in every_stage.text


def test_the_function_runs_as_configured(dev: Synthesised) -> None:
    function = dev.only("AWS::Lambda::Function")["Properties"]
    elsewhere = ("Code", "Tags", "Description")
    assert {key: value for key, value in function.items() if key not in elsewhere} == {
        "Architectures": ["arm64"],
        "Environment": {
            "Variables": {
                "SECRET_ARN": {"Fn::GetAtt": ["AWS::SecretsManager::Secret", "Id"]},
                "LOCK_TABLE": {"Ref": "AWS::DynamoDB::Table"},
                "ADVISORY_WINDOW_SECONDS": "604800",
                "MANDATORY_WINDOW_SECONDS": "86400",
                "POWERTOOLS_SERVICE_NAME": "RefreshToken-dev",
                "POWERTOOLS_LOG_LEVEL": "INFO",
            }
        },
        "Handler": "refresh_token.handler.lambda_handler",
        "LoggingConfig": {"LogGroup": {"Ref": "AWS::Logs::LogGroup"}},
        "MemorySize": 512,
        "Role": {"Fn::GetAtt": ["AWS::IAM::Role", "Arn"]},
        "Runtime": "python3.13",
        "Timeout": 60,
        "TracingConfig": {"Mode": "Active"},
    }


def issuer_environment(function: dict[str, object]) -> dict[str, object]:
    """Return the variables that are not the same with every issuer."""
    same = {"SECRET_ARN", "LOCK_TABLE", "ADVISORY_WINDOW_SECONDS", "MANDATORY_WINDOW_SECONDS"}
    same |= {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}
    environment = function["Environment"]
    assert isinstance(environment, dict)
    assert same <= set(environment["Variables"])
    return {key: value for key, value in environment["Variables"].items() if key not in same}


def test_the_function_is_told_who_refreshes(every_stage: Synthesised) -> None:
    app = {"APP_SECRET_ARN": {"Fn::GetAtt": [APP_SECRET, "Id"]}}
    assert (
        issuer_environment(every_stage.only("AWS::Lambda::Function")["Properties"])
        == {
            "amplify": {},
            "figma": {"ISSUER": "figma", "FIGMA_BASE_URL": "https://api.figma.com", **app},
            "oauth2": {
                "ISSUER": "oauth2",
                "OAUTH2_TOKEN_URL": "https://sign-in.example/token?tenant=1",
                "OAUTH2_CLIENT_AUTH": "post",
                "OAUTH2_SCOPE": "files:read offline",
                "OAUTH2_EXTRA_PARAMETERS": '{"audience": "a", "resource": "r"}',
                "OAUTH2_DEFAULT_LIFETIME": "600",
                **app,
            },
        }[every_stage.issuer]
    )


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (
            {"issuer": "figma", "figma_base_url": "http://127.0.0.1:9999"},
            {"ISSUER": "figma", "FIGMA_BASE_URL": "http://127.0.0.1:9999", "ALLOW_HTTP_ISSUER": "true"},
        ),
        (
            {"issuer": "oauth2", "oauth2_token_url": "https://sign-in.example/token"},
            {
                "ISSUER": "oauth2",
                "OAUTH2_TOKEN_URL": "https://sign-in.example/token",
                "OAUTH2_CLIENT_AUTH": "basic",
                "OAUTH2_DEFAULT_LIFETIME": "3600",
            },
        ),
    ],
)
def test_http_is_allowed_on_local_where_the_address_has_it(
    synthesise: Callable[..., Path], overrides: dict[str, str], told: dict[str, str]
) -> None:
    template = json.loads(synthesise("local", **overrides).read_text(encoding="utf-8"))
    (function,) = [one for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
    environment = issuer_environment(function["Properties"])
    assert {key: value for key, value in environment.items() if key != "APP_SECRET_ARN"} == told


def test_settings_reach_the_function(synthesise: Callable[..., Path]) -> None:
    overrides = {"amplifyuibuilder_endpoint_url": "http://127.0.0.1:9999", "reserved_concurrency": "3"}
    overrides |= {"memory_mb": "1024", "timeout_seconds": "120", "architecture": "arm64", "log_retention_days": "7"}
    overrides |= {"snap_start": "true", "customer_managed_key": "true", "alarm_email": "on-call@example.com"}
    template = by_type(json.loads(synthesise("local", **overrides).read_text(encoding="utf-8")))
    kinds = {resource["Type"]: resource["Properties"] for resource in template["Resources"].values()}
    function = kinds["AWS::Lambda::Function"]
    environment = function["Environment"]["Variables"]
    assert environment["AWS_ENDPOINT_URL_AMPLIFYUIBUILDER"] == "http://127.0.0.1:9999"
    assert (function["MemorySize"], function["Timeout"], function["ReservedConcurrentExecutions"]) == (1024, 120, 3)
    assert function["Architectures"] == ["arm64"]
    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert kinds["AWS::SecretsManager::Secret"]["KmsKeyId"] == {"Fn::GetAtt": ["AWS::KMS::Key", "Arn"]}
    subscription = {"Endpoint": "on-call@example.com", "Protocol": "email", "TopicArn": {"Ref": "AWS::SNS::Topic"}}
    assert kinds["AWS::SNS::Subscription"] == subscription
    assert kinds["AWS::Logs::LogGroup"]["RetentionInDays"] == 7


def test_a_failed_asynchronous_invocation_is_not_retried_and_lands_in_the_queue(every_stage: Synthesised) -> None:
    alias_name = {"Fn::Select": [7, {"Fn::Split": [":", {"Ref": "AWS::Lambda::Alias"}]}]}
    configurations = [one["Properties"] for one in every_stage.resources("AWS::Lambda::EventInvokeConfig")]
    assert configurations == [
        {
            "FunctionName": {"Ref": "AWS::Lambda::Function"},
            "Qualifier": qualifier,
            "MaximumRetryAttempts": 0,
            "MaximumEventAgeInSeconds": 3600,
            "DestinationConfig": {"OnFailure": {"Destination": QUEUE_ARN}},
        }
        for qualifier in ("$LATEST", alias_name)
    ]


def test_the_alias_live_is_the_version_that_this_deployment_publishes(every_stage: Synthesised) -> None:
    function = {"Ref": "AWS::Lambda::Function"}
    assert every_stage.only("AWS::Lambda::Version")["Properties"] == {"FunctionName": function}
    alias = every_stage.only("AWS::Lambda::Alias")["Properties"]
    assert {key: value for key, value in alias.items() if key != "Description"} == {
        "Name": "live",
        "FunctionName": function,
        "FunctionVersion": {"Fn::GetAtt": ["AWS::Lambda::Version", "Version"]},
    }


def version_ids(template: Path) -> set[str]:
    resources = json.loads(template.read_text(encoding="utf-8"))["Resources"]
    return {name for name, resource in resources.items() if resource["Type"] == "AWS::Lambda::Version"}


def test_a_change_of_the_configuration_publishes_a_new_version_and_a_change_beside_it_none(
    template_file: Callable[[str], Path], synthesise: Callable[..., Path]
) -> None:
    before = version_ids(template_file("dev"))
    assert len(before) == 1
    assert version_ids(synthesise("dev", mandatory_window_hours="25")).isdisjoint(before)
    assert version_ids(synthesise("dev", schedule="rate(6 hours)", log_retention_days="7")) == before


def test_a_change_of_the_code_publishes_a_new_version(
    template_file: Callable[[str], Path], synthesise: Callable[..., Path], tmp_path: Path
) -> None:
    changed = tmp_path / ("1" * 64)
    changed.mkdir()
    (changed / "handler.py").touch()
    assert version_ids(synthesise("dev", asset=changed)).isdisjoint(version_ids(template_file("dev")))


def test_the_layer_serves_every_python_that_the_client_runs_on(every_stage: Synthesised) -> None:
    layer = every_stage.only("AWS::Lambda::LayerVersion")["Properties"]
    assert layer["CompatibleRuntimes"] == ["python3.11", "python3.12", "python3.13", "python3.14"]
    assert layer["CompatibleArchitectures"] == ["arm64", "x86_64"]


def test_others_find_alias_and_layer_in_parameter_store(every_stage: Synthesised) -> None:
    parameters = [one["Properties"] for one in every_stage.resources("AWS::SSM::Parameter")]
    assert {one["Name"]: one["Value"] for one in parameters} == {
        f"/RefreshToken/{every_stage.stage}/function-arn": {"Ref": "AWS::Lambda::Alias"},
        f"/RefreshToken/{every_stage.stage}/client-layer-arn": {"Ref": "AWS::Lambda::LayerVersion"},
    }


PACE = {"dev": "rate(12 hours)", "prod": "rate(6 hours)", "local": "rate(1 minute)"}


def test_the_schedule_ticks_at_the_stages_pace_and_keeps_ticks_it_cannot_deliver(every_stage: Synthesised) -> None:
    schedule = every_stage.only("AWS::Scheduler::Schedule")["Properties"]
    assert schedule["ScheduleExpression"] == PACE[every_stage.stage]
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["GroupName"] == {"Ref": "AWS::Scheduler::ScheduleGroup"}
    target = schedule["Target"]
    assert target["Arn"] == {"Ref": "AWS::Lambda::Alias"}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10}
    assert target["DeadLetterConfig"] == {"Arn": QUEUE_ARN}


def test_the_tick_is_an_event_of_the_scheduler_with_its_time_and_id(dev: Synthesised) -> None:
    separator, parts = dev.only("AWS::Scheduler::Schedule")["Properties"]["Target"]["Input"]["Fn::Join"]
    values = {"AWS::AccountId": "123456789012", "AWS::Region": "eu-west-1"}
    text = separator.join(part if isinstance(part, str) else values[part["Ref"]] for part in parts)
    assert json.loads(text) == {
        "version": "0",
        "id": "<aws.scheduler.execution-id>",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "123456789012",
        "time": "<aws.scheduler.scheduled-time>",
        "region": "eu-west-1",
        "resources": ["<aws.scheduler.schedule-arn>"],
        "detail": {},
    }


def test_the_stack_answers_with_the_outputs_that_others_rely_on(every_stage: Synthesised) -> None:
    app = {} if every_stage.issuer == "amplify" else {"AppSecretArn": {"Fn::GetAtt": [APP_SECRET, "Id"]}}
    assert {key: output["Value"] for key, output in every_stage.template["Outputs"].items()} == {
        **app,
        "FunctionName": {"Ref": "AWS::Lambda::Function"},
        "FunctionArn": {"Fn::GetAtt": ["AWS::Lambda::Function", "Arn"]},
        "FunctionAliasArn": {"Ref": "AWS::Lambda::Alias"},
        "ClientLayerArn": {"Ref": "AWS::Lambda::LayerVersion"},
        "SecretArn": {"Fn::GetAtt": ["AWS::SecretsManager::Secret", "Id"]},
        "DeadLetterQueueUrl": {"Ref": "AWS::SQS::Queue"},
        "AlarmTopicArn": {"Ref": "AWS::SNS::Topic"},
    }


def test_everything_that_can_be_tagged_says_whose_it_is(every_stage: Synthesised) -> None:
    untaggable = {
        "AWS::Lambda::Alias",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Version",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::Scheduler::Schedule",
    }
    resources = every_stage.template["Resources"].values()
    tags = [resource["Properties"].get("Tags") for resource in resources if resource["Type"] not in untaggable]
    assert tags
    expected = {"Application": "refresh-token", "Stage": every_stage.stage}
    listed = [{"Key": key, "Value": value} for key, value in expected.items()]
    assert all(tag in (listed, expected) for tag in tags), "Parameter Store takes a mapping, the others a list"


DATA = (
    *("AWS::SecretsManager::Secret", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup", "AWS::Lambda::LayerVersion"),
    SECRETS_KEY,
)
"""Types of what holds data, or others hold on to; and the description of the secret's key, one of two keys."""


def test_data_outlives_the_stack_on_prod_and_nothing_does_elsewhere(every_stage: Synthesised) -> None:
    outlives = {
        kind if kind != "AWS::KMS::Key" else resource["Properties"]["Description"]
        for resource in every_stage.template["Resources"].values()
        for kind in (resource["Type"],)
        if "Delete" not in (resource.get("DeletionPolicy", "Delete"), resource.get("UpdateReplacePolicy", "Delete"))
    }
    data = {*DATA, *(() if every_stage.issuer == "amplify" else (APP_SECRET,))}
    assert outlives == (data if every_stage.stage == "prod" else set())


def test_a_deployment_over_an_older_one_finds_the_secret_and_the_table_where_they_were(
    template_file: Callable[[str], Path],
) -> None:
    resources = json.loads(template_file("prod").read_text(encoding="utf-8"))["Resources"]
    names = {resource["Type"]: name for name, resource in resources.items()}
    assert (names["AWS::SecretsManager::Secret"], names["AWS::DynamoDB::Table"]) == (
        "SecretA720EF05",
        "LockTableD8114E48",
    )
    assert names["AWS::Logs::LogGroup"] == "RefreshLogsE8FB3D0F"


def test_another_issuer_adds_the_apps_secret_and_leaves_everything_else_where_it_is(
    template_file: Callable[[str], Path],
) -> None:
    amplify, figma = (
        set(json.loads(template_file(variant).read_text(encoding="utf-8"))["Resources"])
        for variant in ("prod", "prod-figma")
    )
    assert figma - amplify - version_ids(template_file("prod-figma")) == {"AppSecretFAB5164C"}
    assert amplify - figma == version_ids(template_file("prod")), "a change of the configuration is another version"


def test_a_second_synthesis_gives_the_same_template(
    template_file: Callable[[str], Path], synthesise: Callable[..., Path]
) -> None:
    assert synthesise("dev").read_bytes() == template_file("dev").read_bytes()
