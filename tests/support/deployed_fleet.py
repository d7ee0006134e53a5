"""A deployed stack with a fleet, on the local cloud, as people and consumers use it.

Its schedules are off: a test calls the dispatcher with `tick`, and the queue calls the worker.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.cloud import LocalCloud
from local.deployment import Answer, Deployment, deploy
from local.standin.grants import CLIENT_ID, CLIENT_SECRET, Grant
from refresh_token.fleet.pacing import LEASE
from tests.support.fleet import FleetTable

REUSABLE, REPLACED = "figma", "oauth2"
"""The fleet's providers: both are the stand-in, but the function takes the refresh tokens of the second for replaced
ones. `standin.set_rotation` decides what the stand-in does."""


@dataclass(frozen=True)
class DeployedFleet:
    """The fleet beside the secret of `deployment`."""

    deployment: Deployment

    @property
    def cloud(self) -> LocalCloud:
        return self.deployment.cloud

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.deployment.outputs

    @property
    def table(self) -> FleetTable:
        return FleetTable(self.cloud.client("dynamodb"), self.outputs["ConnectionsTableName"])

    def function(self, part: str) -> str:
        """Return the name of the function `Ask`, `Worker` or `Dispatcher`."""
        named = self.cloud.client("cloudformation").describe_stack_resources(StackName="RefreshToken-local")
        (found,) = [
            str(one["PhysicalResourceId"])
            for one in named["StackResources"]
            if one["LogicalResourceId"].startswith(f"Connections{part}Function")
            and one["ResourceType"] == "AWS::Lambda::Function"
        ]
        return found

    def ask(self, connection: str, **more: object) -> Answer:
        """Ask for a token as a consumer does."""
        alias = self.outputs["ConnectionsFunctionArn"]
        return self.deployment.invoke({"connection": connection, **more}, function_name=alias)

    def tick(self) -> Any:
        """Call the dispatcher as its schedule does, and return its answer."""
        answer = self.deployment.invoke({"source": "aws.scheduler"}, function_name=self.function("Dispatcher"))
        assert not answer.failed, answer.payload
        return answer.payload

    def connect(
        self, grants: Mapping[str, Grant], *, expires_in: timedelta, provider: str = REUSABLE, **more: object
    ) -> None:
        """Import these grants, by the connections that they become."""
        expires_at = (datetime.now(UTC) + expires_in).isoformat()
        lines = [
            json.dumps(
                {
                    "connection": name,
                    "provider": provider,
                    "accessToken": grant.access_token,
                    "refreshToken": grant.refresh_token,
                    "expiresAt": expires_at,
                    **more,
                }
            )
            for name, grant in grants.items()
        ]
        self.deployment.tokenctl("connections", "import", "--from", "-", stdin="\n".join(lines))

    def hurry(self) -> None:
        """Let each lease and each wait of a connection that nobody is refreshing end, and call the dispatcher."""
        now = int(time.time())
        for item in self.table.client.scan(TableName=self.table.name, ConsistentRead=True)["Items"]:
            claimed, due = (float(item.get(key, {"N": "0"})["N"]) for key in ("claimUntil", "dueAt"))
            if claimed < now < due < now + LEASE * 2:
                self.table.change(item["pk"]["S"], dueAt={"N": str(now)})
        self.tick()

    def clear(self) -> None:
        """Remove every connection and every message, and forget what the stand-in knows."""
        self.cloud.standin.reset()
        for queue in ("ConnectionsQueueUrl", "ConnectionsDeadLetterQueueUrl"):
            self.cloud.client("sqs").purge_queue(QueueUrl=self.outputs[queue])
        for item in self.table.client.scan(TableName=self.table.name, ProjectionExpression="pk")["Items"]:
            self.table.client.delete_item(TableName=self.table.name, Key=item)


def deploy_fleet(cloud: LocalCloud, *, context: Mapping[str, str] | None = None) -> DeployedFleet:
    """Deploy the stage `local` with a fleet of both providers, and store the credentials of their apps."""
    cloud.cdk().bootstrap()
    providers = {REUSABLE: {}, REPLACED: {"token_url": f"{cloud.standin.url}/oauth2/token"}}
    fleet = {"issuer": "figma", "connections": "true", "providers": json.dumps(providers), "schedule_enabled": "false"}
    deployed = DeployedFleet(deploy(cloud, context={**fleet, **(context or {})}))
    credentials = json.dumps({"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET})
    for output in ("AppSecretArn", "AppSecretArnOauth2"):
        cloud.client("secretsmanager").put_secret_value(SecretId=deployed.outputs[output], SecretString=credentials)
    return deployed
