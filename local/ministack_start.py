"""Starts MiniStack with one fault fixed: a function's caller sees the error that the function raised.

MiniStack itself names every error of a Python function ``Runtime.HandlerError`` and drops the stack trace. Here the
caller gets what Lambda's Python runtime sends: ``errorMessage``, ``errorType``, ``requestId`` and ``stackTrace``.

MiniStack's own Python runs this file, so it imports nothing else of ours.
"""

import functools
import importlib
import inspect
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

Result = dict[str, Any]
"""MiniStack's result of one invocation: the ``body`` that the caller gets, and whether it is an ``error``."""

REPORT: Final = '"error": str(e)'
"""How MiniStack's worker script reports an exception, once for the import of the handler and once for its call."""

FULL_REPORT: Final = (
    '"error": json.dumps({"errorMessage": str(e), "errorType": type(e).__name__,'
    ' "stackTrace": traceback.format_tb(e.__traceback__)[1:]})'
)
"""The report with everything a caller gets, as JSON. The first frame of the trace is the worker script's own."""

INIT_PREFIX: Final = "Worker init failed: "
IMPORT_ERRORS: Final = ("ImportError", "ModuleNotFoundError")

LOST_TYPE: Final = "Runtime.HandlerError"


class MiniStackChangedError(RuntimeError):
    """This version of MiniStack does not run functions the way this module expects."""


def fix(runtime: ModuleType, service: ModuleType) -> None:
    """Make MiniStack's worker script report exceptions in full, and pass the reports on to callers.

    Raises:
        MiniStackChangedError: MiniStack does not look like the version that is pinned.

    """
    script, execute = runtime._PYTHON_WORKER_SCRIPT, service._execute_function_warm  # noqa: SLF001 - there is no hook
    if script.count(REPORT) != 2 or [*inspect.signature(execute).parameters] != ["func", "event", "request_id"]:  # noqa: PLR2004 - import, call
        raise MiniStackChangedError(
            "MiniStack does not report a function's errors the way local/ministack_start.py expects. Install the "
            "version in local/requirements-ministack.txt, or adapt local/ministack_start.py to the new one."
        )
    vars(runtime)["_PYTHON_WORKER_SCRIPT"] = script.replace(REPORT, FULL_REPORT)
    vars(service)["_execute_function_warm"] = _with_full_errors(execute)


def _with_full_errors(execute: Callable[..., Result]) -> Callable[..., Result]:
    @functools.wraps(execute)
    def execute_with_full_errors(func: Result, event: object, request_id: str) -> Result:
        result = execute(func, event, request_id)
        if result.get("error"):
            result["body"] = _as_lambda_sends_it(result["body"], request_id)
        return result

    return execute_with_full_errors


def _as_lambda_sends_it(body: Result, request_id: str) -> Result:
    message = str(body.get("errorMessage"))
    try:
        report = json.loads(message.removeprefix(INIT_PREFIX))
    except ValueError:
        # The worker process ended without a report, or MiniStack found the error itself and named it rightly.
        return {**body, "errorType": "Runtime.ExitError"} if body.get("errorType") == LOST_TYPE else body
    if message.startswith(INIT_PREFIX) and report["errorType"] in IMPORT_ERRORS:
        report["errorType"] = "Runtime.ImportModuleError"
    return {**report, "requestId": request_id}


if __name__ == "__main__":
    fix(
        importlib.import_module("ministack.core.lambda_runtime"),
        importlib.import_module("ministack.services.lambda_svc"),
    )
    importlib.import_module("ministack.app").main()
