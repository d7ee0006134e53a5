"""How long data is kept."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.synthesised import APP_SECRET, Synthesised

pytestmark = pytest.mark.xdist_group("synth")


DATA = {"AWS::SecretsManager::Secret", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup", "key of credentials"}
"""Types of resources that hold data, and the last word about the secrets' key."""
FLEET_KEY = "key of tokens"
SIGNING_KEY = "key of import-key"
LAYER = "AWS::Lambda::LayerVersion"
"""A consumer's update that fails needs the version before."""


def test_data_outlives_prod_and_credentials_every_stage(every_stage: Synthesised) -> None:
    outlives = {
        f"key of {resource['Properties']['Description'].split()[-1].rstrip('.`')}"
        if resource["Type"] == "AWS::KMS::Key"
        else resource["Type"]
        for resource in every_stage.template["Resources"].values()
        if "Delete" not in (resource.get("DeletionPolicy", "Delete"), resource.get("UpdateReplacePolicy", "Delete"))
    }
    app = {APP_SECRET} if every_stage.issuer not in ("amplify", "static") else set()
    signs = {SIGNING_KEY} if every_stage.issuer == "google-service-account" else set()
    data = DATA | ({FLEET_KEY} if every_stage.has_fleet else set())
    assert outlives == {LAYER} | app | signs | (data if every_stage.stage == "prod" else set())


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_protected_fleet_refuses_to_be_deleted(stage: str, synthesise: Callable[..., Path]) -> None:
    template = json.loads(synthesise(stage, connections="true").read_text(encoding="utf-8"))
    tables = [one for one in template["Resources"].values() if one["Type"] == "AWS::DynamoDB::Table"]
    (connections,) = [one["Properties"] for one in tables if "GlobalSecondaryIndexes" in one["Properties"]]
    assert connections.get("DeletionProtectionEnabled", False) is (stage == "prod")
    assert connections["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
