"""The GitHub Actions workflow: pinned, without stored keys, with no more permissions than a job needs."""

import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.checkout import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PIPELINE = ROOT / ".github" / "workflows" / "pipeline.yml"
RELEASE = PIPELINE.with_name("release.yml")
ALLOWED = (
    *("actions/checkout", "actions/setup-python", "actions/upload-artifact", "actions/download-artifact"),
    *("aws-actions/configure-aws-credentials", "pypa/gh-action-pypi-publish"),
)
SIGNED_IN = ("aws-actions/configure-aws-credentials@", "pypa/gh-action-pypi-publish@")
"""What proves with a token of the job's, not with a stored key, who calls."""

EXPRESSIONS = re.compile(r"\$\{\{(.*?)\}\}")


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return found


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_a_workflow_tests_shows_and_deploys() -> None:
    runs = [step.get("run", "") for path in WORKFLOWS for job in jobs(path).values() for step in job["steps"]]
    for command in (
        ".ci/run",
        "cdk diff --app cdk.out --method=template",
        "python -m infra.compare prod",
        "cdk deploy --app cdk.out --require-approval never",
        "tokenctl tick --stage prod",
        "make dist",
    ):
        assert any(run.startswith(command) for run in runs), command


def test_every_action_is_pinned_by_its_commit(workflow: Path) -> None:
    uses = [step["uses"] for job in jobs(workflow).values() for step in job["steps"] if "uses" in step]
    assert uses
    for action in uses:
        name, _, commit = action.partition("@")
        assert name in ALLOWED
        assert re.fullmatch(r"[0-9a-f]{40}", commit), action
    lines = [line for line in workflow.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert all(re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line) for line in lines)
    assert len({line.strip() for line in lines}) == len({action.partition("@")[0] for action in uses}), (
        "one commit each"
    )


def test_a_job_has_no_unused_permission(workflow: Path) -> None:
    assert yaml.safe_load(workflow.read_text(encoding="utf-8"))["permissions"] == {}
    for name, job in jobs(workflow).items():
        signs_in = any(step.get("uses", "").startswith(SIGNED_IN) for step in job["steps"])
        token = {"id-token": "write"} if signs_in else {}
        publishes = any(step.get("run", "").startswith("gh release create") for step in job["steps"])
        assert job["permissions"] == {"contents": "write" if publishes else "read", **token}, name
        assert ("environment" in job) == signs_in, "roles, and who approves, belong to environments"


def test_shells_get_no_key_or_foreign_text(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    assert not re.search(r"secrets\.|access-key|pull_request_target", text)
    for job in jobs(workflow).values():
        for step in job["steps"]:
            assert {one.strip() for one in EXPRESSIONS.findall(step.get("run", ""))} <= {"matrix.stage"}
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"] == {"persist-credentials": False}


def test_prod_follows_dev_which_follows_the_tests() -> None:
    needs = {name: job.get("needs") for name, job in jobs(PIPELINE).items()}
    assert needs == {
        "test": None,
        "synth": "test",
        "diff": "synth",
        "deploy-dev": ["synth", "diff"],
        "deploy-prod": ["synth", "diff", "deploy-dev"],
    }
    assert jobs(PIPELINE)["deploy-dev"]["if"] == "github.event_name == 'push'"


def test_one_synthesis_is_shown_and_deployed() -> None:
    found = jobs(PIPELINE)
    assert "environment" not in found["synth"], "it needs no credentials"
    for stage in ("dev", "prod"):
        assert found["synth"]["outputs"][stage] == f"${{{{ steps.{stage}.outputs.artifact-id }}}}"
    for name in ("diff", "deploy-dev", "deploy-prod"):
        runs = [step.get("run", "") for step in found[name]["steps"]]
        assert not [run for run in runs if "synth" in run or "stage=" in run]


@pytest.mark.parametrize(
    ("path", "job", "upload", "folder"),
    [
        (PIPELINE, "diff", "synth.outputs[matrix.stage]", "cdk.out"),
        (PIPELINE, "deploy-dev", "synth.outputs.dev", "cdk.out"),
        (PIPELINE, "deploy-prod", "synth.outputs.prod", "cdk.out"),
        (RELEASE, "release", "build.outputs.dist", "dist"),
        (RELEASE, "index", "build.outputs.dist", "dist"),
    ],
)
def test_a_job_takes_what_its_own_run_made(path: Path, job: str, upload: str, folder: str) -> None:
    steps = jobs(path)[job]["steps"]
    (got,) = [step["with"] for step in steps if step.get("uses", "").startswith("actions/download-artifact@")]
    assert got == {"artifact-ids": f"${{{{ needs.{upload} }}}}", "path": folder, "digest-mismatch": "error"}


def test_no_job_holds_up_another() -> None:
    pipeline = yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))
    assert "concurrency" not in pipeline, "a run that waits for an approval would hold up the next one"
    groups = {name: job["concurrency"] for name, job in pipeline["jobs"].items()}
    assert len({EXPRESSIONS.sub("", one["group"]) for one in groups.values()}) == len(groups)
    for name in ("deploy-dev", "deploy-prod"):
        assert groups[name] == {"group": name, "cancel-in-progress": False}, "one after the other"


def test_all_that_can_reach_an_account_has_owners() -> None:
    lines = (ROOT / ".github" / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
    rules = [line.split() for line in lines if not line.startswith("#")]
    assert rules[0] == ["*", "@your-organization/platform"], "also what somebody adds"
    without = {path.strip("/") for path, *owners in rules[1:] if not owners}
    assert {path for path in without if not (ROOT / path).exists()} == set()
    runs = {".ci", ".github", "Makefile", "app.py", "infra", "lambda_src", "local", "token_refresher", "tokenctl"}
    assert without & runs == set()


def test_jobs_with_rights_install_nothing_without_hash() -> None:
    tools = (ROOT / ".ci" / "tools").read_text(encoding="utf-8")
    installs = [line for line in tools.splitlines() if "pip install" in line or "npm " in line]
    assert installs
    assert all(re.search("--require-hashes|--no-index|npm ci", line) for line in installs)


def test_its_scripts_can_be_executed() -> None:
    for script in (".ci/run", ".ci/tools"):
        assert (ROOT / script).stat().st_mode & stat.S_IXUSR
