"""Starts MiniStack with five faults fixed and with more kinds of alarms, so that it answers as AWS does.

A function's caller sees the error that the function raised. MiniStack itself names every error of a Python function
``Runtime.HandlerError`` and drops the stack trace. Here the caller gets what Lambda's Python runtime sends:
``errorMessage``, ``errorType``, ``requestId`` and ``stackTrace``. The runtime has names of its own for a module that it
cannot import and for a handler that is missing.

A staging label of a secret belongs to one version. MiniStack itself leaves the label on the versions that had it
before, and answers with the oldest of them. It also writes a version again whose id exists.

An alarm watches one metric: a name with its dimensions. MiniStack itself ignores the dimensions, so an error of any
function sets off the alarms of all functions.

CloudFormation creates composite alarms, and alarms on metric maths. MiniStack itself refuses a template that has
either. Here the composite alarms work. Nothing evaluates the others: they keep their first state.

CloudFormation sets a table's time to live, backups and key, and a topic's key, and `Ref` of a secret is its ARN.
MiniStack itself ignores the settings, and returns the secret's name.

CloudFormation finds the stack that has a resource. MiniStack itself wants to know the stack's name.

MiniStack's own Python runs this file, so it imports nothing else of ours.
"""

import functools
import importlib
import inspect
import json
from collections.abc import Callable
from types import FunctionType, ModuleType
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
INIT_ERRORS: Final = {
    **dict.fromkeys(["ImportError", "ModuleNotFoundError"], ("ImportModuleError", "Unable to import module '{}': {}")),
    **dict.fromkeys(["SyntaxError", "IndentationError"], ("UserCodeSyntaxError", "Syntax error in module '{}': {}")),
}
"""What the runtime makes of an exception while it imports the module. Source: ``bootstrap.py`` of awslambdaric."""

NOT_FOUND: Final = ("HandlerNotFound", "Handler '{}' missing on module '{}'")
"""What it makes of a module without the handler."""

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


METRICS: Final = "for (k_ns, k_mn, _), pts in _metrics.items():"
"""How MiniStack finds the metric of an alarm: the third member of a key is the dimensions, which it ignores."""


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
            result["body"] = _as_lambda_sends_it(result["body"], request_id, func["config"]["Handler"])
        return result

    return execute_with_full_errors


def _as_lambda_sends_it(body: Result, request_id: str, handler: str) -> Result:
    message = str(body.get("errorMessage"))
    try:
        report = json.loads(message.removeprefix(INIT_PREFIX))
    except ValueError:
        # The worker process ended without a report, or MiniStack found the error itself and named it rightly.
        return {**body, "errorType": "Runtime.ExitError"} if body.get("errorType") == LOST_TYPE else body
    if message.startswith(INIT_PREFIX):
        report |= _as_the_runtime_names_it(report, *handler.rsplit(".", 1))
    return {**report, "requestId": request_id}


def _as_the_runtime_names_it(report: Result, module: str, name: str) -> Result:
    if report["errorType"] == "AttributeError" and not report["stackTrace"]:  # raised in the worker script itself
        kind, message = NOT_FOUND[0], NOT_FOUND[1].format(name, module)
    elif report["errorType"] in INIT_ERRORS:
        kind, words = INIT_ERRORS[report["errorType"]]
        message = words.format(module, report["errorMessage"])
    else:
        return {}
    return {"errorType": f"Runtime.{kind}", "errorMessage": message, "stackTrace": []}


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


def fix_alarms(service: ModuleType) -> None:
    """Make an alarm watch the metric with its own dimensions. Source: API reference, PutMetricAlarm, "Dimensions".

    Raises:
        MiniStackChangedError: MiniStack does not look like the version that is pinned.

    """
    members = vars(service)
    evaluate = members.get("_evaluate_alarm")
    if not inspect.isfunction(evaluate) or METRICS not in inspect.getsource(evaluate):
        raise MiniStackChangedError("evaluate alarms")

    @functools.wraps(evaluate)
    def evaluate_its_own_metric(alarm: Result) -> None:
        dimensions = service._dims_key(service._dims_from_list(alarm.get("Dimensions") or []))  # noqa: SLF001 - there is no hook
        points = {key: points for key, points in members["_metrics"].items() if key[2] == dimensions}
        FunctionType(evaluate.__code__, members | {"_metrics": points})(alarm)

    members["_evaluate_alarm"] = evaluate_its_own_metric


def add_alarms(provisioners: Any, service: Any) -> None:  # noqa: ANN401 - MiniStack's modules
    """Let CloudFormation create composite alarms, and alarms on metric maths.

    Raises:
        MiniStackChangedError: MiniStack does not look like the version that is pinned.

    """
    record, put_composite = (
        vars(module).get(name)
        for module, name in ((provisioners, "_cw_metric_alarm_record"), (service, "_put_composite_alarm"))
    )
    wanted = [["name", "props"], ["params", "cbor_data", "is_cbor", "is_json"]]
    if [[*inspect.signature(one).parameters] if one else None for one in (record, put_composite)] != wanted:
        raise MiniStackChangedError("create alarms")

    def record_of_any(name: str, props: Result) -> object:
        unwatched = {"Metrics": None, "MetricName": "-", "Namespace": "-"} if props.get("Metrics") else {}
        return record(name, {**props, **unwatched})

    def put(name: str, props: Result) -> tuple[str, Result]:
        status, _, body = put_composite({}, {**props, "AlarmName": name}, is_cbor=False, is_json=True)
        if status != 200:  # noqa: PLR2004 - HTTP's OK
            raise ValueError(body)
        return name, {"Arn": service._composite_alarms[name]["AlarmArn"]}  # noqa: SLF001 - there is no hook

    def create(logical_id: str, props: Result, stack_name: str) -> tuple[str, Result]:
        named = props.get("AlarmName") or provisioners._physical_name(stack_name, logical_id, max_len=255)  # noqa: SLF001 - there is no hook
        return put(named, props)

    def delete(name: str, _props: Result) -> None:
        service._delete_alarms({}, {"AlarmNames": [name]}, is_cbor=False, is_json=True)  # noqa: SLF001 - there is no hook

    vars(provisioners)["_cw_metric_alarm_record"] = record_of_any
    provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::CompositeAlarm"] = {  # noqa: SLF001 - there is no hook
        "create": create,
        "update": lambda name, _old, new, _stack_name: put(name, new),
        "delete": delete,
    }


