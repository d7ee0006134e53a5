"""Which resources of an app a refresher cannot use, as far as the synthesis can know."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from aws_cdk import Stack, Token
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs

_ARNS: Final = {
    **dict.fromkeys(("secret", "app_secret", "app_secrets"), "secret_arn"),
    "lock_table": "table_arn",
    "log_group": "log_group_arn",
    "dead_letter_queue": "queue_arn",
    "alarm_topic": "topic_arn",
    **dict.fromkeys(("encryption_key", "log_key", "queue_key", "topic_key"), "key_arn"),
    "role": "role_arn",
    "layers": "layer_version_arn",
    "code_signing_config": "code_signing_config_arn",
}
"""Which attribute has the ARN. The region in it, if there is one, must be the function's."""
_OF_ITS_ACCOUNT: Final = ("lock_table", "log_group", "role")
"""Props of which the function can only use those of its own account."""
_SELECTION: Final = (
    *("availability_zones", "one_per_az", "subnet_filters", "subnet_group_name", "subnets", "subnet_type"),
)
"""The fields of a `SubnetSelection`."""


def unusable(stack: Stack, props: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each prop that the function cannot use. `stack` is where the function will be."""
    for name in [name for name in _ARNS if name in props]:
        value = props[name]
        several = [*value.values()] if isinstance(value, Mapping) else value
        for resource in several if isinstance(several, (list, tuple)) else [several]:
            yield from _elsewhere(stack, name, resource)
            if hasattr(resource, "alias_name"):
                yield f"{name}: is an alias, which no policy can name. Give the key itself"
    if not _has_the_key(props.get("lock_table")):
        yield "lock_table: must have the partition key id, a text, and no sort key"
    if _reads_no_metrics(props.get("log_group")):
        yield "log_group: must be of the class STANDARD. From others, CloudWatch takes no metrics, so no alarm goes off"
    if "dead_letter_queue" in props and props["dead_letter_queue"].fifo:
        yield "dead_letter_queue: must not be a FIFO queue. EventBridge Scheduler cannot use one"
    if "vpc" in props and (fault := _wrong_subnets(props["vpc"], props.get("vpc_subnets"))):
        yield fault


def _elsewhere(stack: Stack, name: str, resource: Any) -> Iterator[str]:  # noqa: ANN401 - any resource
    arn = getattr(resource, _ARNS[name])
    region, account = arn.split(":")[3:5] if arn.startswith("arn:aws") else (resource.env.region, resource.env.account)
    if _differ(region, stack.region):
        yield f"{name}: is in {region}. The function is in {stack.region} and needs one there"
    if name in _OF_ITS_ACCOUNT and _differ(account, stack.account):
        yield f"{name}: is of account {account}. The function is of {stack.account} and needs one of that account"
    # The key aws/secretsmanager serves its own account only.
    if "secret" in name and _differ(account, stack.account) and resource.encryption_key is None:
        yield f"{name}: is of account {account}, so it has a key. Import both with from_secret_attributes"


def _differ(one: str, other: str) -> bool:
    """Return whether both are known and differ. A role has no region, and a token does not tell."""
    return "" != one != other and not Token.is_unresolved(one) and not Token.is_unresolved(other)


def _has_the_key(table: dynamodb.ITable | None) -> bool:
    resource = table.node.default_child if table else None
    if not isinstance(resource, dynamodb.CfnTable):
        return True
    keys, types = cast("Any", resource.key_schema), cast("Any", resource.attribute_definitions)
    names = [key.attribute_name for key in keys]
    return names == ["id"] and [each.attribute_type for each in types if each.attribute_name == "id"] == ["S"]


def _reads_no_metrics(log_group: logs.ILogGroup | None) -> bool:
    """Return whether it is of a class without embedded metrics (CloudWatch Logs User Guide, "Log classes")."""
    resource = log_group.node.default_child if isinstance(log_group, logs.LogGroup) else None
    return isinstance(resource, logs.CfnLogGroup) and resource.log_group_class in ("INFREQUENT_ACCESS", "DELIVERY")


def _wrong_subnets(vpc: ec2.IVpc, chosen: ec2.SubnetSelection | None) -> str | None:
    options = {name: getattr(chosen, name, None) for name in _SELECTION}
    try:
        found = vpc.select_subnets(**{name: value for name, value in options.items() if value is not None})
    except RuntimeError as error:  # the CDK has no narrower one
        return f"vpc_subnets: {str(error).splitlines()[0]}"
    if {subnet.subnet_id for subnet in vpc.public_subnets}.isdisjoint(found.subnet_ids):
        return None
    return "vpc_subnets: must be private ones with a way out. A function in a public subnet has none"
