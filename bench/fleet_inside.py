"""Runs a fleet's handlers in a process like Lambda's, which can import nothing but the built asset.

Run it as `python -I -S fleet_inside.py ASSET`. It reads a command a line from standard input and writes the result of
each to standard output, as JSON. `["tick"]`: the dispatcher's answer. `["work", BODIES]`: how many messages of a batch
the worker has done. `["ask", NAMES]`: how many tokens consumers got. Each comes with the seconds that the handlers took
and those of CPU time.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any


class Context:
    """The part of Lambda's context that the functions use."""

    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left."""
        return 120_000


class Handlers:
    """The three handlers, timed."""

    def __init__(self) -> None:
        self.seconds = self.cpu = 0.0

    def timed(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - the handlers' answers
        """Make a call, and add its time."""
        before, cpu = time.perf_counter(), time.process_time()
        answer = call()
        self.seconds += time.perf_counter() - before
        self.cpu += time.process_time() - cpu
        return answer

    def tick(self) -> dict[str, Any]:
        """Look for what is due."""
        from refresh_token.dispatcher_handler import lambda_handler  # noqa: PLC0415 - it is in the asset

        answer: dict[str, Any] = self.timed(partial(lambda_handler, {}, Context()))
        return answer

    def work(self, bodies: list[str]) -> int:
        """Work off messages."""
        from refresh_token.worker_handler import lambda_handler  # noqa: PLC0415 - as above

        event = {"Records": [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]}
        answer = self.timed(partial(lambda_handler, event, Context()))
        return len(bodies) - len(answer["batchItemFailures"])

    def ask(self, names: list[str]) -> int:
        """Ask for tokens."""
        from refresh_token.connections_handler import lambda_handler  # noqa: PLC0415 - as above

        answers = [self.timed(partial(lambda_handler, {"connection": name}, Context())) for name in names]
        return sum("accessToken" in answer for answer in answers)


def main(asset: str) -> None:
    """Obey until the input ends."""
    sys.path.insert(0, asset)
    output, sys.stdout = sys.stdout, sys.stderr  # the handlers log to standard output
    handlers = Handlers()
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        handlers.seconds = handlers.cpu = 0.0
        result = getattr(handlers, command)(*arguments)
        output.write(json.dumps([result, handlers.seconds, handlers.cpu]) + "\n")
        output.flush()


if __name__ == "__main__":
    main(sys.argv[1])
