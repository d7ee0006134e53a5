"""`tokenctl repair`: breaks everything by hand, restores it with one command, and finds nothing the second time."""

import json
from collections.abc import Callable

import pytest

from local.deployment import Deployment
from tests.support.aws_endpoints import NO_STACK, described_stack
from tests.support.changed_by_hand import (
    change_the_function,
    delete_the_alias,
    delete_the_queue,
    delete_the_schedule,
    delete_the_secret,
    delete_the_table,
    deny_the_roles,
    forget_what_is_read,
    lock_the_secret,
    loosen_queue_and_topic,
    misdirect_the_schedule,
    move_the_alias,
    open_the_function,
    settings_in,
    silence_the_alarms,
    weaken_the_roles,
    weaken_the_table,
)
from tests.support.command_line import Tokenctl
from tests.support.deployed_stack import AwsAnswers, put_secret
from tests.support.events import TICK
from tests.support.fault_proxy import FaultProxy, Strike

pytestmark = pytest.mark.xdist_group("deployed")


Break = Callable[[Deployment], None]
BROKEN: dict[str, tuple[tuple[Break, ...], dict[str, str], set[str]]] = {
    "changed": (
        (
            *(change_the_function, move_the_alias, weaken_the_table, misdirect_the_schedule, weaken_the_roles),
            *(lock_the_secret, silence_the_alarms, loosen_queue_and_topic, forget_what_is_read),
            *(deny_the_roles, open_the_function),
        ),
        {
            "function": "FAIL  function      the version that consumers call does not use what is the stack's: see its",
            "throttle": "FAIL  throttle      the function's reserved concurrency is 0",
            "alias": "WARN  alias         `live` is version ",
            "schedule": "FAIL  schedule      rate(30 days) is DISABLED, does not call the alias `live`, has",
            "alarms": "FAIL  alarms        gone: GrantExpires",
            "changes": "FAIL  changes       this may keep the function or its schedule from working: Secret, Ref",
        },
        {
            *(
                "RefreshFunction.KmsKeyArn",
                "RefreshFunction.Layers",
                "RefreshFunction.ReservedConcurrentExecutions",
                "Schedule.EndDate",
            ),
            *("RefreshLive.RoutingConfig", "DeadLettersQueue.RedrivePolicy", "MonitoringKey.KeyPolicy.statement 1"),
            *("RefreshRole.denied by other policies", "RefreshRole.PermissionsBoundary"),
            *("ScheduleRole.denied by other policies", "Secret.denied by the policy"),
            *("RefreshFunction.open to everybody", "RefreshLive.open to everybody"),
        },
    ),
    "deleted": (
        (delete_the_alias, delete_the_table, delete_the_schedule, delete_the_secret, delete_the_queue),
        {
            "alias": "FAIL  alias         the function has no alias `live`",
            "lock table": "FAIL  lock table    RefreshToken-local-LockTable",
            "schedule": "FAIL  schedule      the schedule is gone: nothing keeps the token alive",
            "secret": "FAIL  secret        ",
            "dead letters": "FAIL  dead letters  The dead-letter queue is gone",
            "changes": "WARN  changes       changed by hand after the deployment: Secret, LockTable, RefreshLive, ",
        },
        set(),
    ),
}
"""What somebody does by hand, what the doctor says then, and some of the settings that differ."""


@pytest.mark.parametrize(("breaks", "found", "settings"), BROKEN.values(), ids=BROKEN)
@pytest.mark.usefixtures("fresh")
def test_one_command_restores_everything(
    tokenctl: Tokenctl,
    stack: Deployment,
    breaks: tuple[Break, ...],
    found: dict[str, str],
    settings: set[str],
) -> None:
    for spoil in breaks:
        spoil(stack)
    examined = tokenctl("doctor")
    for check, line in found.items():
        assert examined.line(check).startswith(line), examined.out
        assert "`tokenctl repair --stage local`" in examined.line(check)
    seen = tokenctl("repair", "--dry-run", "--output", "json").json
    assert settings <= settings_in(seen)
    done = tokenctl("repair", "--yes")
    assert done.code == 0, done.err
    assert "canary" not in done.out + json.dumps(seen)
    again = tokenctl("repair")
    assert (again.code, again.out) == (0, "Everything is as the stack deployed it.\n")
    assert not stack.invoke(TICK).failed
    mended = tokenctl("doctor")
    assert [mended.line(check)[:2] for check in found] == ["OK"] * len(found), mended.out
    assert mended.out.splitlines()[-1] == "HEALTHY", mended.out


