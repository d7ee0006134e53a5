"""The table with the claims: which process refreshes which version of the secret."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from token_refresher.constructs.acknowledgements import acknowledge


class LockTable(Construct):
    """An on-demand table with the key and the time-to-live attribute that Powertools Idempotency expects."""

    def __init__(self, scope: Construct, construct_id: str, *, removal_policy: RemovalPolicy) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expiration",
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=removal_policy,
        )
        acknowledge(
            self.table,
            {
                "CKV_AWS_119": "Encrypted with DynamoDB's key. The table holds hashes and names of errors, never a "
                "token. Our own key would only add a permission to the function's role.",
                "-DynamoDBInBackupPlan": "Claims live for minutes. The table has point-in-time recovery.",
            },
        )
