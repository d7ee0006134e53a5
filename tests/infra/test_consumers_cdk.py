"""The CDK app of docs/consumers.md, as a reader runs it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.consumers_page import block
from tests.support.synthesised import Synthesised

READ_AT_DEPLOYMENT = "AWS::SSM::Parameter::Value<String>"


def synthesised_app(folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    (folder / "src").mkdir()
    (folder / "src" / "reports.py").write_text("def lambda_handler(event, context): ...\n")
    (folder / "app.py").write_text(block("CDK").code)
    environment = {**environment, "CDK_OUTDIR": str(folder / "cdk.out")}
    subprocess.run([sys.executable, "app.py"], check=True, cwd=folder, env=environment)
    template: dict[str, Any] = json.loads((folder / "cdk.out" / "Reports.template.json").read_text())
    return template


def test_its_consumer_gets_layer_variable_and_permission(
    tmp_path: Path, cdk_environment: dict[str, str], synthesised: Callable[[str], Synthesised]
) -> None:
    template = synthesised_app(tmp_path, cdk_environment)
    ids = {p["Default"]: name for name, p in template["Parameters"].items() if name != "BootstrapVersion"}
    published = {r["Properties"]["Name"] for r in synthesised("dev").resources("AWS::SSM::Parameter")}
    assert set(ids) == published, "what the page reads is what the stack writes"
    assert {template["Parameters"][name]["Type"] for name in ids.values()} == {READ_AT_DEPLOYMENT}
    resources = template["Resources"].values()
    (function,) = [r["Properties"] for r in resources if r["Type"] == "AWS::Lambda::Function"]
    (policy,) = [r["Properties"] for r in resources if r["Type"] == "AWS::IAM::Policy"]
    arn, layer = ({"Ref": ids[f"/RefreshToken/dev/{name}"]} for name in ("function-arn", "client-layer-arn"))
    assert function["Environment"]["Variables"] == {"FUNCTION_NAME": arn}
    assert function["Layers"] == [layer]
    assert function["Timeout"] > 70
    assert policy["PolicyDocument"]["Statement"] == [
        {"Action": "lambda:InvokeFunction", "Effect": "Allow", "Resource": arn}
    ]
