"""Runs the real CDK CLI from `node_modules` against the local cloud."""

import json
import os
import shlex
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.child import TAIL_LINES
from local.environment import ACCOUNT, REGION

ROOT = Path(__file__).parent.parent
CDK = ROOT / "node_modules" / ".bin" / "cdk"

# Keep the CLI from contacting the internet, and each synthesis from loading the CDK's own rules for templates, which
# takes longer than all the rest of it. They only warn, and the checks in infra/checks.py still run.
SETTINGS = {
    "CDK_DISABLE_VERSION_CHECK": "true",
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "CDK_NOTICES": "false",
    "CDK_VALIDATION": "false",
}
"""Variables for the CDK CLI, where it works with the local cloud."""

_FLAGS = ("--ci", "--no-color")

Outputs = dict[str, dict[str, str]]
"""Stack name to output name to value."""


class CdkFailedError(RuntimeError):
    """The CDK CLI is missing or failed. The message holds the end of its output."""


def say_nothing(_: str) -> None:
    """Drop a line."""


@dataclass(frozen=True, kw_only=True)
class CdkCli:
    """Runs the CDK CLI in `app_folder`, where cdk.json is.

    The CLI writes below `folder`, an absolute path. Each line that it prints goes to `on_line`.
    """

    env: Mapping[str, str]
    folder: Path
    app_folder: Path = ROOT
    app: str | None = None
    """Command that writes the cloud assembly; by default the one in cdk.json."""
    on_line: Callable[[str], None] = say_nothing
    executable: Path = CDK

    def synth(self, *, context: Mapping[str, str] | None = None) -> None:
        """Write the cloud assembly. Raises `CdkFailedError`."""
        self._run(self.app_folder, "synth", "--quiet", *self._synth_options(context))

    def bootstrap(self) -> None:
        """Create the toolkit stack: the asset bucket and the deployment roles. Raises `CdkFailedError`."""
        # Not in the app's folder: there the CLI would run the complete app first, only to find the address given here.
        self._run(self.folder, "bootstrap", f"aws://{ACCOUNT}/{REGION}")

    def deploy(self, *stacks: str, context: Mapping[str, str] | None = None) -> Outputs:
        """Deploy the named stacks, or all of them, and return their outputs. Raises `CdkFailedError`."""
        outputs = self.folder / "outputs.json"
        outputs.unlink(missing_ok=True)
        self._run(
            self.app_folder,
            "deploy",
            *(stacks or ("--all",)),
            *self._synth_options(context),
            "--require-approval=never",
            "--progress=events",
            f"--outputs-file={outputs}",
        )
        found: Outputs = json.loads(outputs.read_text()) if outputs.exists() else {}
        return found

    def diff(self, *stacks: str, context: Mapping[str, str] | None = None) -> None:
        """Compare the templates with the deployed ones. Raises `CdkFailedError` if they differ."""
        self._run(self.app_folder, "diff", *stacks, *self._synth_options(context), "--fail", "--method=template")

    def destroy(self, *stacks: str) -> None:
        """Delete the named stacks of the last synthesis, or all, without a question. Raises `CdkFailedError`."""
        self._run(self.app_folder, "destroy", *(stacks or ("--all",)), f"--app={self._assembly}", "--force")

    @property
    def _assembly(self) -> Path:
        return self.folder / "cdk.out"

    def _synth_options(self, context: Mapping[str, str] | None) -> list[str]:
        app = self.app or json.loads((self.app_folder / "cdk.json").read_text())["app"]
        # The app gets the user's own home back, where pip's settings and the caches are.
        home = shlex.quote(self.env.get("HOME", ""))
        pairs = [f"--context={key}={value}" for key, value in (context or {}).items()]
        return [f"--app=HOME={home} {app}", f"--output={self._assembly}", *pairs]

    def _run(self, cwd: Path, *arguments: str) -> None:
        if not self.executable.exists():
            raise CdkFailedError(
                f"The CDK CLI is not installed: {self.executable} does not exist. Run `make setup` first."
            )
        # The CLI reads settings from ~/.cdk.json, and remembers in CDK_HOME which account a key belongs to.
        home = self.folder / "cdk-home"
        home.mkdir(exist_ok=True)
        last: deque[str] = deque(maxlen=TAIL_LINES)
        process = subprocess.Popen(
            [self.executable, *arguments, *_FLAGS],
            cwd=cwd,
            env={**self.env, **SETTINGS, "HOME": str(home), "CDK_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        with process:
            try:
                for line in process.stdout or ():
                    last.append(line.rstrip())
                    self.on_line(line.rstrip())
            except BaseException:
                # Ctrl-C does not reach the CLI, which has its own session. Kill it together with the app, its child.
                os.killpg(process.pid, signal.SIGKILL)
                raise
        if process.returncode != 0:
            shown = "\n".join(last)
            raise CdkFailedError(f"`cdk {arguments[0]}` failed with exit code {process.returncode}:\n{shown}")