DENIED = (403, '{"__type": "AccessDeniedException", "message": "no"}')
GONE = (404, '{"__type": "ResourceNotFoundException", "message": "gone"}')
TORN = (200, "{}")
UPDATING = (200, described_stack("UPDATE_IN_PROGRESS"))
LOST = "Only a deployment creates ClientLayer, RefreshFunction again. To do so: `cdk deploy -c stage=local "
ENDINGS: dict[str, tuple[tuple[Break, ...], dict[str, tuple[int, str]], str, int, tuple[str, ...]]] = {
    "nothing differs": ((), {}, "--yes", 0, ("Everything is as the stack deployed it.",)),
    "all restored": ((weaken_the_table,), {}, "--yes", 0, ("Restored LockTable.", "HEALTHY")),
    "found": ((weaken_the_table,), {}, "--dry-run", 1, ("LockTable  DeletionProtectionEnabled: true -> false",)),
    "denied": (
        *((weaken_the_table,), {"SCHEDULER": DENIED}, "--yes", 1),
        ("Schedule could not be compared: An error occurred (AccessDenied", "Restored LockTable."),
    ),
    "only denied": ((), {"SCHEDULER": DENIED}, "--yes", 1, ("The rest is as the stack deployed it.",)),
    "no answer of AWS's": (
        (),
        {"KMS": TORN},
        "--yes",
        1,
        ("Key could not be compared: AWS's answer makes no sense (",),
    ),
    "not asked for": (
        *((weaken_the_table,), {"SCHEDULER": DENIED}, "--yes --only LockTable", 0),
        ("Restored LockTable.",),
    ),
    "as deployed": ((), {}, "--only LockTable", 0, ("What --only names is as the stack deployed it.",)),
    "unknown name": ((), {}, "--only canary", 252, ("1 of the names given with --only is none of",)),
    "not asked": ((weaken_the_table,), {}, "", 252, ("LockTable  DeletionProtectionEnabled: true", "Add --yes")),
    "a change runs": ((), {"CLOUDFORMATION": UPDATING}, "--yes", 253, ("RefreshToken-local is UPDATE_IN_PROGRESS",)),
    "no stack": ((), {"CLOUDFORMATION": (400, NO_STACK)}, "--yes", 253, ("There is no stack RefreshToken-local ",)),
    "no template": ((), {}, "--function-name x", 253, ("and --function-name <function> names none.",)),
    "lost, found": ((), {"LAMBDA": GONE}, "--dry-run", 1, ("RefreshFunction is gone.", LOST)),
    "lost": ((weaken_the_table,), {"LAMBDA": GONE}, "--yes", 2, (LOST, "Restored LockTable.", "DEAD")),
    "dead": (
        *((lambda stack: put_secret(stack, SecretString="{}"), weaken_the_table), {}, "--yes", 2),
        ("Restored LockTable.", "DEAD"),
    ),
}
"""What is broken, what AWS's services answer, the options, the exit code, and what is said."""


AS_JSON = ("all restored", "found", "denied", "only denied", "unknown name", "lost")
"""The endings that are also looked at as JSON: one of each exit code, and of what each is for."""


@pytest.mark.parametrize(
    ("ending", "structured"),
    [*((ending, False) for ending in ENDINGS), *((ending, True) for ending in AS_JSON)],
)
@pytest.mark.usefixtures("fresh")
def test_the_exit_code_says_what_is_left(
    tokenctl: Tokenctl,
    stack: Deployment,
    aws_answers: AwsAnswers,
    monkeypatch: pytest.MonkeyPatch,
    ending: str,
    *,
    structured: bool,
) -> None:
    breaks, answers, words, code, said = ENDINGS[ending]
    for spoil in breaks:
        spoil(stack)
    for service, answer in answers.items():
        aws_answers(service, *answer)
    done = tokenctl("repair", *words.split(), *(("--output", "json") if structured else ()))
    assert done.code == code, done.out + done.err
    shown = done.out + done.err if code > 2 else done.err if structured else done.out
    assert all(text in shown for text in said), shown
    assert "canary" not in done.out + done.err
    for service in answers:
        monkeypatch.delenv(f"AWS_ENDPOINT_URL_{service}")
    if breaks:
        tokenctl("repair", "--yes")


@pytest.mark.usefixtures("fresh")
def test_a_failure_keeps_the_report(
    tokenctl: Tokenctl, stack: Deployment, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    weaken_the_table(stack)
    misdirect_the_schedule(stack)
    proxy.strike("UpdateTable", Strike(status=400, code="AccessDeniedException"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
    done = tokenctl("repair", "--yes", "--output", "json")
    assert done.code == 2
    table, schedule = done.json
    assert (table["restored"], schedule["restored"], schedule["error"]) == (False, True, None)
    assert "(AccessDeniedException) when calling the UpdateTable operation" in table["error"]
    assert "LockTable could not be restored: An error occurred" in done.err
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB")
    again = tokenctl("repair", "--yes")
    assert (again.code, "Restored LockTable." in again.out) == (0, True)
