"""How long data is kept."""

import pytest

from tests.support.synthesised import APP_SECRET, SECRETS_KEY, Synthesised

pytestmark = pytest.mark.xdist_group("synth")


DATA = {
    *("AWS::SecretsManager::Secret", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup", SECRETS_KEY),
}
"""Types of resources that hold data, and the description of the secrets' key."""
LAYER = "AWS::Lambda::LayerVersion"
"""A consumer's update that fails needs the version before."""


def test_data_outlives_prod_and_credentials_every_stage(every_stage: Synthesised) -> None:
    outlives = {
        resource["Properties"]["Description"] if resource["Type"] == "AWS::KMS::Key" else resource["Type"]
        for resource in every_stage.template["Resources"].values()
        if "Delete" not in (resource.get("DeletionPolicy", "Delete"), resource.get("UpdateReplacePolicy", "Delete"))
    }
    app = {APP_SECRET} if every_stage.issuer in ("figma", "oauth2") else set()
    assert outlives == {LAYER} | app | (DATA if every_stage.stage == "prod" else set())
