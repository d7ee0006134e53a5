"""64 warm Lambda environments of one deployment, each a process."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support import forked_environments
from tests.support.fault_proxy import FaultProxy
from tests.support.lambda_emulator import PYTHON
from tests.support.local_function import LocalFunction

PROCESSES = 64


@dataclass
class Swarm:
    function: LocalFunction
    proxy: FaultProxy
    process: subprocess.Popen[str]

    def invoke(self, events: Sequence[object]) -> list[Any]:
        """Invoke every environment at once, with the events one after another, as often as it takes."""
        assert self.process.stdin
        assert self.process.stdout
        all_events = [*events] * (PROCESSES // len(events))
        self.process.stdin.write(json.dumps(all_events) + "\n")
        self.process.stdin.flush()
        return list(json.loads(self.process.stdout.readline()))

    def invoke_together(self, *events: object) -> list[Any]:
        """The same, with an issuer that does not answer until all of them have tried to claim the refresh."""
        self.proxy.forget()
        issuer = self.proxy.hold("RefreshToken")
        with ThreadPoolExecutor(1) as pool:
            try:
                answers = pool.submit(self.invoke, events)
                self.proxy.wait_for("PutItem", PROCESSES)
                issuer.wait()
            finally:
                issuer.release()
            return answers.result()


@contextmanager
def swarming(function: LocalFunction, proxy: FaultProxy, **environment: str) -> Iterator[Swarm]:
    log_file = function.folder / "swarm.log"
    process = subprocess.Popen(
        [PYTHON, "-I", "-S", "-B", forked_environments.__file__, function.asset, str(PROCESSES), "60", log_file],
        env={"PATH": "/usr/bin:/bin", **function.environment, **proxy.environment, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:  # the processes end with their input
        yield Swarm(function, proxy, process)
