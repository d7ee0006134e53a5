"""What an app uses of a refresher: its parts, and who may use them."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from token_refresher.constructs.composite_alarms import CompositeAlarms
from token_refresher.constructs.refresh_metrics import RefreshMetrics
from token_refresher.constructs.token_secret import TokenSecret
from token_refresher.prop_rules import demand


class RefresherParts(RefreshMetrics):
    """The parts of a refresher. `RefreshMetrics` has the methods for its metrics."""

    function: lambda_.Function
    """The function itself. Call it through `alias`."""
    secret_arn: str
    """The ARN of the secret with the token pair."""
    app_secret_arn: str | None
    """The ARN of the secret with the app's credentials, if the issuer serves your own app."""
    signing_key_arn: str | None
    """The ARN of the key that signs, if the issuer wants signed assertions."""
    encryption_key: kms.IKey | None
    """The key of the secrets, with `customer_managed_key`."""
    lock_table: dynamodb.ITable
    """The table with the claims on refreshes."""
    dead_letter_queue: sqs.IQueue
    """The queue of ticks that could not be delivered to the function."""
    topic: sns.ITopic | None
    """The topic that the alarms publish to, if there are any. You can add subscriptions."""
    alarms: list[cloudwatch.Alarm]
    """The alarms. You can add actions."""
    composite_alarms: CompositeAlarms | None
    """`somebody_must_act` and `look_tomorrow`. You can add actions. None for an `emulator`."""
    dashboard: cloudwatch.Dashboard | None
    """The dashboard, if there is one."""

    _secret: TokenSecret

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let a grantee read the token pair with its refresh token, but not the app's credentials.

        Consumers only need `grant_invoke`. A grantee of another account needs a customer managed key.
        """
        demand("grantee", grantee, iam.IGrantable)
        return self._secret.grant_read(grantee)
