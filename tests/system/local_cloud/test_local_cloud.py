"""The local cloud as a whole, for a block or kept; the real CDK CLI against it; and no setting of the machine in it."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import child
from local.cdk_cli import CdkCli, CdkFailedError
from local.cloud import LocalCloud, StandinError
from local.environment import caller_environment
from local.ministack import MiniStackError
from tests.support.checkout import ROOT
from tests.support.emulated_function import SHOW_ENVIRONMENT, create_function, invoke
from tests.support.processes import exists, wait_until

pytestmark = pytest.mark.xdist_group("ministack")

APP = """
    import sys
    import aws_cdk as cdk
    from aws_cdk import aws_s3_assets, aws_ssm
    app = cdk.App()
    stack = cdk.Stack(app, "Tiny")
    aws_s3_assets.Asset(stack, "Asset", path=__file__)
    word = app.node.try_get_context("word")
    if word == "bad":
        sys.exit("the word is bad")
    parameter = aws_ssm.StringParameter(stack, "Parameter", parameter_name="/tiny", string_value=word)
    cdk.CfnOutput(stack, "Name", value=parameter.parameter_name)
    app.synth()
"""

NOWHERE = (
    *("AWS_CONFIG_FILE", "JSII_NODE", "NODE_PATH", "NPM_CONFIG_PREFIX", "npm_config_prefix"),
    *("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"),
)
MACHINE = {
    **dict.fromkeys(NOWHERE, "/nowhere"),
    "AWS_PROFILE": "work",
    "AWS_ACCESS_KEY_ID": "AKIACANARY",
    "AWS_SESSION_TOKEN": "canary",
    "AWS_ROLE_ARN": "arn:aws:iam::111111111111:role/work",
    "AWS_ENDPOINT_URL": "https://example.com",
    "AWS_ENDPOINT_URL_STS": "https://example.com",
    "AMAZON_X": "canary",
    "CDK_DEFAULT_ACCOUNT": "111111111111",
    "CDK_CONTEXT": "word=bad",
    "NODE_OPTIONS": "--require /nowhere",
    "PYTHONOPTIMIZE": "2",
}
"""Settings of a developer's machine, any of which would break a child process or lead it to a real account."""


@pytest.fixture(scope="module")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with LocalCloud.start(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture
def app_folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(textwrap.dedent(APP))
    (tmp_path / "cdk.json").write_text(json.dumps({"app": "python app.py"}))
    return tmp_path


@pytest.fixture
def keep_folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    LocalCloud.stop_kept(tmp_path)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's machine with all these settings, and a ~/.cdk.json."""
    unpacked = Path.home() / ".cache" / "aws"  # jsii unpacks the CDK there, which takes half a minute
    unpacked.mkdir(parents=True, exist_ok=True)
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "aws").symlink_to(unpacked)
    more = {"HOME": str(tmp_path), "DATABASE_PASSWORD": "canary", "http_proxy": "http://127.0.0.1:9"}
    for name, value in {**MACHINE, **more}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".cdk.json").write_text(json.dumps({"profile": "work", "toolkitStackName": "Theirs"}))


def answers(running: LocalCloud | None) -> bool:
    assert running is not None
    try:
        running.client("sqs").list_queues()
        running.standin.state()
    except Exception:  # noqa: BLE001 - for whatever reason
        return False
    return True


