"""What an app brings along for a refresher: a network, resources that exist already, names.

A prop is one field of `Props`. Settings, which are plain values and also keys of `cdk.json`, are in `settings/`.
"""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, cast, get_type_hints

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from token_refresher.existing_resources import unusable
from token_refresher.prop_rules import MAX_LAYERS, value_faults
from token_refresher.settings.reader import SettingsError


class SharedProps(TypedDict, total=False):
    """The props of both `TokenRefresher` and `ConnectionFleet`. All are optional."""

    vpc: ec2.IVpc
    """The network of the function. It needs a way to Secrets Manager, DynamoDB and the issuer; for a fleet also to KMS,
    SQS and EventBridge."""
    vpc_subnets: ec2.SubnetSelection
    """The subnets in `vpc`. By default the private ones with a way out, or the isolated ones if there are no others."""
    security_groups: Sequence[ec2.ISecurityGroup]
    """The function's security groups in `vpc`. By default a new one that allows all outbound traffic."""

    alarm_topic: sns.ITopic
    """The topic that the alarms publish to."""
    alarm_subscriptions: Sequence[sns.ITopicSubscription]
    """Who else gets the alarms, such as `aws_sns_subscriptions.UrlSubscription`."""

    encryption_key: kms.IKey
    """Encrypts the new secrets; of a fleet, also the table and the tokens in it."""
    log_key: kms.IKey
    """Encrypts the new log group."""
    queue_key: kms.IKey
    """Encrypts the new dead-letter queue, and the queue of a fleet."""
    topic_key: kms.IKey
    """Encrypts the new alarm topic, instead of a key of its own."""

    permissions_boundary: iam.IManagedPolicy
    """The boundary of the new roles."""
    consumer_accounts: Sequence[str]
    """Accounts that may invoke the alias and use the layer. With `parameter_path`, they may read its parameters."""

    environment: Mapping[str, str]
    """More variables of the function, such as `HTTPS_PROXY` and `NO_PROXY`."""
    ca_bundle: Path
    """A PEM file with the roots that the function trusts, for a proxy that inspects TLS or a private issuer."""
    layers: Sequence[lambda_.ILayerVersion]
    """Layers of the function, such as those of monitoring tools."""
    code_signing_config: lambda_.ICodeSigningConfig
    """What Lambda checks about the function's code."""


class FleetProps(SharedProps, total=False):
    """The props of `ConnectionFleet` that are not settings. All are optional."""

    app_secrets: Mapping[str, secretsmanager.ISecret]
    """Secrets with the credentials of the providers' apps, by the provider. Import them with their complete ARNs."""


class Props(SharedProps, total=False):
    """The props of `TokenRefresher` that are not settings. All are optional."""

    secret: secretsmanager.ISecret
    """A secret to keep the pair in, such as the one that a destroyed stack left. Import it with its complete ARN."""
    app_secret: secretsmanager.ISecret
    """A secret with the app's credentials, for an issuer that needs them. Import it with its complete ARN."""
    lock_table: dynamodb.ITable
    """A table for the claims: partition key `id` (text), no sort key, time-to-live attribute `expiration`."""
    log_group: logs.ILogGroup
    """The function's log group, of the class `STANDARD`, instead of one with `log_retention_days`."""
    dead_letter_queue: sqs.IQueue
    """Where ticks go that could not be delivered. A standard queue, not a FIFO queue."""

    role: iam.IRole
    """The function's role. It gets the permissions that the function needs, unless it was imported as immutable."""
    function_name: str
    """The function's name. With a name, a change that replaces the function fails."""
    secret_name: str
    """The name of the new secret with the pair."""


SHARED_WITH_FLEET = (
    *("vpc", "vpc_subnets", "security_groups", "log_key", "queue_key", "consumer_accounts"),
    *("environment", "ca_bundle", "layers", "code_signing_config"),
)
"""The props of a refresher that its fleet has, too. It gets its own key, and uses the refresher's topic."""

_TOGETHER = {"vpc_subnets": "vpc", "security_groups": "vpc"}
"""Props that mean nothing without another one."""
_INSTEAD = {
    "secret": ("secret_name", "encryption_key", "customer_managed_key"),
    "encryption_key": ("customer_managed_key",),
    "log_group": ("log_key", "log_retention_days"),
    "dead_letter_queue": ("queue_key",),
    "alarm_topic": ("topic_key", "alarm_email"),
}
"""Props that take the place of others."""
_FOR_ALARMS = ("alarm_topic", "alarm_subscriptions", "topic_key")
"""Props that mean nothing without alarms."""


def split(
    given: Mapping[str, Any], settings: Sequence[str], stack: Stack, *, kind: type = Props
) -> tuple[Props, dict[str, Any]]:
    """Return the props that are set, and the settings that are set. Both can be None, which means the default.

    `settings` has the names of all settings, `stack` is where the function will be, and `kind` declares the props.

    Raises:
        SettingsError: a prop is wrong, props do not fit together, or a name is a misspelt prop.

    """
    names = get_type_hints(kind)
    present = {name: value for name, value in given.items() if value is not None}
    props = {name: value for name, value in present.items() if name in names}
    rest = {name: value for name, value in present.items() if name not in names}
    faults = [
        f"{name}: is not a setting or a prop; did you mean {near[0]}?"
        for name in rest
        if name not in settings
        and not difflib.get_close_matches(name, settings, n=1, cutoff=0.8)
        and (near := difflib.get_close_matches(name, names, n=1, cutoff=0.8))
    ]
    faults += value_faults(kind, props) or [*_together(props, rest), *unusable(stack, props)]
    if faults:
        raise SettingsError(faults)
    return cast("Props", props), rest


def _together(props: Mapping[str, Any], rest: Mapping[str, Any]) -> list[str]:
    """Return a line for each prop that does not fit to the others or to a setting."""
    faults = [f"{name}: needs {other}" for name, other in _TOGETHER.items() if name in props and other not in props]
    faults += [
        f"{other}: has no effect beside {name}. Remove one of the two"
        for name, others in _INSTEAD.items()
        if name in props
        for other in others
        if props.get(other) or rest.get(other) not in (None, "", False, "false")
    ]
    if rest.get("alarms") in (False, "false"):
        faults += [f"{name}: has no effect without alarms. Remove it" for name in _FOR_ALARMS if props.get(name)]
    if "ca_bundle" in props and "AWS_CA_BUNDLE" in props.get("environment", {}):
        faults.append("environment: AWS_CA_BUNDLE has no effect beside ca_bundle. Remove one of the two")
    if len(props.get("layers", ())) + ("ca_bundle" in props) > MAX_LAYERS:
        faults.append(f"layers: a function can have {MAX_LAYERS} at most, and ca_bundle takes one")
    return faults
