"""Every stage passes the checks, and each acknowledgement is needed. `test_synth.py` shows that they can fail."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_cdk import App
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks
from constructs import IConstruct

from infra.stack import RefreshTokenStack
from infra.stage_settings import StageSettings
from tests.support.checkout import ROOT
from tests.support.synthesised import VARIANTS

pytestmark = pytest.mark.xdist_group("synth")


ANY_KEY = "arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*"


FLEET = {"connections": "true", "providers": "figma,linear"}
ASK, WORKER, DISPATCHER = (f"Stack/Default/Connections/{part}" for part in ("Ask", "Worker", "Dispatcher"))
OF_THE_FLEET = [
    *(("AwsSolutions-L1", f"{part}/Function/Resource") for part in (ASK, WORKER, DISPATCHER)),
    *(("AwsSolutions-IAM5[Resource::*]", f"{part}/Role/Resource") for part in (ASK, WORKER, DISPATCHER)),
    *((f"AwsSolutions-IAM5[Resource::{ANY_KEY}]", f"{part}/Role/Resource") for part in (ASK, WORKER)),
    ("AwsSolutions-SMG4", "Stack/Default/Connections/AppSecret-linear/Resource"),
]


@pytest.mark.parametrize("variant", [{}, {"issuer": "figma"}, {"issuer": "figma", **FLEET}], ids=str)
def test_each_acknowledgement_answers_a_finding(
    context: dict[str, object], variant: dict[str, str], asset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = SimpleNamespace(acknowledge=lambda *_: None)
    monkeypatch.setattr("aws_cdk.Validations", SimpleNamespace(of=lambda _: nothing))
    app = App(context={**context, **variant}, outdir=str(tmp_path))
    settings = StageSettings.from_context(app.node.get_all_context())
    RefreshTokenStack(app, "Stack", settings=settings, asset=asset)
    of_the_app = [("AwsSolutions-SMG4", "Stack/Default/AppSecret/Resource")] if variant else []
    of_the_fleet = OF_THE_FLEET if "connections" in variant else []
    findings = AwsSolutionsChecks().validate_scope(app).violations
    assert sorted(
        (finding.rule_name, resource.construct_path) for finding in findings for resource in finding.violating_resources
    ) == sorted(
        [
            *of_the_fleet,
            ("AwsSolutions-IAM5[Resource::*]", "Stack/Default/Refresh/Role/Resource"),
            (f"AwsSolutions-IAM5[Resource::{ANY_KEY}]", "Stack/Default/Refresh/Role/Resource"),
            ("AwsSolutions-L1", "Stack/Default/Refresh/Function/Resource"),
            *of_the_app,
            ("AwsSolutions-SMG4", "Stack/Default/Secret/Resource"),
            ("AwsSolutions-SQS3", "Stack/Default/DeadLetters/Queue/Resource"),
        ]
    )


PACKS: dict[str, Any] = {
    "NIST.800.53.R5": NIST80053R5Checks,
    "HIPAA.Security": HIPAASecurityChecks,
    "PCI.DSS.321": PCIDSS321Checks,
}


@pytest.mark.parametrize(
    "variant",
    [{"issuer": issuer} for issuer in ("amplify", "figma", "google-service-account")] + [{"issuer": "figma", **FLEET}],
    ids=str,
)
def test_prod_has_a_reason_for_the_other_packs(
    context: dict[str, object], variant: dict[str, str], asset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted: set[tuple[str, str]] = set()

    def of(resource: IConstruct) -> SimpleNamespace:
        path = resource.node.path.removesuffix("/Resource")
        return SimpleNamespace(acknowledge=lambda *reasons: accepted.update((path, one.id) for one in reasons))

    monkeypatch.setattr("aws_cdk.Validations", SimpleNamespace(of=of))
    app = App(context={**context, "stage": "prod", **variant}, outdir=str(tmp_path))
    settings = StageSettings.from_context(app.node.get_all_context())
    RefreshTokenStack(app, "Stack", settings=settings, asset=asset)
    found = {
        name: {
            (str(resource.construct_path).removesuffix("/Resource"), finding.rule_name)
            for finding in pack().validate_scope(app).violations
            for resource in finding.violating_resources
        }
        for name, pack in PACKS.items()
    }
    assert all(findings and findings <= accepted for findings in found.values())
    # This pack has every rule that the others have, so each reason is needed.
    assert {one for one in accepted if one[1].startswith("NIST")} == found["NIST.800.53.R5"]


def test_cfn_lint_accepts_every_template(template_file: Callable[[str], Path]) -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    files = [*map(template_file, VARIANTS), *(ROOT / "infra" / "account").glob("*.yaml")]
    done = subprocess.run([lint, *files], check=False, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("", 0)
