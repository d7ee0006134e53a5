"""What every policy document of a stack must be, completely, so that any wider permission fails."""

from collections.abc import Mapping
from typing import Any

from tests.support.synthesised import APP_SECRET, SECRETS_KEY, Synthesised

SECRET_ARN = {"Fn::GetAtt": ["AWS::SecretsManager::Secret", "Id"]}
APP_SECRET_ARN = {"Fn::GetAtt": [APP_SECRET, "Id"]}
QUEUE_ARN = {"Fn::GetAtt": ["AWS::SQS::Queue", "Arn"]}
KEY_ARN = {"Fn::GetAtt": ["AWS::KMS::Key", "Arn"]}
ALIAS_ARN = {"Ref": "AWS::Lambda::Alias"}
TOPIC_ARN = {"Ref": "AWS::SNS::Topic"}
ACCOUNT = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
IN_THIS_REGION = {"StringEquals": {"aws:RequestedRegion": {"Ref": "AWS::Region"}}}
TLS_ONLY = {"Bool": {"aws:SecureTransport": "false"}}
VERSION = "2012-10-17"
ACCOUNT_ROOT = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"}, ":root"]]}
THROUGH_IAM = {"Effect": "Allow", "Action": "kms:*", "Principal": {"AWS": ACCOUNT_ROOT}, "Resource": "*"}
"""IAM policies of the account decide who may use a key (KMS Developer Guide)."""


def allow(sid: str, action: str | list[str], resource: object, **more: object) -> dict[str, object]:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource, **more}


def assert_role(role: dict[str, Any], *, policy: str, trust: dict[str, Any], statements: list[dict[str, Any]]) -> None:
    """Make sure that the role has one inline policy, one statement of trust, and nothing more."""
    assert set(role) == {"AssumeRolePolicyDocument", "Policies", "Tags"}
    assert role["AssumeRolePolicyDocument"] == {
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", **trust}],
        "Version": VERSION,
    }
    document = {"Statement": statements, "Version": VERSION}
    assert role["Policies"] == [{"PolicyName": policy, "PolicyDocument": document}]


def only_for(secret: Mapping[str, object]) -> dict[str, dict[str, object]]:
    service = {"Fn::Join": ["", ["secretsmanager.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}]]}
    return {"StringEquals": {"kms:ViaService": service, "kms:EncryptionContext:SecretARN": secret}}


def keep_pair(issuer: str) -> dict[str, object]:
    """Return the permission for the secret. A token that a person renews is only read."""
    read = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    if issuer == "static":
        return allow("ReadToken", read, SECRET_ARN)
    write = ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]
    return allow("KeepTokenPair", [*read, *write], SECRET_ARN)


def use_key(stage: str, issuer: str = "amplify") -> list[dict[str, object]]:
    """Return the permission for the one key, for the one secret, through Secrets Manager, if there is a key."""
    if stage != "prod":
        return []
    if issuer == "static":
        return [allow("UseKeyForToken", "kms:Decrypt", KEY_ARN, Condition=only_for(SECRET_ARN))]
    actions = ["kms:Decrypt", "kms:GenerateDataKey"]
    return [allow("UseKeyForTokenPair", actions, KEY_ARN, Condition=only_for(SECRET_ARN))]


def refresh(stage: str, issuer: str) -> list[dict[str, object]]:
    """Return the permissions to claim a refresh and to call the issuer.

    Amplify is called with the role itself, other issuers with the app's credentials. A person renews a static token.
    """
    if issuer == "static":
        return []
    locks = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
    claim = allow("ClaimRefresh", locks, {"Fn::GetAtt": ["AWS::DynamoDB::Table", "Arn"]})
    if issuer == "amplify":
        return [claim, allow("RefreshAtUiBuilder", "amplifyuibuilder:RefreshToken", "*", Condition=IN_THIS_REGION)]
    read = allow("ReadAppCredentials", "secretsmanager:GetSecretValue", APP_SECRET_ARN)
    decrypt = allow("UseKeyForAppCredentials", "kms:Decrypt", KEY_ARN, Condition=only_for(APP_SECRET_ARN))
    return [claim, read, *([decrypt] if stage == "prod" else [])]


def function_role(stack: Synthesised) -> None:
    assert_role(
        stack.role_of("lambda"),
        policy="RefreshToken",
        trust={"Principal": {"Service": "lambda.amazonaws.com"}},
        statements=[
            allow(
                "WriteOwnLogs",
                ["logs:CreateLogStream", "logs:PutLogEvents"],
                {"Fn::GetAtt": ["AWS::Logs::LogGroup", "Arn"]},
            ),
            allow("Trace", ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*", Condition=IN_THIS_REGION),
            keep_pair(stack.issuer),
            *use_key(stack.stage, stack.issuer),
            *refresh(stack.stage, stack.issuer),
            allow("ReportFailure", "sqs:SendMessage", QUEUE_ARN),
        ],
    )


def schedule_role(
    stack: Synthesised,
) -> None:
    group = {"Fn::GetAtt": ["AWS::Scheduler::ScheduleGroup", "Arn"]}
    own = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}, "aws:SourceArn": group}}
    assert_role(
        stack.role_of("scheduler"),
        policy="RefreshSchedule",
        trust={"Principal": {"Service": "scheduler.amazonaws.com"}, "Condition": own},
        statements=[
            allow("Tick", "lambda:InvokeFunction", ALIAS_ARN),
            allow("KeepFailedTicks", "sqs:SendMessage", QUEUE_ARN),
        ],
    )


