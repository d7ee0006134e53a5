"""A stand-in for every test, and real clients to call it with."""

import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import boto3
import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from mypy_boto3_amplifyuibuilder import AmplifyUIBuilderClient as UiBuilder

from local.standin import Standin
from tests.support.consent import Post


@pytest.fixture
def standin(running_standin: Standin) -> Standin:
    running_standin.reset()
    return running_standin


@pytest.fixture
def ui_builder(standin: Standin) -> Iterator[UiBuilder]:
    """A boto3 client that tries once and does not wait long."""
    client = boto3.client(
        "amplifyuibuilder",
        endpoint_url=standin.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=2),
    )
    yield client
    client.close()


@pytest.fixture
def signed_post(standin: Standin) -> Post:
    """Post any body to an AWS path with a valid Signature Version 4, past boto3's own validation."""

    def post(path: str, body: object, *, service: str = "amplifyuibuilder") -> urllib3.BaseHTTPResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"{standin.url}{path}"
        request = AWSRequest("POST", url, headers={"Content-Type": "application/json"}, data=data)
        SigV4Auth(Credentials("test", "test"), service, "us-east-1").add_auth(request)
        return urllib3.request("POST", url, headers=dict(request.headers.items()), body=data, retries=False)

    return post


@pytest.fixture
def post_form(standin: Standin) -> Post:
    """Post a form to one of Figma's paths."""

    def post(path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> urllib3.BaseHTTPResponse:
        sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        url = f"{standin.url}{path}"
        return urllib3.request("POST", url, body=urlencode(form), headers=sent, redirect=False, retries=False)

    return post
