"""Every stage passes the checks, and each acknowledgement is needed. `test_synth.py` shows that they can fail."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from aws_cdk import App
from cdk_nag import AwsSolutionsChecks

from infra.stack import RefreshTokenStack
from infra.stage_settings import StageSettings
from tests.support.synthesised import VARIANTS

pytestmark = pytest.mark.xdist_group("synth")


@pytest.mark.parametrize("issuer", ["amplify", "figma"])
def test_each_acknowledgement_answers_a_finding(
    context: dict[str, object], issuer: str, asset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = SimpleNamespace(acknowledge=lambda *_: None)
    monkeypatch.setattr(
        "token_refresher.constructs.acknowledgements.Validations", SimpleNamespace(of=lambda _: nothing)
    )
    app = App(context={**context, "issuer": issuer}, outdir=str(tmp_path))
    settings = StageSettings.from_context(app.node.get_all_context())
    RefreshTokenStack(app, "Stack", settings=settings, asset=asset)
    of_the_app = [("AwsSolutions-SMG4", "Stack/Default/AppSecret/Resource")] if issuer == "figma" else []
    findings = AwsSolutionsChecks().validate_scope(app).violations
    assert sorted(
        (finding.rule_name, resource.construct_path) for finding in findings for resource in finding.violating_resources
    ) == [
        ("AwsSolutions-IAM5[Resource::*]", "Stack/Default/Refresh/Role/Resource"),
        ("AwsSolutions-L1", "Stack/Default/Refresh/Function/Resource"),
        *of_the_app,
        ("AwsSolutions-SMG4", "Stack/Default/Secret/Resource"),
        ("AwsSolutions-SQS3", "Stack/Default/DeadLetters/Queue/Resource"),
    ]


def test_cfn_lint_accepts_every_stage_and_issuer(template_file: Callable[[str], Path]) -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    files = [str(template_file(variant)) for variant in VARIANTS]
    done = subprocess.run([lint, *files], check=False, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("", 0)
