"""The bundle that is deployed: everything that the function uses works from it, and it holds nothing else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from werkzeug import Request, Response

from tests.support.bundles import names, needs_3_13, run_in
from tests.support.checkout import ROOT
from tests.support.http_server import serving
from token_client import __version__
from token_refresher.bundling import bundle as bundling
from token_refresher.bundling import installed
from token_refresher.bundling.pruning import FUNCTION_RULES

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SERVICES = FUNCTION_RULES.botocore_services
DEPLOYED = {
    "SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:000000000000:secret:pair-abcdef",
    "LOCK_TABLE": "locks",
    "ADVISORY_WINDOW_SECONDS": "604800",
    "MANDATORY_WINDOW_SECONDS": "86400",
}


@pytest.fixture(scope="session")
def function_bundle() -> Path:
    return bundling.function_bundle("arm64")


@needs_3_13
class TestImports:
    def test_every_dependency_is_there_and_compiled(self, function_bundle: Path) -> None:
        script = """
import os, json
import boto3, botocore.config
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
for service in ("secretsmanager", "dynamodb", "amplifyuibuilder", "sts", "kms"):
    boto3.client(service)
DynamoDBPersistenceLayer(table_name="locks")
Logger(service="test").info("it logs")
metrics = Metrics(namespace="test", service="test")
metrics.add_metric(name="Refreshed", unit=MetricUnit.Count, value=1)
metrics.flush_metrics()
ours = [module for module in list(sys.modules.values()) if str(getattr(module, "__file__", "")).startswith(sys.path[0])]
print(json.dumps({"modules": len(ours), "uncompiled": [m.__name__ for m in ours if not os.path.exists(m.__cached__)]}))
"""
        printed = [json.loads(line) for line in run_in(function_bundle, script).splitlines()]
        assert printed[0]["message"] == "it logs"
        assert printed[1]["Refreshed"] == [1.0]
        assert printed[2]["modules"] > 100
        assert printed[2]["uncompiled"] == []

    def test_the_garbage_collector_skips_what_init_made(self, function_bundle: Path) -> None:
        script = """
import gc
import refresh_token.handler
watched, frozen = len(gc.get_objects()), gc.get_freeze_count()
assert gc.isenabled()
assert frozen > 10 * watched, (frozen, watched)
"""
        run_in(function_bundle, script, **DEPLOYED)

    def test_it_brings_certificate_authorities_of_its_own(self, function_bundle: Path) -> None:
        script = """
from refresh_token.issuers.tls import function_tls_context
print(function_tls_context().cert_store_stats()["x509_ca"])
"""
        nowhere = {"SSL_CERT_FILE": "/nowhere", "SSL_CERT_DIR": "/nowhere"}
        assert int(run_in(function_bundle, script, **nowhere)) > 50


CLIENT = """
import json
from botocore.config import Config
from refresh_token.adapters.aws_clients import aws_client, session
"""


@needs_3_13
class TestEndpoints:
    def test_pruning_changes_none_in_any_region(self, function_bundle: Path) -> None:
        unpruned = botocore.session.get_session()
        partitions = unpruned.get_available_partitions()
        regions = [region for name in partitions for region in unpruned.get_available_regions("dynamodb", name)]
        assert {"us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"} <= set(regions)
        script = f"""
found = dict()
for region in {regions}:
    for service in {SERVICES}:
        client = session().create_client(service, region_name=region)
        found[region + " " + service] = [client.meta.endpoint_url, client._request_signer.region_name]
known = [session().get_available_regions(service, name) for service in {SERVICES} for name in {partitions}]
print(json.dumps([found, known]))
"""
        found, known = json.loads(run_in(function_bundle, CLIENT + script))
        for key, (url, signed_for) in found.items():
            region, service = key.split()
            client: Any = unpruned.create_client(service, region_name=region)
            assert (url, signed_for) == (client.meta.endpoint_url, client._request_signer.region_name), key
        assert known == [unpruned.get_available_regions(service, name) for service in SERVICES for name in partitions]


GIVEN = {"AccessKeyId": "AKIAGIVEN", "SecretAccessKey": "s", "Token": "t", "Expiration": "2100-01-01T00:00:00Z"}
ASSUMED = f"""<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
    <AccessKeyId>AKIAGIVEN</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
    <Expiration>{GIVEN["Expiration"]}</Expiration>
</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


