"""docs/consumers.md keeps up with the client, and with the tools that its readers use.

Its handlers run in tests/system/test_consumers.py, its CDK app in tests/infra/test_consumers_cdk.py.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import hcl2
import pytest

from tests.support.consumers_page import PAGE, block, blocks
from token_client import errors, invoker, keeper
from token_client.auth import rejections

PARAMETERS = ["/RefreshToken/dev/function-arn", "/RefreshToken/dev/client-layer-arn"]
RUN_BY_THIS_SUITE = {"CDK", "SAM", "Terraform", "Test your own code"}


def test_every_block_is_run_by_some_test() -> None:
    assert [b.heading for b in blocks() if not b.is_handler and b.heading not in RUN_BY_THIS_SUITE] == []
    assert len([b for b in blocks() if b.is_handler]) == 6


def lint(template: str, file: Path) -> subprocess.CompletedProcess[str]:
    file.write_text(template)
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--regions", "eu-west-1", "--", str(file)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_the_sam_template_is_one(tmp_path: Path) -> None:
    template = block("SAM").code
    done = lint(template, tmp_path / "template.yaml")
    assert (done.returncode, done.stdout) == (0, "")
    assert lint(template.replace("CodeUri", "CodeUrl"), tmp_path / "template.yaml").returncode != 0
    assert [name for name in PARAMETERS if f"Default: {name}\n" not in template] == []


def test_the_terraform_module_parses_and_hangs_together() -> None:
    # Without `terraform` itself, which no Python package brings, its schema is not checked.
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


def test_the_advice_on_testing_is_a_test_that_passes_and_can_fail() -> None:
    code = block("Test your own code").code
    for text, passes in ((code, True), (code.replace('FakeTokens("first", "second")', 'FakeTokens("a", "b")'), False)):
        names: dict[str, Any] = {}
        exec(compile(text, "consumers.md", "exec"), names)  # noqa: S102 - our own page
        if passes:
            names["test_a_rejected_token_is_replaced"]()
        else:
            with pytest.raises(Exception, match="Expecting value"):
                names["test_a_rejected_token_is_replaced"]()


def leaves(error: type[errors.TokenClientError]) -> list[str]:
    below = [name for child in error.__subclasses__() for name in leaves(child)]
    return below or [error.__name__]


def test_the_page_lists_every_error_in_the_order_of_the_module_and_what_passes_by_itself() -> None:
    rows = re.findall(r"^\| `(\w+Exception)` \| .*? \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    assert [name for name, _ in rows] == leaves(errors.TokenClientError)
    for name, what_to_do in rows:
        assert what_to_do.startswith("transient") == getattr(errors, name).transient, name
    function_errors = leaves(errors.FunctionError)
    assert (len(function_errors), len(leaves(errors.InvokeError))) == (13, 6), "the page says thirteen and six"
    assert list(errors.CONTRACT) == function_errors[:10]


NUMBERS = [
    f"until {keeper.AHEAD / 86_400:g} days before it expires, or a third of its life",
    f"after {keeper.AGAIN / 120:g} to {keeper.AGAIN / 60:g} minutes",
    f"gets {invoker.IMPATIENT_READ_TIMEOUT:g} seconds to answer if there is a current token",
    f"again after {keeper.PAUSE / 2:g} to {keeper.PAUSE:g} seconds",
    f"the last {keeper.LAST:g} seconds of its life",
    f"don't report this token for {rejections.FIRST_PAUSE:g} seconds, twice as long each time",
    f"up to {rejections.LONGEST_PAUSE / 60:g} minutes; in the meantime",
    f"Lambda throttles, after {invoker.ATTEMPTS} attempts",
    f"no answer in {invoker.READ_TIMEOUT:g} seconds",
    f"| `TokenClient(read_timeout=…)` | {invoker.READ_TIMEOUT:g}, or",
]


@pytest.mark.parametrize("words", NUMBERS)
def test_a_number_on_the_page_is_the_one_in_the_code(words: str) -> None:
    assert words in " ".join(PAGE.read_text().split())