class TestEnvironment:
    def test_commands_see_no_setting_of_the_machine(self) -> None:
        kept = {"HOME": "/home/dana", "HTTPS_PROXY": "http://proxy", "PIP_INDEX_URL": "https://index"}
        env = caller_environment("http://localhost:1", {**MACHINE, **kept, "PATH": "/bin"})
        assert [name for name, value in MACHINE.items() if env.get(name) == value] == []
        assert env.items() >= kept.items()
        assert env["PATH"].split(os.pathsep) == [str(Path(sys.executable).parent), "/bin"]
        assert env["AWS_ENDPOINT_URL"] == "http://localhost:1"
        assert env["AWS_CONFIG_FILE"] == env["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull

    @pytest.mark.usefixtures("machine")
    def test_functions_and_clients_see_no_such_setting(self, tmp_path: Path) -> None:
        with LocalCloud.start(tmp_path) as cloud:
            create_function(cloud, "show", SHOW_ENVIRONMENT)
            seen = invoke(cloud, "show")
            with pytest.raises(ClientError, match="ResourceNotFoundException"):
                cloud.client("secretsmanager").get_secret_value(SecretId="nothing")
            body = {"token": cloud.standin.grant().refresh_token}
            answer = cloud.client("amplifyuibuilder").refresh_token(provider="figma", refreshTokenBody=body)
            assert cloud.standin.accepts(answer["accessToken"])
        assert not answers(cloud)
        assert LocalCloud.kept(tmp_path) is None
        assert seen["SETTING"] == "1"
        assert seen["AWS_ENDPOINT_URL"] == cloud.url.replace("localhost", "127.0.0.1")
        assert seen["AWS_CONFIG_FILE"] == seen["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
        assert [name for name, value in MACHINE.items() if seen.get(name) == value] == []
        assert not {"AWS_PROFILE", "DATABASE_PASSWORD"} & seen.keys()

    @pytest.mark.usefixtures("machine")
    def test_the_aws_cli_reaches_both_parts(self, running_cloud: LocalCloud) -> None:
        def aws(*arguments: str) -> Any:
            # The shell finds `aws` on the path of that environment alone.
            command = ["/bin/sh", "-c", 'exec aws "$@"', "sh", *arguments]
            done = subprocess.run(command, env=running_cloud.env, capture_output=True, check=True)
            return json.loads(done.stdout)

        token = running_cloud.standin.grant().refresh_token
        body = ("--refresh-token-body", f"token={token}")
        refreshed = aws("amplifyuibuilder", "refresh-token", "--provider", "figma", *body)
        assert refreshed["accessToken"] == running_cloud.standin.live_access_token
        assert aws("sts", "get-caller-identity")["Account"] == "000000000000"


class TestCloud:
    def test_it_needs_both_parts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(MiniStackError, match="make setup"):
            LocalCloud.start(tmp_path, ministack_python=tmp_path / "nowhere")
        monkeypatch.setattr("local.cloud.ROOT", tmp_path)
        monkeypatch.chdir(tmp_path)
        with pytest.raises(StandinError, match="No module named"):
            LocalCloud.start(tmp_path)
        with child.Child(["/bin/true"], env={}, log=tmp_path / "ministack.log"):
            """MiniStack has ended, because nobody holds its log any more."""

    def test_a_kept_cloud_can_be_found_and_stopped(self, keep_folder: Path) -> None:
        with LocalCloud.start(keep_folder, keep=True) as running:
            grant = running.standin.grant()
        state = json.loads((keep_folder / "state.json").read_text())
        assert answers(running)
        found = LocalCloud.kept(keep_folder)
        assert found is not None
        assert found.exports == running.exports
        assert found.standin.accepts(grant.access_token)
        assert state["pids"]["standin"] == found.standin.state()["pid"]
        assert LocalCloud.stop_kept(keep_folder)
        assert not answers(running)
        assert sorted(path.name for path in keep_folder.iterdir()) == ["ministack.log", "standin.log", "standin.url"]
        assert not LocalCloud.stop_kept(keep_folder)

    def test_a_kept_cloud_outlives_its_process(self, keep_folder: Path) -> None:
        script = (
            "import sys; from pathlib import Path; from local.cloud import LocalCloud\n"
            "LocalCloud.start(Path(sys.argv[1]), keep=True)"
        )
        subprocess.run([sys.executable, "-c", script, str(keep_folder)], cwd=ROOT, check=True)
        kept = LocalCloud.kept(keep_folder)
        assert answers(kept)
        with LocalCloud.start(keep_folder) as replacement:
            assert not answers(kept)
            assert answers(replacement)
        assert LocalCloud.kept(keep_folder) is None

    def test_a_half_ended_cloud_is_not_found(self, keep_folder: Path) -> None:
        with LocalCloud.start(keep_folder, keep=True):
            state = json.loads((keep_folder / "state.json").read_text())
        child.stop_kept(state["pids"]["standin"], keep_folder / "standin.log")
        (keep_folder / "standin.log").unlink()
        assert LocalCloud.kept(keep_folder) is None
        assert LocalCloud.stop_kept(keep_folder)
        assert LocalCloud.kept(keep_folder) is None
        # A later process may have got the same number.
        with subprocess.Popen(["/bin/sleep", "600"], start_new_session=True) as bystander:
            state["pids"] = dict.fromkeys(state["pids"], bystander.pid)
            (keep_folder / "state.json").write_text(json.dumps(state))
            assert not LocalCloud.stop_kept(keep_folder)
            assert bystander.poll() is None
            bystander.kill()


class TestCdkCli:
    @pytest.mark.usefixtures("machine")
    def test_it_bootstraps_deploys_compares_and_destroys(self, running_cloud: LocalCloud, app_folder: Path) -> None:
        lines: list[str] = []
        cdk = running_cloud.cdk(app_folder=app_folder, on_line=lines.append)
        parameters = running_cloud.client("ssm")
        cdk.bootstrap()
        assert any("bootstrapped" in line for line in lines)
        assert cdk.deploy("Tiny", context={"word": "first"}) == {"Tiny": {"Name": "/tiny"}}
        assert parameters.get_parameter(Name="/tiny")["Parameter"]["Value"] == "first"
        with pytest.raises(CdkFailedError, match="second"):
            cdk.diff(context={"word": "second"})
        with pytest.raises(CdkFailedError, match=r"`cdk deploy` failed with exit code 1:(.|\n)*the word is bad"):
            cdk.deploy(context={"word": "bad"})
        cdk.destroy()
        with pytest.raises(ClientError, match="ParameterNotFound"):
            parameters.get_parameter(Name="/tiny")
        assert not (app_folder / "cdk.out").exists()
        stacks = running_cloud.client("cloudformation").list_stacks()["StackSummaries"]
        assert {stack["StackName"] for stack in stacks} == {"CDKToolkit", "Tiny"}

    def test_a_missing_cli_says_what_to_do(self, tmp_path: Path) -> None:
        cdk = CdkCli(env={}, folder=tmp_path, executable=tmp_path / "cdk")
        with pytest.raises(CdkFailedError, match="make setup"):
            cdk.bootstrap()

    def test_an_interruption_ends_cli_and_app(self, tmp_path: Path) -> None:
        executable = tmp_path / "cdk"
        executable.write_text("#!/bin/sh\nsleep 600 &\necho $!\nwait\n")
        executable.chmod(0o755)
        started: list[int] = []

        def interrupt(line: str) -> None:
            started.append(int(line))
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            CdkCli(env=caller_environment(""), folder=tmp_path, executable=executable, on_line=interrupt).bootstrap()
        wait_until(lambda: not exists(started[0]))
