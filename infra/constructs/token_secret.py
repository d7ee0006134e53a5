"""The secret that holds the token pair."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.checks import acknowledge


class TokenSecret(Construct):
    """A secret that CloudFormation creates and never fills."""

    def __init__(self, scope: Construct, construct_id: str, *, removal_policy: RemovalPolicy) -> None:
        super().__init__(scope, construct_id)
        # The L1 on purpose. The L2 always renders SecretString or GenerateSecretString, and a change of either makes
        # a later deployment write a new version over the live pair.
        resource = secretsmanager.CfnSecret(
            self,
            "Resource",
            description="Figma token pair, written by whoever seeds it and by the refresh function.",
        )
        resource.apply_removal_policy(removal_policy)
        acknowledge(
            resource,
            {
                "AwsSolutions-SMG4": "Native rotation leaves the live token dead between its steps; "
                "the schedule and the refresh function rotate instead."
            },
        )
        # The ARN, as Ref is on AWS; but Ref is the bare name on emulators.
        self.arn = resource.attr_id