def services() -> "WSGIApplication":
    """Return a server that hands out credentials and answers calls with their signature, after a first fault."""
    faults = iter([Response("{}", 503)])

    @Request.application
    def app(request: Request) -> Response:
        if request.method == "GET":
            return Response(json.dumps(GIVEN))
        if b"AssumeRoleWithWebIdentity" in request.get_data():
            return Response(ASSUMED)
        return next(faults, Response(json.dumps({"SecretString": request.headers["Authorization"]})))

    return app


def from_environment(_: str, __: Path) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": "AKIAGIVEN", "AWS_SECRET_ACCESS_KEY": "s"}


def from_container(url: str, _: Path) -> dict[str, str]:
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/credentials"}


def from_web_identity(_: str, folder: Path) -> dict[str, str]:
    (folder / "identity").write_text("token", encoding="utf-8")
    role = {"AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/r", "AWS_ROLE_SESSION_NAME": "bundle"}
    return {**role, "AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "identity")}


@needs_3_13
class TestCalls:
    @pytest.mark.parametrize("source", [from_environment, from_container, from_web_identity])
    def test_any_credentials_sign_and_faults_are_retried(
        self, function_bundle: Path, tmp_path: Path, source: Callable[[str, Path], dict[str, str]]
    ) -> None:
        script = """
client = aws_client("secretsmanager", Config(retries={"mode": "standard", "total_max_attempts": 3}))
print(client.get_secret_value(SecretId="s")["SecretString"])
"""
        with serving(services()) as url:
            given: dict[str, Any] = {"AWS_ENDPOINT_URL": url, "HOME": str(tmp_path), **source(url, tmp_path)}
            signature = run_in(function_bundle, CLIENT + script, **given)
        assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIAGIVEN/")
        assert "/eu-west-1/secretsmanager/aws4_request" in signature

    def test_https_is_never_made_in_the_clear(self, function_bundle: Path, tmp_path: Path) -> None:
        script = """
from botocore.exceptions import SSLError
client = aws_client("secretsmanager", Config(retries={"total_max_attempts": 1}))
try:
    client.get_secret_value(SecretId="s")
except SSLError:
    print("refused")
"""
        with serving(services()) as url:
            given = {"AWS_ENDPOINT_URL": url.replace("http:", "https:"), "HOME": str(tmp_path)}
            given |= from_environment(url, tmp_path)
            assert run_in(function_bundle, CLIENT + script, **given) == "refused\n"


class TestContents:
    def test_only_the_services_in_use(self, function_bundle: Path) -> None:
        services = {path.name for path in (function_bundle / "botocore" / "data").iterdir() if path.is_dir()}
        assert services == {"amplifyuibuilder", "dynamodb", "events", "kms", "secretsmanager", "sqs", "sts"}
        packages = {path.parent.name.split("-")[0] for path in function_bundle.glob("*.dist-info/METADATA")}
        assert {"boto3", "botocore", "aws_lambda_powertools", "urllib3"} <= packages
        assert "aws_xray_sdk" not in packages, "its segments would hold answers, and so tokens"

    def test_the_bill_lists_each_package_and_its_licence(self, function_bundle: Path) -> None:
        bill = json.loads((function_bundle / "refresh-token.cdx.json").read_text())
        assert bill["metadata"]["component"]["purl"] == f"pkg:pypi/refresh-token@{__version__}"
        found = {one["name"].lower().replace("_", "-"): one for one in bill["components"]}
        assert {name: one["version"] for name, one in found.items()} == installed.pinned(bundling.REQUIREMENTS)
        assert all(one["licenses"] for one in found.values())
        (needs,) = [each["dependsOn"] for each in bill["dependencies"] if "boto3@" in each["ref"]]
        assert [each.partition("@")[0] for each in needs] == [
            f"pkg:pypi/{name}" for name in ("botocore", "jmespath", "s3transfer")
        ]
        folders = [path.parent for path in function_bundle.glob("*.dist-info/METADATA")]
        assert [folder.name for folder in folders if not [*folder.rglob("LICEN[SC]E*")]] == []

    def test_the_zip_has_at_most_4_mb(self, function_bundle: Path, tmp_path: Path) -> None:
        zipped = shutil.make_archive(str(tmp_path / "function"), "zip", function_bundle)
        assert Path(zipped).stat().st_size <= 4_000_000

    def test_no_file_names_a_folder_of_this_machine(self, function_bundle: Path) -> None:
        here = str(ROOT).encode()
        assert not [name for name in names(function_bundle) if here in (function_bundle / name).read_bytes()]
