"""What is encrypted with what, and how long it is kept. Nothing is public."""

import pytest

from tests.support.synthesised import APP_SECRET, Synthesised

pytestmark = pytest.mark.xdist_group("synth")


def test_the_secrets_have_a_key_of_their_own_on_prod(every_stage: Synthesised) -> None:
    secrets = [every_stage.only("AWS::SecretsManager::Secret"), *every_stage.resources(APP_SECRET)]
    assert len(secrets) == (1 if every_stage.issuer == "amplify" else 2)
    keys = [secret["Properties"].get("KmsKeyId") for secret in secrets]
    own = {"Fn::GetAtt": ["AWS::KMS::Key", "Arn"]} if every_stage.stage == "prod" else None
    assert keys == [own] * len(secrets)


def test_the_dead_letter_queue_is_encrypted_and_keeps_messages_for_14_days(every_stage: Synthesised) -> None:
    queue = every_stage.only("AWS::SQS::Queue")["Properties"]
    assert (queue.get("SqsManagedSseEnabled"), queue.get("MessageRetentionPeriod")) == (True, 14 * 24 * 3600)


def test_the_lock_table_is_what_powertools_idempotency_expects_and_can_be_recovered(every_stage: Synthesised) -> None:
    table = every_stage.only("AWS::DynamoDB::Table")["Properties"]
    assert {key: value for key, value in table.items() if key != "Tags"} == {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "TimeToLiveSpecification": {"AttributeName": "expiration", "Enabled": True},
        "BillingMode": "PAY_PER_REQUEST",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }


def test_logs_are_kept_for_as_long_as_the_stage_says(every_stage: Synthesised) -> None:
    days = {"dev": 30, "prod": 365, "local": 1}[every_stage.stage]
    assert every_stage.only("AWS::Logs::LogGroup")["Properties"].get("RetentionInDays") == days
