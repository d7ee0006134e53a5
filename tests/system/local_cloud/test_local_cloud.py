"""The local cloud as a whole: for a block, or kept; and the real CDK CLI against it."""

import json
import os
import subprocess
import sys
import textwrap
import time
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


def answers(running: LocalCloud | None) -> bool:
    """Whether both halves of a cloud do what they are asked."""
    assert running is not None
    try:
        running.client("sqs").list_queues()
        running.standin.state()
    except Exception:  # noqa: BLE001 - whatever the reason, it does not
        return False
    return True


def test_one_command_line_reaches_both_halves_and_no_real_account(
    running_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "canary")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "https://sts.us-east-1.amazonaws.com")
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "111111111111")

    def aws(*arguments: str) -> Any:
        # The shell finds `aws` on the path of that environment alone.
        command = ["/bin/sh", "-c", 'exec aws "$@"', "sh", *arguments]
        done = subprocess.run(command, env=running_cloud.env, capture_output=True, check=True)
        return json.loads(done.stdout)

    token = running_cloud.standin.grant().refresh_token
    refreshed = aws(
        "amplifyuibuilder", "refresh-token", "--provider", "figma", "--refresh-token-body", f"token={token}"
    )
    assert aws("sts", "get-caller-identity")["Account"] == "000000000000"
    assert refreshed["accessToken"] == running_cloud.standin.live_access_token
    assert "CDK_DEFAULT_ACCOUNT" not in running_cloud.env


def test_the_environment_for_commands_keeps_all_but_what_is_about_aws() -> None:
    base = {"HOME": "/home/dana", "AWS_PROFILE": "work", "AWS_ENDPOINT_URL_S3": "x", "CDK_NAG": "1", "PATH": "/bin"}
    env = caller_environment("http://localhost:1", base)
    assert env["HOME"] == "/home/dana"
    assert env["PATH"].split(os.pathsep) == [str(Path(sys.executable).parent), "/bin"]
    assert env["AWS_ENDPOINT_URL"] == "http://localhost:1"
    assert env["AWS_CONFIG_FILE"] == env["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "CDK_NAG"} & env.keys()


def test_boto3_clients_ignore_the_operators_own_profile_and_know_where_ui_builder_is(
    running_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "one that is not there")
    secrets = running_cloud.client("secretsmanager")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        secrets.get_secret_value(SecretId="nothing")
    token = running_cloud.standin.grant().refresh_token
    answer = running_cloud.client("amplifyuibuilder").refresh_token(provider="figma", refreshTokenBody={"token": token})
    assert running_cloud.standin.accepts(answer["accessToken"])


def test_a_cloud_is_gone_after_its_block(tmp_path: Path) -> None:
    with LocalCloud.start(tmp_path) as running:
        assert answers(running)
    assert not answers(running)
    assert LocalCloud.kept(tmp_path) is None


def test_without_ministack_there_is_no_cloud_and_nothing_is_left_running(tmp_path: Path) -> None:
    with pytest.raises(MiniStackError, match="make setup"):
        LocalCloud.start(tmp_path, ministack_python=tmp_path / "nowhere")


def test_without_a_stand_in_there_is_no_cloud_and_ministack_does_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.cloud.ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "")
    with pytest.raises(StandinError, match="No module named"):
        LocalCloud.start(tmp_path)
    with child.Child(["/bin/true"], env={}, log=tmp_path / "ministack.log"):
        """Nobody holds MiniStack's log any more, so it has ended."""


def test_a_kept_cloud_outlives_its_block_can_be_found_again_and_is_stopped(keep_folder: Path) -> None:
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


def test_a_kept_cloud_outlives_the_process_that_started_it(keep_folder: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from local.cloud import LocalCloud\n"
        "LocalCloud.start(Path(sys.argv[1]), keep=True)"
    )
    subprocess.run([sys.executable, "-c", script, str(keep_folder)], cwd=ROOT, check=True)
    assert answers(LocalCloud.kept(keep_folder))