def no_other_policies(stack: Synthesised) -> None:
    assert len(stack.resources("AWS::IAM::Role")) == 2
    for kind in (
        *("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::IAM::User", "AWS::IAM::Group"),
        *("AWS::Lambda::Permission", "AWS::Lambda::LayerVersionPermission", "AWS::Lambda::Url"),
        *("AWS::SecretsManager::ResourcePolicy", "AWS::Logs::ResourcePolicy", "AWS::KMS::Grant"),
    ):
        assert stack.resources(kind) == []
    assert "ResourcePolicy" not in stack.only("AWS::DynamoDB::Table")["Properties"]


def queue_policy(stack: Synthesised) -> None:
    statement = {"Effect": "Deny", "Action": "sqs:*", "Principal": {"AWS": "*"}, "Resource": QUEUE_ARN}
    assert stack.only("AWS::SQS::QueuePolicy")["Properties"] == {
        "PolicyDocument": {"Statement": [{**statement, "Condition": TLS_ONLY}], "Version": VERSION},
        "Queues": [{"Ref": "AWS::SQS::Queue"}],
    }


def topic_policy(stack: Synthesised) -> None:
    alarms = {"Principal": {"Service": "cloudwatch.amazonaws.com"}, "Condition": ACCOUNT}
    tls = {"Effect": "Deny", "Action": "sns:Publish", "Principal": "*", "Resource": TOPIC_ARN, "Condition": TLS_ONLY}
    assert stack.only("AWS::SNS::TopicPolicy")["Properties"] == {
        "PolicyDocument": {
            "Statement": [
                {"Sid": "AllowPublishThroughSSLOnly", **tls},
                allow("LetAlarmsPublish", "sns:Publish", TOPIC_ARN, **alarms),
            ],
            "Version": VERSION,
        },
        "Topics": [TOPIC_ARN],
    }


def key_policies(stack: Synthesised) -> None:
    publish = {"Principal": {"Service": "cloudwatch.amazonaws.com"}}
    for_alarms = {**allow("LetAlarmsEncrypt", ["kms:Decrypt", "kms:GenerateDataKey*"], "*"), **publish}
    policies = {
        key["Properties"]["Description"]: key["Properties"]["KeyPolicy"] for key in stack.resources("AWS::KMS::Key")
    }
    expected = {"Encrypts the alarm topic.": {"Statement": [THROUGH_IAM, for_alarms], "Version": VERSION}}
    if stack.stage == "prod":
        expected[SECRETS_KEY] = {"Statement": [THROUGH_IAM], "Version": VERSION}
    assert policies == expected


CHECKS = (function_role, schedule_role, no_other_policies, queue_policy, topic_policy, key_policies)
