"""The dead-letter queue, the topic of the alarms, and who may use them."""

import json
from typing import Any, Final

from tokenctl.drift.kind import Change, Kind, found
from tokenctl.drift.template import DeployedTemplate, Resource

_QUEUE: Final = (
    *("MessageRetentionPeriod", "SqsManagedSseEnabled", "KmsMasterKeyId", "VisibilityTimeout", "DelaySeconds"),
    *("RedrivePolicy", "RedriveAllowPolicy"),
)


def _attribute(value: Any) -> str:  # noqa: ANN401 - JSON
    """Return a value as SQS takes it; none is empty."""
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _read_queue(stack: DeployedTemplate, queue: Resource) -> dict[str, Any] | None:
    answer = found(
        stack.target.aws.client("sqs").get_queue_attributes, QueueUrl=queue.physical_id, AttributeNames=["All"]
    )
    if answer is None:
        return None
    live: dict[str, Any] = answer.get("Attributes", {})
    redrive = {name: json.loads(live[name]) for name in ("RedrivePolicy", "RedriveAllowPolicy") if live.get(name)}
    return {**live, **redrive, "SqsManagedSseEnabled": live.get("SqsManagedSseEnabled") == "true"}


def _restore_queue(stack: DeployedTemplate, change: Change) -> None:
    client, url = stack.target.aws.client("sqs"), change.resource.physical_id
    attributes = {name: _attribute(value) for name, value in change.wanted.items() if change.touches(name)}
    if change.gone:
        attributes = {name: value for name, value in attributes.items() if value}
        client.create_queue(QueueName=url.rpartition("/")[2], Attributes=attributes)
    else:
        client.set_queue_attributes(QueueUrl=url, Attributes=attributes)


def _read_queue_policy(stack: DeployedTemplate, policy: Resource) -> dict[str, Any] | None:
    client = stack.target.aws.client("sqs")
    found_policies = [
        found(client.get_queue_attributes, QueueUrl=url, AttributeNames=["Policy"]) or {}
        for url in policy.properties["Queues"]
    ]
    texts = [answer.get("Attributes", {}).get("Policy") for answer in found_policies]
    return {"PolicyDocument": json.loads(texts[0])} if all(texts) else None


def _restore_queue_policy(stack: DeployedTemplate, change: Change) -> None:
    for url in change.resource.properties["Queues"]:
        stack.target.aws.client("sqs").set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps(change.wanted["PolicyDocument"])}
        )


def _read_topic(stack: DeployedTemplate, topic: Resource) -> dict[str, Any] | None:
    answer = found(stack.target.aws.client("sns").get_topic_attributes, TopicArn=topic.physical_id)
    return None if answer is None else {"KmsMasterKeyId": answer["Attributes"].get("KmsMasterKeyId")}


def _restore_topic(stack: DeployedTemplate, change: Change) -> None:
    client, arn, key = stack.target.aws.client("sns"), change.resource.physical_id, change.wanted["KmsMasterKeyId"]
    if change.gone:
        client.create_topic(Name=arn.rpartition(":")[2], Attributes={"KmsMasterKeyId": key} if key else {})
    else:
        client.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=key or "")


def _read_topic_policy(stack: DeployedTemplate, policy: Resource) -> dict[str, Any] | None:
    client = stack.target.aws.client("sns")
    answers = [found(client.get_topic_attributes, TopicArn=arn) or {} for arn in policy.properties["Topics"]]
    texts = [answer.get("Attributes", {}).get("Policy") for answer in answers]
    return {"PolicyDocument": json.loads(texts[0])} if all(texts) else None


def _restore_topic_policy(stack: DeployedTemplate, change: Change) -> None:
    for arn in change.resource.properties["Topics"]:
        stack.target.aws.client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(change.wanted["PolicyDocument"])
        )


def _read_subscription(stack: DeployedTemplate, subscription: Resource) -> dict[str, Any] | None:
    client, wanted = stack.target.aws.client("sns"), subscription.properties
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=wanted["TopicArn"])
    there = found(lambda: [each for page in pages for each in page["Subscriptions"]]) or []
    mine = [each for each in there if (each["Protocol"], each["Endpoint"]) == (wanted["Protocol"], wanted["Endpoint"])]
    return {} if mine else None


def _restore_subscription(stack: DeployedTemplate, change: Change) -> None:
    wanted = change.resource.properties
    stack.target.aws.client("sns").subscribe(**{key: wanted[key] for key in ("TopicArn", "Protocol", "Endpoint")})


QUEUE: Final = Kind(
    type="AWS::SQS::Queue",
    read=_read_queue,
    restore=_restore_queue,
    settings=_QUEUE,
    defaults={
        "MessageRetentionPeriod": 345_600,
        "KmsMasterKeyId": None,
        "VisibilityTimeout": 30,
        "DelaySeconds": 0,
        "RedrivePolicy": None,
        "RedriveAllowPolicy": None,
    },
)
QUEUE_POLICY: Final = Kind(
    type="AWS::SQS::QueuePolicy",
    read=_read_queue_policy,
    restore=_restore_queue_policy,
    settings=("PolicyDocument",),
)
TOPIC: Final = Kind(
    type="AWS::SNS::Topic",
    read=_read_topic,
    restore=_restore_topic,
    settings=("KmsMasterKeyId",),
    defaults={"KmsMasterKeyId": None},
)
TOPIC_POLICY: Final = Kind(
    type="AWS::SNS::TopicPolicy",
    read=_read_topic_policy,
    restore=_restore_topic_policy,
    settings=("PolicyDocument",),
)
SUBSCRIPTION: Final = Kind(type="AWS::SNS::Subscription", read=_read_subscription, restore=_restore_subscription)
