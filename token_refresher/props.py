"""What an app brings along for a refresher: a network, resources that exist already, names.

A prop is one field of `Props`. Settings, which are plain values and also keys of `cdk.json`, are in `settings/`.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, cast

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from refresh_token import environment
from refresh_token.oauth.variables import ALLOW_HTTP, APP_SECRET_ARN
from token_refresher.settings.reader import SettingsError


class Props(TypedDict, total=False):
    """The props of `TokenRefresher` that are not settings. All are optional."""

    vpc: ec2.IVpc
    """The network of the function. It needs a way to Secrets Manager, DynamoDB and the issuer."""
    vpc_subnets: ec2.SubnetSelection
    """The subnets in `vpc`. By default the private ones with a way out."""
    security_groups: Sequence[ec2.ISecurityGroup]
    """The function's security groups in `vpc`. By default a new one that allows all outbound traffic."""

    secret: secretsmanager.ISecret
    """A secret to keep the pair in, such as the one that a destroyed stack left. Import it with its complete ARN."""
    app_secret: secretsmanager.ISecret
    """A secret with the app's credentials, for an issuer that needs them. Import it with its complete ARN."""
    lock_table: dynamodb.ITable
    """A table for the claims, with the partition key `id` (text) and the time-to-live attribute `expiration`."""
    log_group: logs.ILogGroup
    """The function's log group. `log_retention_days` does not apply to it."""
    dead_letter_queue: sqs.IQueue
    """Where ticks go that could not be delivered."""
    alarm_topic: sns.ITopic
    """The topic that the alarms publish to."""
    alarm_subscriptions: Sequence[sns.ITopicSubscription]
    """Who else gets the alarms, such as `aws_sns_subscriptions.UrlSubscription`."""

    encryption_key: kms.IKey
    """Encrypts the new secrets."""
    log_key: kms.IKey
    """Encrypts the new log group."""
    queue_key: kms.IKey
    """Encrypts the new dead-letter queue."""
    topic_key: kms.IKey
    """Encrypts the new alarm topic, instead of a key of its own."""

    role: iam.IRole
    """The function's role. It gets the permissions that the function needs, unless it was imported as immutable."""
    permissions_boundary: iam.IManagedPolicy
    """The boundary of the new roles."""
    function_name: str
    """The function's name. With a name, a change that replaces the function fails."""
    secret_name: str
    """The name of the new secret with the pair."""
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


_TOGETHER = {"vpc_subnets": "vpc", "security_groups": "vpc"}
"""Props that mean nothing without another one."""
_INSTEAD = {
    "secret": ("secret_name", "encryption_key", "customer_managed_key"),
    "app_secret": (),
    "encryption_key": ("customer_managed_key",),
    "log_group": ("log_key",),
    "dead_letter_queue": ("queue_key",),
    "alarm_topic": ("topic_key", "alarm_email"),
}
"""Props that take the place of others."""

_OURS = frozenset(
    (
        *(environment.ISSUER, environment.SECRET_ARN, environment.LOCK_TABLE),
        *(environment.ADVISORY_WINDOW, environment.MANDATORY_WINDOW, environment.REFRESH_MARGIN),
        *(environment.REFRESH_POLICY, environment.GRANT_IDLE, environment.GRANT_ABSOLUTE),
        *(APP_SECRET_ARN, ALLOW_HTTP, "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"),
    )
)
"""Variables that settings decide."""


def split(given: Mapping[str, Any], settings: Sequence[str]) -> tuple[Props, dict[str, Any]]:
    """Return the props that are set, and everything else, which must be settings with names in `settings`.

    Raises:
        SettingsError: props do not fit together, or a name is a misspelt prop.

    """
    names = Props.__annotations__
    props = {name: value for name, value in given.items() if name in names and value is not None}
    rest = {name: value for name, value in given.items() if name not in names}
    faults = [
        f"{name}: is not a setting or a prop; did you mean {near[0]}?"
        for name in rest
        if name not in settings
        and not difflib.get_close_matches(name, settings, n=1, cutoff=0.8)
        and (near := difflib.get_close_matches(name, names, n=1, cutoff=0.8))
    ]
    faults += [f"{name}: needs {other}" for name, other in _TOGETHER.items() if name in props and other not in props]
    faults += [
        f"{other}: has no effect beside {name}. Remove one of the two"
        for name, others in _INSTEAD.items()
        if name in props
        for other in others
        if props.get(other) or rest.get(other) not in (None, "", False, "false")
    ]
    faults += _values(props)
    if faults:
        raise SettingsError(faults)
    return cast("Props", props), rest


def _values(props: Mapping[str, Any]) -> list[str]:
    """Return a line for each prop whose value is wrong."""
    taken = sorted(_OURS.intersection(props.get("environment", {})))
    accounts = [one for one in props.get("consumer_accounts", ()) if not re.fullmatch(r"\d{12}", str(one), re.ASCII)]
    faults = [f"environment: {name} belongs to the function. Use the setting or the prop for it" for name in taken]
    faults += [f"consumer_accounts: {one} must be an account's 12 digits" for one in accounts]
    if "ca_bundle" in props and not Path(props["ca_bundle"]).is_file():
        faults.append(f"ca_bundle: there is no file {props['ca_bundle']}")
    elif "ca_bundle" in props and b"-----BEGIN CERTIFICATE-----" not in Path(props["ca_bundle"]).read_bytes():
        faults.append(f"ca_bundle: {props['ca_bundle']} must hold certificates in PEM format")
    return faults
