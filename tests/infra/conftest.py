"""One synthesis of each stage for the whole test run: starting jsii takes seconds."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from infra.checks import add_checks
from infra.stack import RefreshTokenStack
from infra.stage_settings import StageSettings
from tests.support.checkout import ROOT
from tests.support.synthesised import VARIANTS, Synthesised, by_type


@pytest.fixture(scope="session")
def context() -> dict[str, Any]:
    """What the CDK CLI passes on from cdk.json."""
    configuration: dict[str, dict[str, Any]] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    return configuration["context"]


@pytest.fixture(scope="session")
def asset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in for the bundle: templates contain only its hash."""
    folder = tmp_path_factory.mktemp("bundle") / ("0" * 64)
    folder.mkdir()
    (folder / "handler.cpython-313.pyc").touch()
    return folder


@pytest.fixture(scope="session")
def synthesise(context: dict[str, Any], asset: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Synthesise a stage in this process and return the template's file."""

    def synthesise(stage: str, *, asset: Path = asset, **overrides: str) -> Path:
        app = App(
            context={**context, "stage": stage, **overrides}, outdir=str(tmp_path_factory.mktemp(stage) / "cdk.out")
        )
        add_checks(app)
        settings = StageSettings.from_context(app.node.get_all_context(), machine=lambda: "x86_64")
        RefreshTokenStack(app, settings.stack_name, settings=settings, asset=asset)
        return Path(app.synth().get_stack_by_name(settings.stack_name).template_full_path)

    return synthesise


@pytest.fixture(scope="session")
def template_file(synthesise: Callable[..., Path]) -> Callable[[str], Path]:

    @cache
    def file(variant: str) -> Path:
        stage, overrides = VARIANTS[variant]
        return synthesise(stage, **overrides)

    return file


@pytest.fixture(scope="session")
def synthesised(template_file: Callable[[str], Path]) -> Callable[[str], Synthesised]:
    @cache
    def read(variant: str) -> Synthesised:
        text = template_file(variant).read_text(encoding="utf-8")
        stage, overrides = VARIANTS[variant]
        issuer = overrides.get("issuer", "amplify")
        return Synthesised(stage=stage, issuer=issuer, template=by_type(json.loads(text)))

    return read


@pytest.fixture(params=VARIANTS)
def every_stage(request: pytest.FixtureRequest, synthesised: Callable[[str], Synthesised]) -> Synthesised:
    return synthesised(request.param)


@pytest.fixture
def dev(synthesised: Callable[[str], Synthesised]) -> Synthesised:
    return synthesised("dev")


@pytest.fixture(scope="session")
def cdk_environment() -> dict[str, str]:
    """An environment without AWS credentials, profiles and endpoints, a package index, and the person's settings."""
    settings = ("AWS_", "CDK_", "JSII_", "NODE_OPTIONS", "NPM_CONFIG_", "npm_config_", "PIP_", "PYTHON")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    tools = [str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin")]
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
    nowhere |= {"AWS_SHARED_CREDENTIALS_FILE": os.devnull, "PIP_NO_INDEX": "1", "CDK_DISABLE_VERSION_CHECK": "1"}
    nowhere["CDK_VALIDATION"] = "false"
    return {**clean, **nowhere, "PATH": os.pathsep.join([*tools, os.environ["PATH"]])}


@pytest.fixture(scope="session")
def cdk_cli(cdk_environment: dict[str, str]) -> str:
    found = shutil.which("cdk", path=cdk_environment["PATH"])
    assert found, "the CDK CLI is missing: make setup"
    return found
