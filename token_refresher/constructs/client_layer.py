"""The layer with the client, for other Lambda functions."""

from aws_cdk import AssetHashType, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from token_refresher.bundling.bundle import client_bundle


class ClientLayer(Construct):
    """Lets functions `import token_client`, on every Python that both Lambda and the client support.

    It holds no byte code: that would serve one Python version, and the layer serves three.
    """

    def __init__(self, scope: Construct, construct_id: str, *, title: str) -> None:
        super().__init__(scope, construct_id)
        asset = client_bundle()
        self.layer = lambda_.LayerVersion(
            self,
            "Layer",
            description=f"token_client: live {title} tokens from the refresh function.",
            code=lambda_.Code.from_asset(str(asset), asset_hash=asset.name, asset_hash_type=AssetHashType.CUSTOM),
            compatible_runtimes=[
                lambda_.Runtime.PYTHON_3_11,
                lambda_.Runtime.PYTHON_3_12,
                lambda_.Runtime.PYTHON_3_13,
            ],
            compatible_architectures=[lambda_.Architecture.ARM_64, lambda_.Architecture.X86_64],
            license="MIT",
            # Always: a consumer's update that fails goes back to the version that it had, which must still be there.
            removal_policy=RemovalPolicy.RETAIN,
        )
