"""The KMS key that signs requests, used with the operator's own permissions."""

from functools import partial
from typing import TYPE_CHECKING, Final

from refresh_token.oauth.variables import SIGNING_KEY
from tokenctl.stack.aws_errors import translate_aws_errors

if TYPE_CHECKING:
    from refresh_token.oauth.assertion import Sign
    from tokenctl.stack.aws_access import AwsAccess
    from tokenctl.stack.deployed_stack import DeployedStack

_NO_KEY: Final = ("KMSInvalidStateException", "UnsupportedOperationException")
"""What KMS says before a key is imported, and the local cloud."""


def signer(deployed: "DeployedStack") -> "Sign | None":
    """Return what signs with the deployment's key, None if it has no key. It raises as every call of AWS does."""
    key = deployed.target.function_variables.get(SIGNING_KEY)
    return partial(_sign, deployed.target.aws, key) if key else None


def _sign(aws: "AwsAccess", key: str, message: bytes, algorithm: str) -> bytes:
    client = aws.client("kms")
    with translate_aws_errors():
        answer = client.sign(KeyId=key, Message=message, MessageType="RAW", SigningAlgorithm=algorithm)
    signature: bytes = answer["Signature"]
    return signature


def lacks_private_key(deployed: "DeployedStack") -> bool:
    """Tell whether the deployment has a key that signs, but nobody has imported the private key into it."""
    key = deployed.target.function_variables.get(SIGNING_KEY)
    if not key:
        return False
    from botocore.exceptions import ClientError

    client = deployed.target.aws.client("kms")
    with translate_aws_errors():
        try:
            client.get_public_key(KeyId=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NO_KEY:
                raise
            return True
    return False
