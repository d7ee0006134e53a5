"""The topic that the alarms publish to, with its key."""

import jsii
from aws_cdk import Aspects, Aws, Duration, IAspect, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct, IConstruct

from token_refresher.constructs.existing_key import let_service_use
from token_refresher.props import SharedProps
from token_refresher.settings.reader import SettingsError


def alarm_topic(scope: Construct, props: SharedProps, *, email: str | None) -> sns.ITopic:
    """Add an encrypted topic, or take the existing one, and add the subscribers."""
    topic = props.get("alarm_topic")
    if topic is None:
        topic = _topic(scope, props.get("topic_key"))
    else:
        _let_alarms_use(topic, scope)
    for subscription in props.get("alarm_subscriptions", ()):
        try:
            topic.add_subscription(subscription)
        except RuntimeError as error:  # the CDK has no narrower one
            raise SettingsError([f"alarm_subscriptions: {str(error).splitlines()[0]}. Subscribe it once"]) from None
    if email:
        topic.add_subscription(subscriptions.EmailSubscription(email))
    return topic


def _topic(scope: Construct, key: kms.IKey | None) -> sns.Topic:
    if key is None:
        key = _alarm_key(scope)
    _let_alarms_encrypt(key, scope)
    topic = sns.Topic(scope, "Alarms", master_key=key, enforce_ssl=True)
    # Our policy (TLS only) replaces SNS's default policy, which lets the account's alarms publish.
    _let_alarms_publish(topic)
    return topic


def _let_alarms_use(topic: sns.ITopic, scope: Construct) -> None:
    """Let alarms publish to a topic of the app, as far as its own policies do not."""
    Aspects.of(topic).add(_LetAlarmsPublish())
    # Older versions of the CDK do not know the key of an imported topic.
    if key := getattr(topic, "master_key", None):
        _let_alarms_encrypt(key, scope)


@jsii.implements(IAspect)
class _LetAlarmsPublish:
    """Adds the statement at the end of the synthesis, if the app has given the topic a policy until then.

    A topic without a policy has SNS's default policy. A statement would replace it, and take it from other publishers.
    """

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, sns.Topic) and node.node.try_find_child("Policy"):
            _let_alarms_publish(node)


def _let_alarms_encrypt(key: kms.IKey, scope: Construct) -> None:
    # The statement is from the CloudWatch User Guide. It has no condition there, and a condition that CloudWatch does
    # not meet would lose every alarm without an error. The topic's policy says who may publish.
    statement = iam.PolicyStatement(
        sid="LetAlarmsEncrypt",
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
        resources=["*"],
    )
    let_service_use(key, scope, statement)


def _let_alarms_publish(topic: sns.ITopic) -> None:
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="LetAlarmsPublish",
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )


def _alarm_key(scope: Construct) -> kms.Key:
    """Return the topic's key. CloudWatch may not use SNS's AWS managed key: alarms would get lost without an error."""
    return kms.Key(
        scope,
        "Key",
        description="Encrypts the alarm topic.",
        enable_key_rotation=True,
        # Nothing stays encrypted with this key for longer than it takes to deliver a notification.
        removal_policy=RemovalPolicy.DESTROY,
        pending_window=Duration.days(7),
    )
