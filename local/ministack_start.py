"""Starts MiniStack with two faults fixed, so that it answers as AWS does.

A function's caller sees the error that the function raised. MiniStack itself names every error of a Python function
``Runtime.HandlerError`` and drops the stack trace. Here the caller gets what Lambda's Python runtime sends:
``errorMessage``, ``errorType``, ``requestId`` and ``stackTrace``.

A staging label of a secret belongs to one version. MiniStack itself leaves the label on the versions that had it
before, and answers with the oldest of them. It also writes a version again whose id exists.

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

CURRENT: Final = "AWSCURRENT"

LABELLED: Final = 'secret["Versions"][vid]["Stages"] = list(stages)'
"""How MiniStack's PutSecretValue attaches labels other than AWSCURRENT."""

SECRETS: Final = {
    "_put_secret_value": ["data"],
    "_resolve": ["secret_id", "use_arn_scope"],
    "_remove_stage_everywhere": ["secret", "stage", "except_version_id"],
}
"""MiniStack's functions for secrets that we use, and their parameters."""


class MiniStackChangedError(RuntimeError):
    """This version of MiniStack does not work the way this module expects."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"MiniStack does not {what} the way local/ministack_start.py expects. Install the version in "
            "local/requirements-ministack.txt, or adapt local/ministack_start.py to the new one."
        )


def fix_errors(runtime: ModuleType, service: ModuleType) -> None:
    """Make MiniStack's worker script report exceptions in full, and pass the reports on to callers.

    Raises:
        MiniStackChangedError: MiniStack does not look like the version that is pinned.

    """
    script, execute = runtime._PYTHON_WORKER_SCRIPT, service._execute_function_warm  # noqa: SLF001 - there is no hook
    if script.count(REPORT) != 2 or [*inspect.signature(execute).parameters] != ["func", "event", "request_id"]:  # noqa: PLR2004 - import, call
        raise MiniStackChangedError("report a function's errors")
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


def fix_labels(service: ModuleType) -> None:
    """Make PutSecretValue take its labels away from other versions, and leave a version that exists as it is.

    Both are in the API reference, PutSecretValue, "ClientRequestToken" and "VersionStages".

    Raises:
        MiniStackChangedError: MiniStack does not look like the version that is pinned.

    """
    members = vars(service)
    found = {name: [*inspect.signature(members[name]).parameters] for name in SECRETS if name in members}
    if found != SECRETS or LABELLED not in inspect.getsource(members["_put_secret_value"]):
        raise MiniStackChangedError("label a secret's versions")
    members["_put_secret_value"] = _with_single_labels(members["_put_secret_value"], service)


def _with_single_labels(put: Callable[[Result], object], service: Any) -> Callable[[Result], object]:  # noqa: ANN401 - MiniStack's module
    @functools.wraps(put)
    def put_with_single_labels(data: Result) -> object:
        _, secret = service._resolve(data.get("SecretId"))  # noqa: SLF001 - there is no hook
        if secret is None or secret.get("DeletedDate"):
            return put(data)
        version_id, labels = data.get("ClientRequestToken"), data.get("VersionStages", [CURRENT])
        if version := secret["Versions"].get(version_id):
            if any(version.get(key) != data.get(key) for key in ("SecretString", "SecretBinary")):
                return service.error_response_json("ResourceExistsException", "You can't change a secret version.")
            members = {"VersionId": version_id, "VersionStages": [*version["Stages"]]}
            return service.json_response({"ARN": secret["ARN"], "Name": secret["Name"], **members})
        for label in {*labels} - {CURRENT}:  # MiniStack itself moves AWSCURRENT, and AWSPREVIOUS with it
            service._remove_stage_everywhere(secret, label)  # noqa: SLF001 - there is no hook
        return put(data)

    return put_with_single_labels


if __name__ == "__main__":
    fix_errors(
        importlib.import_module("ministack.core.lambda_runtime"),
        importlib.import_module("ministack.services.lambda_svc"),
    )
    fix_labels(importlib.import_module("ministack.services.secretsmanager"))
    importlib.import_module("ministack.app").main()
