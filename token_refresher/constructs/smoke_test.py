"""Ticks a new version before any caller gets it, and tells CodeDeploy whether it works.

This file is the code of a function of its own (canary.py). It runs without our packages, with Lambda's boto3.

A tick refreshes only a token that is due, and its answer holds no token. If the version that serves now fails too, the
new one is not to blame: nobody has stored a pair, or the grant was refused.

A rollback goes on whatever the old version answers: if it stopped, the stack would be in UPDATE_ROLLBACK_FAILED.
"""

import json
import os
import time
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

_THROTTLED = 429
_TICK = json.dumps({"source": "aws.scheduler"})
# A call of the function takes 15 minutes at most. To repeat one that has begun would tick twice.
_CONFIG = Config(read_timeout=900, retries={"total_max_attempts": 1})


def lambda_handler(event: dict[str, str], context: object) -> None:  # noqa: ARG001 - Lambda passes both
    """Answer CodeDeploy's hook BeforeAllowTraffic."""
    new, passed, codedeploy = os.environ["NEW_VERSION"], False, boto3.client("codedeploy")
    try:
        error = _error_of(new)
        passed = error is None or _error_of(os.environ["LIVE"]) is not None
    except (BotoCoreError, ClientError) as failure:  # Lambda did not run the function
        error = type(failure).__name__
    if not passed:
        deployment = codedeploy.get_deployment(deploymentId=event["DeploymentId"])["deploymentInfo"]
        passed = deployment["creator"] == "CloudFormationRollback"
    print(json.dumps({"version": new, "error": error, "passed": passed}))  # noqa: T201 - the log
    codedeploy.put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="Succeeded" if passed else "Failed",
    )


def _error_of(function: str) -> str | None:
    """Tick, and return the name of the function's error; None if there is none."""
    answer: Any = _tick(function)
    return str(json.load(answer["Payload"]).get("errorType")) if "FunctionError" in answer else None


def _tick(function: str, pauses: tuple[int, ...] = (1, 4, 15)) -> object:
    """Tick. If all that may run at once are busy (`reserved_concurrency`), wait: the version is not to blame."""
    try:
        return boto3.client("lambda", config=_CONFIG).invoke(FunctionName=function, Payload=_TICK)
    except ClientError as error:
        if not pauses or error.response["ResponseMetadata"]["HTTPStatusCode"] != _THROTTLED:
            raise
    time.sleep(pauses[0])
    return _tick(function, pauses[1:])
