"""A stack that another app has deployed, with what ours has only under some settings.

The local AWS deploys all of it but the layer, and the secret's policy, of whose type it knows nothing. So
CloudFormation's answers are ours.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.cloud import LocalCloud
from tests.support.aws_endpoints import described_stack
from tests.support.bare_stack import EMPTY_ZIP

NAME = "TheirStack"
FUNCTION = "their-function"
POLICY, LAYER = "SecretsManager::ResourcePolicy", "Lambda::LayerVersion"
ROLE = "arn:aws:iam::000000000000:role/none"
OWNER = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "*", "Resource": "*"}
OTHERS = {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:DeleteSecret", "Resource": "*"}


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [*statements]}


def template(layer: str) -> dict[str, Any]:
    """Return a stack whose function has a layer."""
    weights = [{"FunctionVersion": "1", "FunctionWeight": 0.25}]
    properties: dict[str, dict[str, Any]] = {
        "KMS::Key": {"KeyPolicy": policy(OWNER)},
        "SecretsManager::Secret": {},
        LAYER: {},
        POLICY: {"SecretId": {"Ref": "Secret"}, "ResourcePolicy": policy(OTHERS)},
        "SQS::Queue": {
            "RedrivePolicy": {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:lost", "maxReceiveCount": 3}
        },
        "Lambda::Function": {
            "FunctionName": FUNCTION,
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": ROLE,
            "Code": {"ZipFile": "handler = print"},
            "Layers": [layer],
            "ReservedConcurrentExecutions": 5,
        },
        "Lambda::Version": {"FunctionName": {"Ref": "Function"}},
        "Lambda::Alias": {
            "FunctionName": {"Ref": "Function"},
            "Name": "live",
            "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
            "RoutingConfig": {"AdditionalVersionWeights": weights},
        },
        "Scheduler::Schedule": {
            "ScheduleExpression": "rate(1 day)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": f"arn:aws:lambda:us-east-1:000000000000:function:{FUNCTION}", "RoleArn": ROLE},
            "EndDate": "2999-01-01T00:00:00.000Z",
        },
    }
    return {
        "Resources": {
            kind.rpartition(":")[2]: {"Type": f"AWS::{kind}", "Properties": each} for kind, each in properties.items()
        }
    }


def new_layer(cloud: LocalCloud) -> str:
    """Publish a version of a layer; return its ARN."""
    answer = cloud.client("lambda").publish_layer_version(LayerName="theirs", Content={"ZipFile": EMPTY_ZIP})
    return str(answer["LayerVersionArn"])


@dataclass(frozen=True)
class OwnStack:
    cloud: LocalCloud
    physical: dict[str, str]
    """The physical id of each resource; its logical id is the last word of its type."""
    described: str
    """What CloudFormation answers about it."""


@contextmanager
def own_stack(cloud: LocalCloud) -> Iterator[OwnStack]:
    client = cloud.client("cloudformation")
    cloud.client("sqs").create_queue(QueueName="lost")
    layer = new_layer(cloud)
    wanted = template(layer)
    known = {name: each for name, each in wanted["Resources"].items() if not each["Type"].endswith((POLICY, LAYER))}
    client.create_stack(StackName=NAME, TemplateBody=json.dumps({"Resources": known}))
    client.get_waiter("stack_create_complete").wait(StackName=NAME, WaiterConfig={"Delay": 0.1})
    found = client.list_stack_resources(StackName=NAME)["StackResourceSummaries"]
    physical = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}
    physical["LayerVersion"] = layer
    secret = physical["ResourcePolicy"] = physical["Secret"]
    cloud.client("secretsmanager").put_resource_policy(SecretId=secret, ResourcePolicy=json.dumps(policy(OTHERS)))
    outputs = {"FunctionName": FUNCTION, "SecretArn": secret}
    described = described_stack("CREATE_COMPLETE", outputs, template=json.dumps(wanted), resources=physical)
    try:
        yield OwnStack(cloud, physical, described)
    finally:
        client.delete_stack(StackName=NAME)
