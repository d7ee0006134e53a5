"""tokenctl in this process, a stand-in that records its requests, a Lambda endpoint, and the real AWS CLI."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.loaders import Loader

from local.standin import StandinControl
from tests.support.aws_cli import AWS, AWS_PYTHON, is_version_2
from tests.support.aws_endpoints import Function, Wire
from tests.support.checkout import ROOT
from tests.support.command_line import Done, Tokenctl, check_schema
from tests.support.http_server import serving
from tokenctl.main import run

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
NOWHERE = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials and a region, and nothing of the machine's own AWS settings."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {**KEYS, **NOWHERE, "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def _wire_served() -> Iterator[tuple[Wire, str]]:
    wire = Wire()
    with serving(wire) as url:
        yield wire, url


@pytest.fixture
def wire(_wire_served: tuple[Wire, str], standin: StandinControl) -> Wire:
    assert standin
    _wire_served[0].take()
    return _wire_served[0]


@pytest.fixture
def standin(_wire_served: tuple[Wire, str]) -> StandinControl:
    control = StandinControl(_wire_served[1])
    control.reset()
    return control


@pytest.fixture(scope="session")
def _ui_builder(_wire_served: tuple[Wire, str]) -> Iterator[Any]:
    names = ("aws_access_key_id", "aws_secret_access_key", "region_name")
    config = Config(retries={"total_max_attempts": 1})
    settings: Any = dict(zip(names, KEYS.values(), strict=True))
    client = boto3.client("amplifyuibuilder", endpoint_url=_wire_served[1], config=config, **settings)
    yield client
    client.close()


@pytest.fixture
def function(_ui_builder: Any) -> Iterator[Function]:
    fake = Function(_ui_builder)
    with serving(fake) as url:
        fake.url = url
        yield fake


@pytest.fixture
def tokenctl(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Tokenctl:
    """Run tokenctl in this process. Standard input is replaced at its descriptor, which `file:///dev/stdin` reads."""

    def call(*words: str, stdin: str | bytes = "") -> Done:
        file = tmp_path / "stdin"
        file.write_bytes(stdin.encode() if isinstance(stdin, str) else stdin)
        kept, new = os.dup(0), os.open(file, os.O_RDONLY)
        os.dup2(new, 0)
        capfd.readouterr()
        try:
            code = run(list(words))
        finally:
            os.dup2(kept, 0)
            os.close(kept)
            os.close(new)
        captured = capfd.readouterr()
        check_schema(words, captured.out)
        return Done(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def _aws_cli() -> None:
    """Skip the test if there is no AWS CLI to compare with."""
    if not is_version_2():
        pytest.skip(f"{AWS} is not the AWS CLI version 2; Debian's package `awscli` is")


@pytest.fixture(scope="session")
def aws(_aws_cli: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Done]]:
    """The real AWS CLI, with our botocore's model of the service: its own may be older and lack `clientId`."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    models = tmp_path_factory.mktemp("models")
    for kind in ("service-2", "endpoint-rule-set-1"):
        file = models / "amplifyuibuilder" / "2021-08-11" / f"{kind}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(Loader().load_service_model("amplifyuibuilder", kind)))
    worker = subprocess.Popen(
        [AWS_PYTHON, "-m", "tests.support.aws_cli_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={
            **env,
            **KEYS,
            **NOWHERE,
            "AWS_DATA_PATH": str(models),
            "AWS_PAGER": "",
            "AWS_MAX_ATTEMPTS": "1",
            "PYTHONPATH": str(ROOT),
        },
    )
    assert worker.stdin
    assert worker.stdout

    def call(*words: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Done:
        assert worker.stdin
        assert worker.stdout
        worker.stdin.write(json.dumps({"words": words, "stdin": stdin, "env": dict(env or {})}) + "\n")
        worker.stdin.flush()
        return Done(**json.loads(worker.stdout.readline()))

    yield call
    worker.stdin.close()
    worker.stdout.close()
    worker.wait()
