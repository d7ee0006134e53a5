"""The checks are on, every stage passes them, and they can fail."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from aws_cdk import App, Stack, aws_sqs
from cdk_nag import AwsSolutionsChecks

from infra.checks import add_checks
from infra.stack import RefreshTokenStack
from infra.stage_settings import StageSettings
from tests.support.synthesised import VARIANTS
from token_refresher.constructs.acknowledgements import acknowledge

pytestmark = pytest.mark.xdist_group("synth")


def test_an_unacknowledged_finding_fails_the_synthesis(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    add_checks(app)
    stack = Stack(app, "Careless")
    acknowledge(
        aws_sqs.Queue(stack, "Known"), dict.fromkeys(("AwsSolutions-SQS3", "AwsSolutions-SQS4"), "shown in a test")
    )
    aws_sqs.Queue(stack, "Unknown")
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    (report,) = json.loads((tmp_path / "validation-report.json").read_text(encoding="utf-8"))["pluginReports"]
    found = [
        (violation["ruleName"], construct["constructPath"])
        for violation in report["violations"]
        for construct in violation["violatingConstructs"]
    ]
    assert found == [
        ("AwsSolutions-SQS3", "Careless/Unknown/Resource"),
        ("AwsSolutions-SQS4", "Careless/Unknown/Resource"),
    ]


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
