"""The bundle that is deployed: all that the function uses works from it, and nothing else is in it."""

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from tests.infra.test_bundling import names, needs_3_13
from tests.support.checkout import ROOT
from token_refresher.bundling import bundle as bundling
from token_refresher.bundling import python_runtime
from token_refresher.bundling.pruning import FUNCTION_RULES

SERVICES = FUNCTION_RULES.botocore_services


@pytest.fixture(scope="session")
def function_bundle() -> Path:
    """The packages that the function ships with, around a source folder that does not matter here."""
    return bundling.function_bundle("arm64")


def in_isolation(folder: Path, script: str, **environment: str) -> str:
    """Run `script` with the standard library and the bundle, as Lambda does with /var/task, and nothing else."""
    found = python_runtime.find_compiler()
    assert found
    prelude = f"import sys; sys.path.insert(0, {str(folder)!r})\n"
    region = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
    done = subprocess.run(
        [found.executable, "-I", "-S", "-B", "-c", prelude + script],
        check=False,
        capture_output=True,
        text=True,
        env={**region, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_3_13
def test_everything_that_the_function_imports_is_in_the_bundle_and_compiled(function_bundle: Path) -> None:
    script = """
import os, json
import boto3, botocore.config
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
for service in ("secretsmanager", "dynamodb", "amplifyuibuilder", "sts"):
    boto3.client(service)
DynamoDBPersistenceLayer(table_name="locks")
Logger(service="test").info("it logs")
metrics = Metrics(namespace="test", service="test")
metrics.add_metric(name="Refreshed", unit=MetricUnit.Count, value=1)
metrics.flush_metrics()
ours = [module for module in list(sys.modules.values()) if str(getattr(module, "__file__", "")).startswith(sys.path[0])]
print(json.dumps({"modules": len(ours), "uncompiled": [m.__name__ for m in ours if not os.path.exists(m.__cached__)]}))
"""
    printed = [json.loads(line) for line in in_isolation(function_bundle, script).splitlines()]
    assert printed[0]["message"] == "it logs"
    assert printed[1]["Refreshed"] == [1.0]
    assert printed[2]["modules"] > 100
    assert printed[2]["uncompiled"] == []


DEPLOYED = {
    "SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:000000000000:secret:pair-abcdef",
    "LOCK_TABLE": "locks",
    "ADVISORY_WINDOW_SECONDS": "604800",
    "MANDATORY_WINDOW_SECONDS": "86400",
}


@needs_3_13
def test_a_cold_start_loads_nothing_that_only_a_refresh_or_a_failure_needs(function_bundle: Path) -> None:
    script = """
import sys
import refresh_token.handler
assert refresh_token.handler._connection.cache_info().currsize, "the client is made"
for name in ("boto3", "s3transfer", "aws_lambda_powertools"):
    assert name not in sys.modules, name
assert [name for name in sys.modules if name.startswith(("refresh_token.issuers", "refresh_token.oauth"))] == []
"""
    in_isolation(function_bundle, script, **DEPLOYED)


@needs_3_13
def test_garbage_is_collected_after_init_and_what_init_made_is_not_looked_at_again(function_bundle: Path) -> None:
    script = """
import gc
import refresh_token.handler
looked_at, left_alone = len(gc.get_objects()), gc.get_freeze_count()
assert gc.isenabled()
assert left_alone > 10 * looked_at, (left_alone, looked_at)
"""
    in_isolation(function_bundle, script, **DEPLOYED)


@needs_3_13
def test_where_the_machine_has_no_certificate_authorities_those_in_the_bundle_are_used(function_bundle: Path) -> None:
    script = """
from refresh_token.issuers.tls import function_tls_context
print(function_tls_context().cert_store_stats()["x509_ca"])
"""
    nowhere = {"SSL_CERT_FILE": "/nowhere", "SSL_CERT_DIR": "/nowhere"}
    assert int(in_isolation(function_bundle, script, **nowhere)) > 50


@needs_3_13
def test_every_issuer_can_be_made_from_the_bundle(function_bundle: Path) -> None:
    script = """
import os
from refresh_token.issuers.registry import ISSUERS, issuer_named
for name in ISSUERS:
    issuer_named(name, os.environ)
"""
    settings = {"APP_SECRET_ARN": "arn:app", "OAUTH2_TOKEN_URL": "https://issuer.example/token"}
    in_isolation(function_bundle, script, **settings)


CLIENT = """
from botocore.config import Config
from refresh_token.aws_clients import aws_client, session
"""


@needs_3_13
def test_every_service_has_the_same_endpoint_in_every_region_as_without_pruning(function_bundle: Path) -> None:
    whole = botocore.session.get_session()
    partitions = whole.get_available_partitions()
    regions = [region for name in partitions for region in whole.get_available_regions("dynamodb", name)]
    assert {"us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"} <= set(regions)
    script = f"""
import json
found = dict()
for region in {regions}:
    for service in {SERVICES}:
        client = session().create_client(service, region_name=region)
        found[region + " " + service] = [client.meta.endpoint_url, client._request_signer.region_name]
known = [session().get_available_regions(service, name) for service in {SERVICES} for name in {partitions}]
print(json.dumps([found, known]))
"""
    found, known = json.loads(in_isolation(function_bundle, CLIENT + script))
    for key, (url, signed_for) in found.items():
        region, service = key.split()
        client: Any = whole.create_client(service, region_name=region)
        assert (url, signed_for) == (client.meta.endpoint_url, client._request_signer.region_name), key
    assert known == [whole.get_available_regions(service, name) for service in SERVICES for name in partitions]


@needs_3_13
def test_retries_and_endpoints_work_from_the_pruned_bundle(function_bundle: Path) -> None:
    script = """
config = Config(region_name="cn-north-1", retries={"mode": "standard", "total_max_attempts": 3})
here, there = aws_client("secretsmanager", config), aws_client("amplifyuibuilder", Config())
import json
print(json.dumps([here.meta.endpoint_url, there.meta.endpoint_url, here.meta.config.retries]))
"""
    elsewhere = {"AWS_ENDPOINT_URL_AMPLIFYUIBUILDER": "http://127.0.0.1:9"}
    assert json.loads(in_isolation(function_bundle, CLIENT + script, **elsewhere)) == [
        "https://secretsmanager.cn-north-1.amazonaws.com.cn",
        "http://127.0.0.1:9",
        {"mode": "standard", "total_max_attempts": 3},
    ]


GIVEN = {"AccessKeyId": "AKIAGIVEN", "SecretAccessKey": "s", "Token": "t", "Expiration": "2100-01-01T00:00:00Z"}
ASSUMED = f"""<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
    <AccessKeyId>AKIAGIVEN</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
    <Expiration>{GIVEN["Expiration"]}</Expiration>
</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


class Services(BaseHTTPRequestHandler):
    """A giver of credentials, and a Secrets Manager that shows who asks; its first answer is a fault."""

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self) -> None:
        self._answer(200, json.dumps(GIVEN))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if "AssumeRoleWithWebIdentity" in body:
            self._answer(200, ASSUMED)
        elif self.server.__dict__.setdefault("faults", []) == []:
            self.server.__dict__["faults"].append(self.path)
            self._answer(503, "{}")
        else:
            self._answer(200, json.dumps({"SecretString": self.headers["Authorization"]}))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def services() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Services) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def from_environment(_: str, __: Path) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": "AKIAGIVEN", "AWS_SECRET_ACCESS_KEY": "s"}


def from_container(url: str, _: Path) -> dict[str, str]:
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/credentials"}


def from_web_identity(_: str, folder: Path) -> dict[str, str]:
    (folder / "identity").write_text("token", encoding="utf-8")
    role = {"AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/r", "AWS_ROLE_SESSION_NAME": "bundle"}
    return {**role, "AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "identity")}


@needs_3_13
@pytest.mark.parametrize("source", [from_environment, from_container, from_web_identity])
def test_a_call_is_signed_with_the_credentials_there_are_and_repeated_after_a_fault(
    function_bundle: Path, tmp_path: Path, source: Callable[[str, Path], dict[str, str]]
) -> None:
    script = """
client = aws_client("secretsmanager", Config(retries={"mode": "standard", "total_max_attempts": 3}))
print(client.get_secret_value(SecretId="s")["SecretString"])
"""
    with services() as url:
        given: dict[str, Any] = {"AWS_ENDPOINT_URL": url, "HOME": str(tmp_path), **source(url, tmp_path)}
        signature = in_isolation(function_bundle, CLIENT + script, **given)
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIAGIVEN/")
    assert "/eu-west-1/secretsmanager/aws4_request" in signature


@needs_3_13
def test_a_call_by_https_is_never_made_in_the_clear(function_bundle: Path, tmp_path: Path) -> None:
    script = """
from botocore.exceptions import SSLError
client = aws_client("secretsmanager", Config(retries={"total_max_attempts": 1}))
try:
    client.get_secret_value(SecretId="s")
except SSLError:
    print("refused")
"""
    with services() as url:
        given = {"AWS_ENDPOINT_URL": url.replace("http:", "https:"), "HOME": str(tmp_path)}
        given |= from_environment(url, tmp_path)
        assert in_isolation(function_bundle, CLIENT + script, **given) == "refused\n"


def test_the_bundle_keeps_the_services_in_use_and_the_names_of_what_is_in_it(function_bundle: Path) -> None:
    services = {path.name for path in (function_bundle / "botocore" / "data").iterdir() if path.is_dir()}
    assert services == {"amplifyuibuilder", "dynamodb", "secretsmanager", "sts"}
    packages = {path.parent.name.split("-")[0] for path in function_bundle.glob("*.dist-info/METADATA")}
    assert {"boto3", "botocore", "aws_lambda_powertools", "urllib3"} <= packages


def test_the_zip_has_at_most_4_mb(function_bundle: Path, tmp_path: Path) -> None:
    zipped = shutil.make_archive(str(tmp_path / "function"), "zip", function_bundle)
    assert Path(zipped).stat().st_size <= 4_000_000


def test_the_bundle_names_no_folder_of_this_machine(function_bundle: Path) -> None:
    here = str(ROOT).encode()
    assert not [name for name in names(function_bundle) if here in (function_bundle / name).read_bytes()]