def test_starting_again_replaces_a_kept_cloud(keep_folder: Path) -> None:
    with LocalCloud.start(keep_folder, keep=True) as first, LocalCloud.start(keep_folder) as second:
        assert not answers(first)
        assert answers(second)
    assert LocalCloud.kept(keep_folder) is None


def test_a_kept_cloud_that_ended_by_itself_is_not_found(keep_folder: Path) -> None:
    with LocalCloud.start(keep_folder, keep=True):
        state = json.loads((keep_folder / "state.json").read_text())
    child.stop_kept(state["pids"]["standin"], keep_folder / "standin.log")
    (keep_folder / "standin.log").unlink()
    assert LocalCloud.kept(keep_folder) is None
    assert LocalCloud.stop_kept(keep_folder)
    assert LocalCloud.kept(keep_folder) is None


def test_stopping_never_signals_a_process_that_only_got_the_same_number(keep_folder: Path) -> None:
    with LocalCloud.start(keep_folder, keep=True) as running:
        pass
    state = json.loads((keep_folder / "state.json").read_text())
    assert LocalCloud.stop_kept(keep_folder)
    bystander = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
    state["pids"] = dict.fromkeys(state["pids"], bystander.pid)
    (keep_folder / "state.json").write_text(json.dumps(state))
    assert not LocalCloud.stop_kept(keep_folder)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()
    assert not answers(running)


def test_the_real_cdk_cli_bootstraps_deploys_compares_and_destroys(running_cloud: LocalCloud, app_folder: Path) -> None:
    """The tests in e2e/ update stacks, and see that nothing differs after a deployment."""
    lines: list[str] = []
    cdk = running_cloud.cdk(app_folder=app_folder, on_line=lines.append)
    parameters = running_cloud.client("ssm")

    def value() -> str:
        return parameters.get_parameter(Name="/tiny")["Parameter"]["Value"]  # type: ignore[no-any-return]

    cdk.bootstrap()
    assert any("bootstrapped" in line for line in lines)
    assert cdk.deploy("Tiny", context={"word": "first"}) == {"Tiny": {"Name": "/tiny"}}
    assert value() == "first"
    with pytest.raises(CdkFailedError, match="second"):
        cdk.diff(context={"word": "second"})
    cdk.destroy(context={"word": "first"})
    with pytest.raises(ClientError, match="ParameterNotFound"):
        value()
    assert not (app_folder / "cdk.out").exists()


def test_a_cdk_app_that_fails_shows_its_own_words(running_cloud: LocalCloud, app_folder: Path) -> None:
    cdk = running_cloud.cdk(app_folder=app_folder, app="python app.py")
    with pytest.raises(CdkFailedError, match=r"`cdk deploy` failed with exit code 1:(.|\n)*the word is bad"):
        cdk.deploy(context={"word": "bad"})


def test_a_cdk_cli_that_is_not_installed_says_how_to_install_it(tmp_path: Path) -> None:
    cdk = CdkCli(env={}, folder=tmp_path, executable=tmp_path / "cdk")
    with pytest.raises(CdkFailedError, match="make setup"):
        cdk.bootstrap()


def test_an_interruption_ends_the_cdk_cli_and_its_app(tmp_path: Path) -> None:
    executable = tmp_path / "cdk"
    executable.write_text("#!/bin/sh\nsleep 600 &\necho $!\nwait\n")
    executable.chmod(0o755)
    started: list[int] = []

    def interrupt(line: str) -> None:
        started.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CdkCli(env=caller_environment(""), folder=tmp_path, executable=executable, on_line=interrupt).bootstrap()
    for _ in range(600):  # a kill is sent at once, and carried out when the system comes to it
        if not runs(started[0]):
            return
        time.sleep(0.1)
    raise AssertionError("the app of the CDK CLI still runs")


def runs(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
