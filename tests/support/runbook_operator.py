"""An operator who does what docs/runbook.md says."""

import json
import re
import shlex
import subprocess
from pathlib import Path

from local.deployment import Deployment
from local.standin.grants import CLIENT_ID, CLIENT_SECRET
from tests.support.checkout import ROOT
from tests.support.command_line import Tokenctl, environment
from tests.support.documents import anchor, sections
from tests.support.processes import wait_until

PAGE = sections(ROOT / "docs" / "runbook.md")
ELSEWHERE = ("export ", "tokenctl authorize ", "git checkout ", "cdk deploy ")
"""Commands with tests of their own: of the stage, of the sign-in, of deployments."""
QUESTIONS = (
    *("tokenctl refresh", "tokenctl seed ", "tokenctl dead-letters redrive", "tokenctl repair"),
    *("tokenctl app-credentials", "tokenctl dead-letters drop"),
    *("tokenctl connections refresh", "tokenctl connections resume"),
)
FINDINGS = ("tokenctl status", "tokenctl doctor", "tokenctl repair")
"""Commands whose exit code, up to 2, says how bad it is."""


class Operator:
    """Runs what the page says, answering each question with yes."""

    def __init__(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        self._tokenctl, self._stack = tokenctl, stack
        self.read = ""
        """What the commands have printed."""

    def follow(self, heading: str) -> None:
        """Run the commands of an entry, in their order."""
        for block in re.findall(r"^```\n(.*?)^```", PAGE[heading], re.DOTALL | re.MULTILINE):
            for command in block.replace("\\\n", "").splitlines():
                if not command.startswith(ELSEWHERE):
                    self.run(command)

    def run(self, command: str) -> None:
        """Run a command and, if it is the doctor, what the doctor advises."""
        if command.startswith("aws "):
            script = f'aws() {{ command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }}\n{command}'
            subprocess.run(["/bin/bash", "-c", script], env=environment(self._stack.cloud.env), check=True)
            return
        if "<id>" in command:
            command = command.replace("<id>", re.findall(r"function_request_id=(\S+)", self.read)[-1])
        grant = self._stack.cloud.standin.grant() if "pair.json" in command or "rotate" in command else None
        if grant:
            Path("pair.json").write_text(json.dumps({"refreshToken": grant.refresh_token}))
        words = [*shlex.split(command)[1:], *["--yes"] * command.startswith(QUESTIONS)]
        app = json.dumps({"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET})
        stdin = app if "app-credentials" in command else grant.access_token if grant else ""
        done = self._tokenctl(*words, stdin=stdin)
        self.read += done.out
        assert done.code <= 2 * command.startswith(FINDINGS), f"{command}\n{done.err}"
        assert "could not be restored" not in done.out, done.out
        if command == "tokenctl doctor":
            for fix in dict.fromkeys(re.findall(r" Fix: `((?:aws|tokenctl repair) .*)`", done.out)):
                self.run(fix)

    def leads_to(self, heading: str, after: str) -> bool:
        """Whether the entry that was followed links to the next one, or a command has named that."""
        links = [*re.findall(r"\]\(#([\w-]+)\)", PAGE[after]), *re.findall(r"runbook\.md#([\w-]+)", self.read)]
        return anchor(heading) in links

    def is_healthy(self, *, by_doctor: bool) -> bool:
        """Whether the verdict is that nothing needs attention and, if it is asked, the doctor agrees."""
        if self._tokenctl("status").code:
            return False
        return not by_doctor or not re.search(r"^FAIL", self._tokenctl("doctor").out, re.MULTILINE)

    def must_see(self, text: str) -> None:
        wait_until(lambda: text in self._tokenctl("errors").out)
