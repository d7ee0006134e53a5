"""The local cloud: MiniStack and the stand-in, for one block or until somebody stops them."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import boto3
import botocore.session
from botocore.config import Config

from local.cdk_cli import ROOT, CdkCli, say_nothing
from local.child import Child, in_use, stop_kept, tail
from local.environment import ACCESS_KEY, REGION, aws_variables, caller_environment
from local.ministack import PYTHON, MiniStack
from local.standin import StandinControl

FOLDER = ROOT / ".local-cloud"
READY_SECONDS = 60.0
STANDIN_SERVICE = "amplifyuibuilder"


class StandinError(RuntimeError):
    """The stand-in did not start."""


class LocalCloud:
    """An embedded AWS at `url` and the stand-in: `with LocalCloud.start() as cloud: cloud.client("lambda")`."""

    def __init__(self, url: str, standin: StandinControl, folder: Path) -> None:
        self.url, self.standin, self.folder = url, standin, folder
        self._resources = ExitStack()
        self._clients: dict[str, Any] = {}

    @classmethod
    def start(
        cls, folder: Path = FOLDER, *, port: int | None = None, keep: bool = False, ministack_python: Path = PYTHON
    ) -> Self:
        """Start both, with logs in `folder`, after stopping a cloud that was kept there.

        Without `keep` they stop with the block, or with this process, however it ends. With `keep` they run until
        `stop_kept`. Raises `MiniStackError`, `StandinError`, and `LogInUseError` if another cloud uses `folder`.
        """
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        cls.stop_kept(folder)
        with ExitStack() as resources:
            ministack = resources.enter_context(MiniStack.start(folder, port=port, python=ministack_python, keep=keep))
            standin_child, standin_url = _start_standin(folder, resources, keep=keep)
            cloud = cls(ministack.url, StandinControl(standin_url), folder)
            if keep:
                state = {
                    "url": cloud.url,
                    "standin_url": standin_url,
                    "pids": {"ministack": ministack.child.pid, "standin": standin_child.pid},
                }
                _state_file(folder).write_text(json.dumps(state, indent=2))
                resources.pop_all()
                for child in (ministack.child, standin_child):
                    child.let_go()
            else:
                cloud._resources = resources.pop_all()
        return cloud

    @classmethod
    def kept(cls, folder: Path = FOLDER) -> Self | None:
        """Return the cloud that an earlier `start(keep=True)` left running, or None."""
        if not _state_file(folder).exists():
            return None
        state = json.loads(_state_file(folder).read_text())
        if not all(in_use(folder / f"{name}.log") for name in state["pids"]):
            return None
        return cls(state["url"], StandinControl(state["standin_url"]), folder.resolve())

    @staticmethod
    def stop_kept(folder: Path = FOLDER) -> bool:
        """Stop the cloud that `start(keep=True)` left running. Return False if none is running."""
        if not _state_file(folder).exists():
            return False
        pids = json.loads(_state_file(folder).read_text())["pids"]
        stopped = [stop_kept(pid, folder / f"{name}.log") for name, pid in pids.items()]
        shutil.rmtree(folder / "ministack", ignore_errors=True)
        _state_file(folder).unlink()
        return any(stopped)

    def stop(self) -> None:
        """Stop both, unless they are kept."""
        while self._clients:
            self._clients.popitem()[1].close()
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def exports(self) -> dict[str, str]:
        """The variables that make an AWS SDK or CLI talk to this cloud, including Amplify UI Builder."""
        return exports(self.url, self.standin.url)

    @property
    def env(self) -> dict[str, str]:
        """The environment for child processes: this process's own, without anything about a real account."""
        return caller_environment(self.url) | self.exports

    def client(self, service: str) -> Any:  # noqa: ANN401 - the caller names the type of its client
        """Return the boto3 client for a service. It ignores profiles and proxies, and closes with the cloud."""
        if service not in self._clients:
            self._clients[service] = self._new_client(service)
        return self._clients[service]

    def _new_client(self, service: str) -> Any:  # noqa: ANN401 - as `client`
        session = boto3.Session(
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=ACCESS_KEY,
            region_name=REGION,
            botocore_session=_bare_session(),
        )
        url = self.standin.url if service == STANDIN_SERVICE else self.url
        make: Any = session.client
        return make(service, endpoint_url=url, config=Config(s3={"addressing_style": "path"}, proxies={}))

    def cdk(
        self, *, app_folder: Path = ROOT, app: str | None = None, on_line: Callable[[str], None] = say_nothing
    ) -> CdkCli:
        """Return the CDK CLI for this cloud; see `CdkCli` for the options."""
        return CdkCli(env=self.env, folder=self.folder, app_folder=app_folder, app=app, on_line=on_line)


def exports(url: str, standin_url: str) -> dict[str, str]:
    """Return the variables for a cloud and its stand-in at these addresses."""
    return aws_variables(url) | {f"AWS_ENDPOINT_URL_{STANDIN_SERVICE.upper()}": standin_url}


def _start_standin(folder: Path, resources: ExitStack, *, keep: bool) -> tuple[Child, str]:
    port_file, log = folder / "standin.url", folder / "standin.log"
    port_file.unlink(missing_ok=True)
    env = caller_environment("") | {"PYTHONPATH": str(ROOT)}
    command: list[str | Path] = [sys.executable, "-m", "local.standin", "--port-file", port_file]
    child = resources.enter_context(Child(command, env=env, log=log, keep=keep))
    deadline = time.monotonic() + READY_SECONDS
    while child.alive() and time.monotonic() < deadline:
        if port_file.exists():
            return child, port_file.read_text()
        time.sleep(0.05)
    raise StandinError(f"The stand-in did not start. The end of {log}:\n{tail(log)}")


def _bare_session() -> botocore.session.Session:
    """Return a botocore session that ignores AWS_PROFILE and the user's configuration files."""
    nowhere = (None, None, os.devnull, None)
    return botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": nowhere,
            "credentials_file": nowhere,
        }
    )


def _state_file(folder: Path) -> Path:
    return folder / "state.json"