def fix_resources(provisioners: Any, dynamodb: Any, sns: Any) -> None:  # noqa: ANN401 - MiniStack's modules
    """Let CloudFormation set what it ignores of tables and topics, and know a secret by its ARN.

    Raises:
        MiniStackChangedError: MiniStack does not look like the version that is pinned.

    """
    handlers = vars(provisioners).get("_RESOURCE_HANDLERS", {})
    wanted = ("AWS::DynamoDB::Table", "AWS::SNS::Topic", "AWS::SecretsManager::Secret")
    table, topic, secret = (handlers.get(kind, {"create": None}) for kind in wanted)
    create_table, create_topic, create_secret = (handler["create"] for handler in (table, topic, secret))
    if not all(inspect.isfunction(one) for one in (create_table, create_topic, create_secret)):
        raise MiniStackChangedError("create resources")

    def create_table_with_settings(logical_id: str, props: Result, stack_name: str) -> tuple[str, Result]:
        name, attributes = create_table(logical_id, props, stack_name)
        _set_up_table(dynamodb, name, props)
        return name, attributes

    def create_topic_with_key(logical_id: str, props: Result, stack_name: str) -> tuple[str, Result]:
        arn, attributes = create_topic(logical_id, props, stack_name)
        if key := props.get("KmsMasterKeyId"):
            sns._topics[arn]["attributes"]["KmsMasterKeyId"] = key  # noqa: SLF001 - there is no hook
        return arn, attributes

    def create_secret_with_arn(logical_id: str, props: Result, stack_name: str) -> tuple[str, Result]:
        _, attributes = create_secret(logical_id, props, stack_name)
        return attributes["Arn"], attributes

    def name_of(arn: str) -> str:
        return arn.rpartition(":")[2].rpartition("-")[0]

    update_secret, delete_secret = secret["update"], secret["delete"]

    def update_secret_by_arn(
        arn: str, old: Result, new: Result, stack_name: str, logical_id: str | None = None
    ) -> tuple[str, Result]:
        _, attributes = update_secret(name_of(arn), old, new, stack_name, logical_id)
        return attributes["Arn"], attributes

    table["create"] = create_table_with_settings
    topic["create"] = create_topic_with_key
    secret |= {
        "create": create_secret_with_arn,
        "update": update_secret_by_arn,
        "delete": lambda arn, props: delete_secret(name_of(arn), props),
    }


def find_stacks(cloudformation: Any, handlers: Any) -> None:  # noqa: ANN401 - MiniStack's modules
    """Let DescribeStackResources find a stack by the parameter PhysicalResourceId.

    Raises:
        MiniStackChangedError: MiniStack does not look like the version that is pinned.

    """
    actions, operation = vars(handlers).get("_ACTION_HANDLERS", {}), "DescribeStackResources"
    describe = actions.get(operation)
    if not inspect.isfunction(describe) or [*inspect.signature(describe).parameters] != ["params"]:
        raise MiniStackChangedError("describe resources")

    def describe_by_resource(params: Result) -> object:
        (wanted,) = params.get("PhysicalResourceId", [None])
        for name, stack in cloudformation._stacks.items() if wanted else ():  # noqa: SLF001 - there is no hook
            if any(each.get("PhysicalResourceId") == wanted for each in stack.get("_resources", {}).values()):
                params = {**params, "StackName": [name]}
        return describe(params)

    actions[operation] = describe_by_resource


def _set_up_table(dynamodb: Any, name: str, props: Result) -> None:  # noqa: ANN401 - MiniStack's module
    key = props.get("SSESpecification")  # CloudFormation and DynamoDB have two names for one member
    settings = {**props, "SSESpecification": key and {**key, "Enabled": key["SSEEnabled"]}}
    for setting, update in (
        ("TimeToLiveSpecification", dynamodb._update_ttl),  # noqa: SLF001 - there is no hook
        ("PointInTimeRecoverySpecification", dynamodb._update_continuous_backups),  # noqa: SLF001 - there is no hook
        ("SSESpecification", dynamodb._update_table),  # noqa: SLF001 - there is no hook
    ):
        if settings.get(setting):
            update({"TableName": name, setting: settings[setting]})


if __name__ == "__main__":
    fix_errors(
        importlib.import_module("ministack.core.lambda_runtime"),
        importlib.import_module("ministack.services.lambda_svc"),
    )
    fix_labels(importlib.import_module("ministack.services.secretsmanager"))
    fix_alarms(importlib.import_module("ministack.services.cloudwatch"))
    add_alarms(
        importlib.import_module("ministack.services.cloudformation.provisioners"),
        importlib.import_module("ministack.services.cloudwatch"),
    )
    fix_resources(
        importlib.import_module("ministack.services.cloudformation.provisioners"),
        importlib.import_module("ministack.services.dynamodb"),
        importlib.import_module("ministack.services.sns"),
    )
    find_stacks(
        importlib.import_module("ministack.services.cloudformation"),
        importlib.import_module("ministack.services.cloudformation.handlers"),
    )
    importlib.import_module("ministack.app").main()
