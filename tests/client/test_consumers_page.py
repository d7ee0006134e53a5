"""docs/consumers.md agrees with the client, and with the tools that its readers use.

tests/system/test_consumers.py runs the page's handlers, tests/infra/test_consumers_cdk.py its CDK app.
"""

import json
import re
import subprocess
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import hcl2
import pytest

from tests.support.client_function import NAME, Api, Function, raised
from tests.support.consumers_page import FLEET, block, blocks
from tests.support.http_server import serving

BARE = "Without the client"
PARAMETERS = ["/RefreshToken/dev/function-arn", "/RefreshToken/dev/client-layer-arn"]
RUN_HERE = {FLEET, BARE, "CDK", "SAM", "Terraform", "Test your own code"}


def test_some_test_runs_every_block() -> None:
    assert [b.heading for b in blocks() if not b.is_handler and b.heading not in RUN_HERE] == []
    assert len([b for b in blocks() if b.is_handler]) == 7


def test_the_sam_template_is_valid(tmp_path: Path) -> None:
    template, file = block("SAM").code, tmp_path / "template.yaml"
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--regions", "eu-west-1", "--", str(file)]
    for text, valid in ((template, True), (template.replace("CodeUri", "CodeUrl"), False)):
        file.write_text(text)
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert (done.stdout == "" and done.returncode == 0) is valid, done.stdout
    assert [name for name in PARAMETERS if f"Default: {name}\n" not in template] == []


def test_the_terraform_module_is_consistent() -> None:
    # No Python package brings `terraform` itself, so its schema is not checked.
    module: dict[str, Any] = hcl2.loads(block("Terraform").code)
    text = json.dumps(module).replace('\\"', "")
    declared = {
        ".".join([*(["data"] if kind == "data" else []), type_.strip('"'), name.strip('"')])
        for kind in ("data", "resource")
        for entry in module[kind]
        for type_, named in entry.items()
        for name in named
        if name != "__is_block__"
    }
    used = set(re.findall(r"(?:data\.)?aws_\w+\.\w+(?=\.)", text))
    assert used == declared - {
        "aws_lambda_function.reports",
        "aws_iam_role_policy.ask_for_tokens",
        "aws_iam_role_policy_attachment.reports_logs",
    }
    assert [name for name in PARAMETERS if name not in text] == []


@pytest.mark.parametrize("tokens", ['FakeTokens("first", "second")', 'FakeTokens("a", "b")'])
def test_the_example_test_passes_and_can_fail(tokens: str) -> None:
    code = block("Test your own code").code
    names: dict[str, Any] = {}
    exec(compile(code.replace('FakeTokens("first", "second")', tokens), "consumers.md", "exec"), names)  # noqa: S102 - our own page
    with nullcontext() if tokens in code else pytest.raises(Exception, match="Expecting value"):
        names["test_a_rejected_token_is_replaced"]()


def test_the_code_without_the_client_works(function: Function) -> None:
    names: dict[str, Any] = {}
    exec(compile(block(BARE).code.replace("<FunctionAliasArn>", NAME), "consumers.md", "exec"), names)  # noqa: S102 - our own page
    live_token = names["live_token"]
    first = live_token()
    assert first["accessToken"] == function.token
    assert live_token(failed_version=first["versionId"])["accessToken"] == function.token != first["accessToken"]
    function.fault = raised("SecretNotSeededException", "Sign in.")
    with pytest.raises(RuntimeError, match=r"SecretNotSeededException: Sign in\."):
        live_token()


def test_the_fleets_handler_survives_a_dead_token(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTIONS_FUNCTION_NAME", NAME)
    names: dict[str, Any] = {}
    exec(compile(block(FLEET).code.replace("https://api.figma.com", api.url), "consumers.md", "exec"), names)  # noqa: S102 - our own page
    api.says_on_success = '{"handle": "ada"}'
    whole, fleet = api.function, {"connection": "acme/ada"}
    for api.function in (whole.connection("acme/ada"), whole.connection("acme/bob")):
        event = {"connection": api.function.name}
        assert names["lambda_handler"](event, None) == "ada"
        api.function.kill()
        assert names["lambda_handler"](event, None) == "ada"
    assert [each.refreshes for each in whole.connections.values()] == [1, 1]
    assert whole.events.count(fleet) == 1


@pytest.mark.parametrize("index", range(6))
def test_no_handler_takes_the_token_elsewhere(api: Api, monkeypatch: pytest.MonkeyPatch, index: int) -> None:
    monkeypatch.setenv("FUNCTION_NAME", NAME)
    names: dict[str, Any] = {}
    stranger = Api(api.function)
    with serving(stranger) as other:
        api.redirects["/v1/me"] = f"{other}/stolen"
        code = [block.code for block in blocks() if block.is_handler][index].replace("https://api.figma.com", api.url)
        exec(compile(code, "consumers.md", "exec"), names)  # noqa: S102 - our own page
        with suppress(Exception):
            names["lambda_handler"]({}, None)
    assert [authorization for _, authorization, _ in stranger.seen if authorization] == []
