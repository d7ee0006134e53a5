"""A consumer's environment, the function that it invokes, and the API that it uses."""

from collections.abc import Iterator

import boto3
import pytest

from local.environment import aws_variables
from tests.support.client_function import NAME, Api, Function
from tests.support.http_server import serving
from token_client import TokenClient

UNSET = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_MAX_ATTEMPTS", "FUNCTION_NAME", "FUNCTION_NAME_PARAMETER")


@pytest.fixture(scope="session")
def session() -> boto3.session.Session:
    """One session for all tests, because it keeps the service models, which take long to load."""
    return boto3.session.Session()


@pytest.fixture(autouse=True)
def function(monkeypatch: pytest.MonkeyPatch, session: boto3.session.Session) -> Iterator[Function]:
    """The function, at the endpoint that this test's AWS clients use."""
    function = Function()
    with serving(function) as function.url:
        for name, value in aws_variables(function.url).items():
            monkeypatch.setenv(name, value)
        for name in UNSET:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
        yield function
        if function.slow:
            function.slow.set()


@pytest.fixture
def client(function: Function) -> TokenClient:
    assert function.url
    return TokenClient(NAME)


@pytest.fixture
def api(function: Function) -> Iterator[Api]:
    api = Api(function)
    with serving(api) as api.url:
        yield api
