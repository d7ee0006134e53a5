"""The table with the connections, and its key."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from refresh_token.fleet.table import (
    DUE_INDEX,
    DUE_KEYS,
    DUE_PROJECTION,
    PK,
    TROUBLE_INDEX,
    TROUBLE_KEYS,
    TROUBLE_PROJECTION,
)
from token_refresher.constructs.acknowledgements import acknowledge

_TEXT, _NUMBER = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER


class ConnectionTable(Construct):
    """One item holds a connection: its token pair, its state, and when it is due.

    The indexes are sparse and hold no token. `due` has every connection that is alive; `trouble` has every one that is
    not active. The key encrypts the table, and by itself each refresh token. Whoever loses it loses every grant, so key
    and table go and stay together.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey | None, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        kept = removal_policy is not RemovalPolicy.DESTROY
        self.key = key or kms.Key(
            self,
            "Key",
            description="Encrypts the table of a fleet's connections, and by themselves their refresh tokens.",
            enable_key_rotation=True,
            removal_policy=removal_policy,
            pending_window=None if kept else Duration.days(7),
        )
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name=PK, type=_TEXT),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=kept or None,
            removal_policy=removal_policy,
        )
        self._add_index(DUE_INDEX, DUE_KEYS, (_TEXT, _NUMBER), DUE_PROJECTION)
        self._add_index(TROUBLE_INDEX, TROUBLE_KEYS, (_TEXT, _TEXT), TROUBLE_PROJECTION)
        acknowledge(
            self.table,
            {
                "-DynamoDBInBackupPlan": "The table has point-in-time recovery. An older pair is of little use: its "
                "tokens may be spent."
            },
        )

    def _add_index(
        self, name: str, keys: Sequence[str], types: Sequence[dynamodb.AttributeType], shown: Sequence[str]
    ) -> None:
        partition, sort = (dynamodb.Attribute(name=key, type=kind) for key, kind in zip(keys, types, strict=True))
        self.table.add_global_secondary_index(
            index_name=name,
            partition_key=partition,
            sort_key=sort,
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=[*shown],
        )
