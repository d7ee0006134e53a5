"""What is encrypted with what, and how long it is kept."""

import pytest

from tests.support.synthesised import APP_SECRET, SECRETS_KEY, Synthesised

pytestmark = pytest.mark.xdist_group("synth")


def test_on_prod_the_secrets_have_their_own_key(every_stage: Synthesised) -> None:
    secrets = [every_stage.only("AWS::SecretsManager::Secret"), *every_stage.resources(APP_SECRET)]
    assert len(secrets) == (1 if every_stage.issuer == "amplify" else 2)
    keys = [secret["Properties"].get("KmsKeyId") for secret in secrets]
    own = {"Fn::GetAtt": ["AWS::KMS::Key", "Arn"]} if every_stage.stage == "prod" else None
    assert keys == [own] * len(secrets)


def test_the_topic_has_its_own_key(every_stage: Synthesised) -> None:
    own = {"Fn::GetAtt": ["AWS::KMS::Key", "Arn"]}
    assert every_stage.only("AWS::SNS::Topic")["Properties"]["KmsMasterKeyId"] == own
    assert all(key["Properties"]["EnableKeyRotation"] is True for key in every_stage.resources("AWS::KMS::Key"))


def test_the_encrypted_queue_keeps_messages_14_days(every_stage: Synthesised) -> None:
    queue = every_stage.only("AWS::SQS::Queue")["Properties"]
    assert (queue.get("SqsManagedSseEnabled"), queue.get("MessageRetentionPeriod")) == (True, 14 * 24 * 3600)


def test_the_lock_table_suits_powertools_idempotency(every_stage: Synthesised) -> None:
    table = every_stage.only("AWS::DynamoDB::Table")["Properties"]
    assert {key: value for key, value in table.items() if key != "Tags"} == {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "TimeToLiveSpecification": {"AttributeName": "expiration", "Enabled": True},
        "BillingMode": "PAY_PER_REQUEST",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }


def test_logs_stay_as_long_as_the_stage_says(every_stage: Synthesised) -> None:
    days = {"dev": 30, "prod": 365, "local": 1}[every_stage.stage]
    assert every_stage.only("AWS::Logs::LogGroup")["Properties"].get("RetentionInDays") == days


DATA = {
    *("AWS::SecretsManager::Secret", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup", "AWS::Lambda::LayerVersion"),
    SECRETS_KEY,
}
"""Types of resources that hold data or that others depend on, and the description of the secrets' key."""


def test_data_outlives_the_stack_only_on_prod(every_stage: Synthesised) -> None:
    outlives = {
        resource["Properties"]["Description"] if resource["Type"] == "AWS::KMS::Key" else resource["Type"]
        for resource in every_stage.template["Resources"].values()
        if "Delete" not in (resource.get("DeletionPolicy", "Delete"), resource.get("UpdateReplacePolicy", "Delete"))
    }
    data = DATA if every_stage.issuer == "amplify" else DATA | {APP_SECRET}
    assert outlives == (data if every_stage.stage == "prod" else set())
