"""Many Lambda environments: this process imports the handler from a built asset and nothing else, and forks.

Run as `python -I -S -B forked_environments.py ASSET COUNT SECONDS LOG [HANDLER ...]`. The processes take turns with the
handlers: that of the single secret, or those that are named. Each line on standard input is a list of COUNT
events, one for each process, all at once; a list of their answers comes back on standard output. What the function
prints goes to LOG.
"""

import importlib
import json
import os
import pkgutil
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2]))  # behind the asset, and gone before the handler is imported
from tests.support.lambda_context import LambdaContext, counting_down


def invoke(handler: Callable[[object, LambdaContext], Any], event: object, seconds: float) -> Any:
    try:
        return handler(event, LambdaContext(counting_down(seconds), str(uuid.uuid4())))
    except Exception as error:  # noqa: BLE001 - as the runtime does
        return {"errorType": type(error).__name__, "errorMessage": str(error)}


def environment(handler: Callable[[object, LambdaContext], Any], seconds: float, inbox: TextIO, outbox: TextIO) -> None:
    """Serve one invocation at a time, as one Lambda environment, until there are no more."""
    for line in inbox:
        outbox.write(json.dumps(invoke(handler, json.loads(line), seconds)) + "\n")
        outbox.flush()


def pipe() -> tuple[TextIO, TextIO]:
    read, write = os.pipe()
    return os.fdopen(read, "r"), os.fdopen(write, "w")


def main(asset: str, count: int, seconds: float, log: str, *names: str) -> None:
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
    sys.path[-1:] = [asset]
    # Import all that they will need: 64 cold starts on a busy machine would outlast every timeout.
    from aws_lambda_powertools import Logger, Metrics  # noqa: F401, PLC0415

    import refresh_token  # noqa: PLC0415 - it is in the asset

    for module in pkgutil.walk_packages(refresh_token.__path__, "refresh_token."):
        importlib.import_module(module.name)
    from refresh_token.adapters.idempotency_lock import dynamodb_client  # noqa: PLC0415

    dynamodb_client()
    handlers = [importlib.import_module(f"refresh_token.{name}").lambda_handler for name in names or ("handler",)]

    environments: list[tuple[TextIO, TextIO]] = []
    for number in range(count):
        (inbox, to_child), (from_child, outbox) = pipe(), pipe()
        if os.fork() == 0:
            for ours in (*(end for ends in environments for end in ends), to_child, from_child, requests):
                ours.close()
            environment(handlers[number % len(handlers)], seconds, inbox, outbox)
            os._exit(0)
        inbox.close()
        outbox.close()
        environments.append((to_child, from_child))
    for line in requests:
        for (to_child, _), event in zip(environments, json.loads(line), strict=True):
            to_child.write(json.dumps(event) + "\n")
            to_child.flush()
        answers.write(json.dumps([json.loads(from_child.readline()) for _, from_child in environments]) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:])
