"""The log groups of our functions."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from token_refresher.constructs.acknowledgements import acknowledge
from token_refresher.constructs.existing_key import let_logs_encrypt


def log_group(scope: Construct, *, days: int, key: kms.IKey | None, removal_policy: RemovalPolicy) -> logs.LogGroup:
    """Return a log group that keeps lines for so many days, encrypted with `key` or else with CloudWatch's."""
    log_group = logs.LogGroup(scope, "Logs", encryption_key=key, removal_policy=removal_policy)
    if key:
        let_logs_encrypt(key, scope)
    acknowledge(
        log_group,
        dict.fromkeys(
            ("CKV_AWS_158", "-CloudWatchLogGroupEncrypted"),
            "Encrypted with CloudWatch's key. No line holds a token, and our own key would hide the log when the key "
            "itself is the problem. The prop log_key uses another.",
        ),
    )
    # The L2 takes an enumeration. The setting, the API and the console use the number.
    cast("logs.CfnLogGroup", log_group.node.default_child).retention_in_days = days
    return log_group
