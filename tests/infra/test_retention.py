"""How long data is kept."""

import pytest

from tests.support.synthesised import APP_SECRET, Synthesised

pytestmark = pytest.mark.xdist_group("synth")


DATA = {"AWS::SecretsManager::Secret", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup", "key of credentials"}
"""Types of resources that hold data, and the last word about the secrets' key."""
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
    assert outlives == {LAYER} | app | signs | (DATA if every_stage.stage == "prod" else set())
