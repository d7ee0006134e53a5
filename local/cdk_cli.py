"""The real CDK CLI from `node_modules`, run against the local cloud."""

import json
import os
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

# Keep the CLI from asking the internet anything, and from asking the user.
_OFFLINE = {"CDK_DISABLE_VERSION_CHECK": "true", "CDK_DISABLE_CLI_TELEMETRY": "true"}
_FLAGS = ("--no-notices", "--ci", "--no-color")

Outputs = dict[str, dict[str, str]]
"""Stack name to output name to value."""


class CdkFailedError(RuntimeError):
    """The CDK CLI is missing or failed; the message holds the end of what it printed."""


def say_nothing(_: str) -> None:
    """Drop a line."""


@dataclass(frozen=True, kw_only=True)
class CdkCli:
    """Runs the CDK CLI in `app_folder`, where cdk.json is.

    Each line that the CLI prints goes to `on_line`. What it writes goes below `folder`, an absolute path.
    """

    env: Mapping[str, str]
    folder: Path
    app_folder: Path = ROOT
    app: str | None = None
    """Command that makes the cloud assembly, where cdk.json shall not name it."""
    on_line: Callable[[str], None] = say_nothing
    executable: Path = CDK

    def bootstrap(self) -> None:
        """Create the toolkit stack: the asset bucket and the deployment roles. Raises `CdkFailedError`."""
        # Away from cdk.json: else the CLI would run the whole app first, only to find the address it is given here.
        self._run(self.folder, "bootstrap", f"aws://{ACCOUNT}/{REGION}")

    def deploy(self, *stacks: str, context: Mapping[str, str] | None = None) -> Outputs:
        """Deploy the named stacks, or all, and return their outputs. Raises `CdkFailedError`."""
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
        """Compare with what is deployed, template by template. Raises `CdkFailedError` where anything differs."""
        self._run(self.app_folder, "diff", *stacks, *self._synth_options(context), "--fail", "--method=template")

    def destroy(self, *stacks: str, context: Mapping[str, str] | None = None) -> None:
        """Delete the named stacks, or all, without asking. Raises `CdkFailedError`."""
        self._run(self.app_folder, "destroy", *(stacks or ("--all",)), *self._synth_options(context), "--force")

    def _synth_options(self, context: Mapping[str, str] | None) -> list[str]:
        app = ("--app", self.app) if self.app else ()
        pairs = [f"--context={key}={value}" for key, value in (context or {}).items()]
        return [*app, f"--output={self.folder / 'cdk.out'}", *pairs]

    def _run(self, cwd: Path, *arguments: str) -> None:
        if not self.executable.exists():
            raise CdkFailedError(
                f"The CDK CLI is not installed: there is no {self.executable}. Run `make setup` first."
            )
        last: deque[str] = deque(maxlen=TAIL_LINES)
        process = subprocess.Popen(
            [self.executable, *arguments, *_FLAGS],
            cwd=cwd,
            # Its home remembers which account a key belongs to; the operator's own shall not learn ours.
            env={**self.env, **_OFFLINE, "CDK_HOME": str(self.folder / "cdk-home")},
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
                # Ctrl-C does not reach a session of its own, and the CLI has the app as a child.
                os.killpg(process.pid, signal.SIGKILL)
                raise
        if process.returncode != 0:
            shown = "\n".join(last)
            raise CdkFailedError(f"`cdk {arguments[0]}` failed with exit code {process.returncode}:\n{shown}")
