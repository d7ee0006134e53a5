"""`cdk synth` as an operator runs it."""

import json
import subprocess
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk.aws_sqs import Queue

import app
from infra.stage_settings import StageSettings
from tests.support.checkout import ROOT
from token_refresher.bundling.bundle import BundlingError, client_bundle, function_bundle
from token_refresher.profiles import IssuerName

pytestmark = pytest.mark.xdist_group("cli")


def synth(cdk_cli: str, environment: dict[str, str], out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [cdk_cli, "synth", "--quiet", "--output", str(out), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=600)


@pytest.fixture(scope="session")
def warm_cache(context: dict[str, object]) -> Path:
    """The local stage's bundle, the only thing that may need a package index."""
    return function_bundle(StageSettings.from_context({**context, "stage": "local"}).refresher["architecture"])


def test_local_synthesises_offline_and_reproducibly(
    cdk_cli: str, cdk_environment: dict[str, str], context: dict[str, object], warm_cache: Path, tmp_path: Path
) -> None:
    endpoint = "http://127.0.0.1:9999"
    environment = {**cdk_environment, "CDK_VALIDATION": "true"}
    done = synth(cdk_cli, environment, tmp_path, "-c", "stage=local", "-c", f"amplifyuibuilder_endpoint_url={endpoint}")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("1 May 2027") == 1
    template = (tmp_path / "RefreshToken-local.template.json").read_text(encoding="utf-8")
    again = tmp_path / "again"
    flags = {f"aws:cdk:enable-{kind}-metadata": True for kind in ("asset", "path")}
    local = {"stage": "local", "amplifyuibuilder_endpoint_url": endpoint}
    assert app.main(App(context={**context, **flags, **local}, outdir=str(again))) == 0
    assert template == (again / "RefreshToken-local.template.json").read_text(encoding="utf-8")
    assert endpoint in template
    assert str(ROOT) not in template
    report = json.loads((tmp_path / "validation-report.json").read_text(encoding="utf-8"))
    assert report["pluginReports"] == [], "neither cdk-nag nor the CDK's own rules find anything"
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    stack = manifest["artifacts"]["RefreshToken-local"]
    assert stack["environment"] == "aws://unknown-account/unknown-region"
    assert "missing" not in manifest
    uploaded = [path for path in tmp_path.glob("asset.*") if path.is_dir()]
    contents = sorted(sorted(path.name for path in folder.iterdir()) for folder in uploaded)
    expected = [sorted(path.name for path in folder.iterdir()) for folder in (warm_cache, client_bundle())]
    assert contents == sorted(expected)


def test_bad_settings_are_a_line_each(context: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(App(context={**context, "memory_mb": "12", "issuer": "no-such-one"})) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"issuer=no-such-one: {IssuerName()}. `tokenctl providers list` shows the catalogue",
        "memory_mb=12: must be a whole number from 128 to 10240 MB, Lambda's limits",
    ]


def test_a_failure_of_pip_is_a_line(
    context: dict[str, object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: str) -> Path:
        raise BundlingError("pip could not install this")

    monkeypatch.setattr("token_refresher.construct.function_bundle", fail)
    assert app.main(App(context=context)) == 1
    assert capsys.readouterr().err == "pip could not install this\n"


def test_an_unacknowledged_finding_fails_the_app(
    context: dict[str, object], asset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("token_refresher.construct.function_bundle", lambda _: asset)
    root = App(context=context, outdir=str(tmp_path))
    Queue(Stack(root, "Careless"), "PlainHttp")
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.main(root)
