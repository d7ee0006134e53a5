import json
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import App, aws_iam

from infra.settings import StageSettings
from infra.stack import RefreshTokenStack
from tests.infra.conftest import STAGES, Synthesised

pytestmark = pytest.mark.xdist_group("synth")

QUEUE_ARN = {"Fn::GetAtt": ["AWS::SQS::Queue", "Arn"]}


def test_no_template_holds_a_token_or_a_way_to_write_one(every_stage: Synthesised) -> None:
    secret = every_stage.only("AWS::SecretsManager::Secret")["Properties"]
    assert sorted(secret) == ["Description", "Tags"]
    for word in ("SecretString", "GenerateSecretString", "accessToken", "refreshToken", "figd_", "resolve:"):
        assert word not in every_stage.text


def test_the_lock_table_is_what_powertools_idempotency_expects(every_stage: Synthesised) -> None:
    table = every_stage.only("AWS::DynamoDB::Table")["Properties"]
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "id", "AttributeType": "S"}]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expiration", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


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


def test_settings_reach_the_function(synthesise: Callable[..., Path]) -> None:
    overrides = {"amplifyuibuilder_endpoint_url": "http://127.0.0.1:9999", "reserved_concurrency": "3"}
    overrides |= {"memory_mb": "1024", "timeout_seconds": "120", "architecture": "x86_64", "log_retention_days": "7"}
    template = json.loads(synthesise("local", **overrides).read_text(encoding="utf-8"))
    kinds = {resource["Type"]: resource["Properties"] for resource in template["Resources"].values()}
    function = kinds["AWS::Lambda::Function"]
    environment = function["Environment"]["Variables"]
    assert environment["AWS_ENDPOINT_URL_AMPLIFYUIBUILDER"] == "http://127.0.0.1:9999"
    assert (function["MemorySize"], function["Timeout"], function["ReservedConcurrentExecutions"]) == (1024, 120, 3)
    assert function["Architectures"] == ["x86_64"]
    assert kinds["AWS::Logs::LogGroup"]["RetentionInDays"] == 7


@pytest.mark.parametrize(("stage", "days"), [("dev", 30), ("prod", 365), ("local", 1)])
def test_logs_are_kept_for_as_long_as_the_stage_says(
    synthesised: Callable[[str], Synthesised], stage: str, days: int
) -> None:
    assert synthesised(stage).only("AWS::Logs::LogGroup")["Properties"]["RetentionInDays"] == days


def test_a_failed_asynchronous_invocation_is_not_retried_and_lands_in_the_queue(every_stage: Synthesised) -> None:
    assert every_stage.only("AWS::Lambda::EventInvokeConfig")["Properties"] == {
        "FunctionName": {"Ref": "AWS::Lambda::Function"},
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": 3600,
        "DestinationConfig": {"OnFailure": {"Destination": QUEUE_ARN}},
    }


@pytest.mark.parametrize(
    ("stage", "expression"), [("dev", "rate(12 hours)"), ("prod", "rate(6 hours)"), ("local", "rate(1 minute)")]
)
def test_the_schedule_ticks_at_the_stages_pace_and_keeps_ticks_it_cannot_deliver(
    synthesised: Callable[[str], Synthesised], stage: str, expression: str
) -> None:
    schedule = synthesised(stage).only("AWS::Scheduler::Schedule")["Properties"]
    assert schedule["ScheduleExpression"] == expression
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["GroupName"] == {"Ref": "AWS::Scheduler::ScheduleGroup"}
    target = schedule["Target"]
    assert target["Arn"] == {"Fn::GetAtt": ["AWS::Lambda::Function", "Arn"]}
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


def test_the_dead_letter_queue_is_encrypted_and_keeps_messages_for_14_days(every_stage: Synthesised) -> None:
    queue = every_stage.only("AWS::SQS::Queue")["Properties"]
    assert (queue["SqsManagedSseEnabled"], queue["MessageRetentionPeriod"]) == (True, 14 * 24 * 3600)


