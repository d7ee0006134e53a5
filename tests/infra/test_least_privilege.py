"""The whole policy documents, so that any widening fails here."""

from typing import Any

import pytest

from tests.infra.conftest import Synthesised

pytestmark = pytest.mark.xdist_group("synth")

SECRET_ARN = {"Fn::GetAtt": ["AWS::SecretsManager::Secret", "Id"]}
QUEUE_ARN = {"Fn::GetAtt": ["AWS::SQS::Queue", "Arn"]}
ACCOUNT = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
TLS_ONLY = {"Bool": {"aws:SecureTransport": "false"}}


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    (policy,) = role["Policies"]
    document: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return document


def allow(sid: str, action: str | list[str], resource: object, **more: object) -> dict[str, object]:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource, **more}


def test_the_function_may_do_what_it_does_and_nothing_else(every_stage: Synthesised) -> None:
    role = every_stage.role_of("lambda")
    assert statements(role) == [
        allow(
            "WriteOwnLogs",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            {"Fn::GetAtt": ["AWS::Logs::LogGroup", "Arn"]},
        ),
        allow("Trace", ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*"),
        allow(
            "KeepTokenPair",
            [
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            SECRET_ARN,
        ),
        allow(
            "ClaimRefresh",
            ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            {"Fn::GetAtt": ["AWS::DynamoDB::Table", "Arn"]},
        ),
        allow(
            "RefreshAtUiBuilder",
            "amplifyuibuilder:RefreshToken",
            "*",
            Condition={"StringEquals": {"aws:RequestedRegion": {"Ref": "AWS::Region"}}},
        ),
        allow("ReportFailure", "sqs:SendMessage", QUEUE_ARN),
    ]
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    ]


def test_the_schedule_may_invoke_this_function_and_keep_failed_ticks(every_stage: Synthesised) -> None:
    role = every_stage.role_of("scheduler")
    assert statements(role) == [
        allow("Tick", "lambda:InvokeFunction", {"Fn::GetAtt": ["AWS::Lambda::Function", "Arn"]}),
        allow("KeepFailedTicks", "sqs:SendMessage", QUEUE_ARN),
    ]


def test_only_this_stacks_schedules_may_act_with_the_schedules_role(every_stage: Synthesised) -> None:
    group = {"Fn::GetAtt": ["AWS::Scheduler::ScheduleGroup", "Arn"]}
    assert every_stage.role_of("scheduler")["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "scheduler.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}, "aws:SourceArn": group}},
        }
    ]


def test_there_are_no_other_roles_and_no_other_policies(every_stage: Synthesised) -> None:
    roles = every_stage.resources("AWS::IAM::Role")
    assert len(roles) == 2
    assert not any("ManagedPolicyArns" in role["Properties"] for role in roles)
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::Lambda::Permission"):
        assert every_stage.resources(kind) == []


def test_the_queue_takes_nothing_without_tls(every_stage: Synthesised) -> None:
    assert every_stage.only("AWS::SQS::QueuePolicy")["Properties"]["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Deny",
            "Action": "sqs:*",
            "Principal": {"AWS": "*"},
            "Resource": QUEUE_ARN,
            "Condition": TLS_ONLY,
        }
    ]


def test_alarms_of_this_account_may_publish_to_the_encrypted_topic_over_tls(every_stage: Synthesised) -> None:
    topic = {"Ref": "AWS::SNS::Topic"}
    alarms = {"Principal": {"Service": "cloudwatch.amazonaws.com"}, "Condition": ACCOUNT}
    policy = every_stage.only("AWS::SNS::TopicPolicy")["Properties"]["PolicyDocument"]["Statement"]
    tls = {"Effect": "Deny", "Action": "sns:Publish", "Principal": "*", "Resource": topic, "Condition": TLS_ONLY}
    assert sorted(policy, key=lambda statement: str(statement["Effect"])) == [
        allow("LetAlarmsPublish", "sns:Publish", topic, **alarms),
        {"Sid": "AllowPublishThroughSSLOnly", **tls},
    ]
    key = every_stage.only("AWS::KMS::Key")["Properties"]
    assert key["EnableKeyRotation"] is True
    assert key["KeyPolicy"]["Statement"][1:] == [
        {**allow("LetAlarmsEncrypt", ["kms:Decrypt", "kms:GenerateDataKey*"], "*"), "Principal": alarms["Principal"]}
    ]
    assert every_stage.only("AWS::SNS::Topic")["Properties"]["KmsMasterKeyId"] == {
        "Fn::GetAtt": ["AWS::KMS::Key", "Arn"]
    }
