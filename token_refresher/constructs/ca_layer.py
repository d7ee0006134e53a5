"""A layer with the certificate authorities that the function trusts."""

import shutil
import tempfile
from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

_NAME = "refresh-token-ca.pem"
CA_PATH = f"/opt/{_NAME}"
"""Where the function finds the file. Lambda unpacks layers into /opt."""


def ca_layer(scope: Construct, bundle: Path) -> lambda_.LayerVersion:
    """Return a layer with a copy of the PEM file."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(bundle, Path(folder) / _NAME)
        return lambda_.LayerVersion(
            scope,
            "CertificateAuthorities",
            description="The certificate authorities that the refresh function trusts.",
            code=lambda_.Code.from_asset(folder),
        )