def test_alarms_watch_errors_dead_letters_and_expiry_and_tell_the_topic_both_ways(every_stage: Synthesised) -> None:
    alarms = [alarm["Properties"] for alarm in every_stage.resources("AWS::CloudWatch::Alarm")]
    service = every_stage.only("AWS::Lambda::Function")["Properties"]["Environment"]["Variables"][
        "POWERTOOLS_SERVICE_NAME"
    ]
    watched = sorted((alarm["Namespace"], alarm["MetricName"], json.dumps(alarm["Dimensions"])) for alarm in alarms)
    assert watched == [
        ("AWS/Lambda", "Errors", '[{"Name": "FunctionName", "Value": {"Ref": "AWS::Lambda::Function"}}]'),
        (
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            '[{"Name": "QueueName", "Value": {"Fn::GetAtt": ["AWS::SQS::Queue", "QueueName"]}}]',
        ),
        ("RefreshToken", "SecondsUntilExpiry", f'[{{"Name": "service", "Value": "{service}"}}]'),
    ]
    topic = [{"Ref": "AWS::SNS::Topic"}]
    assert all(alarm["AlarmActions"] == topic and alarm["OKActions"] == topic for alarm in alarms)


def test_the_expiry_alarm_goes_off_in_the_mandatory_window_and_holds_between_ticks(dev: Synthesised) -> None:
    alarms = [alarm["Properties"] for alarm in dev.resources("AWS::CloudWatch::Alarm")]
    (alarm,) = [alarm for alarm in alarms if alarm["MetricName"] == "SecondsUntilExpiry"]
    assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["Statistic"]) == (
        "LessThanThreshold",
        86_400,
        "Minimum",
    )
    assert alarm["TreatMissingData"] == "ignore"


def test_the_stack_answers_with_the_five_outputs_that_others_rely_on(every_stage: Synthesised) -> None:
    assert {key: output["Value"] for key, output in every_stage.template["Outputs"].items()} == {
        "FunctionName": {"Ref": "AWS::Lambda::Function"},
        "FunctionArn": {"Fn::GetAtt": ["AWS::Lambda::Function", "Arn"]},
        "SecretArn": {"Fn::GetAtt": ["AWS::SecretsManager::Secret", "Id"]},
        "DeadLetterQueueUrl": {"Ref": "AWS::SQS::Queue"},
        "AlarmTopicArn": {"Ref": "AWS::SNS::Topic"},
    }


@pytest.mark.parametrize("stage", STAGES)
def test_everything_that_can_be_tagged_says_whose_it_is(synthesised: Callable[[str], Synthesised], stage: str) -> None:
    untaggable = {
        "AWS::IAM::Policy",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::Scheduler::Schedule",
    }
    resources = synthesised(stage).template["Resources"].values()
    tags = [resource["Properties"].get("Tags") for resource in resources if resource["Type"] not in untaggable]
    assert tags
    expected = [{"Key": "Application", "Value": "refresh-token"}, {"Key": "Stage", "Value": stage}]
    assert all(tag == expected for tag in tags)


@pytest.mark.parametrize(("stage", "policy"), [("dev", "Delete"), ("local", "Delete"), ("prod", "Retain")])
def test_data_outlives_the_stack_on_prod_only(
    synthesised: Callable[[str], Synthesised], stage: str, policy: str
) -> None:
    for kind in ("AWS::SecretsManager::Secret", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup"):
        resource = synthesised(stage).only(kind)
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (policy, policy)


@pytest.mark.parametrize("stage", ["dev", "local"])
def test_nothing_outlives_the_stack_elsewhere(synthesised: Callable[[str], Synthesised], stage: str) -> None:
    resources = synthesised(stage).template["Resources"].values()
    assert {resource.get("DeletionPolicy", "Delete") for resource in resources} == {"Delete"}


def test_a_second_synthesis_gives_the_same_template(
    template_file: Callable[[str], Path], synthesise: Callable[..., Path]
) -> None:
    assert synthesise("dev").read_bytes() == template_file("dev").read_bytes()


def test_another_stacks_function_may_be_granted_to_invoke_this_one(asset: Path) -> None:
    stack = RefreshTokenStack(
        App(),
        "Any",
        settings=StageSettings(
            stage="dev",
            schedule="rate(1 day)",
            issuer="amplify",
            architecture="arm64",
            log_retention_days=1,
            memory_mb=128,
        ),
        asset=asset,
    )
    consumer = aws_iam.Role(stack, "Consumer", assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"))
    assert stack.function.grant_invoke(consumer).success
