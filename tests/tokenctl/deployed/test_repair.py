"""`tokenctl repair`: breaks everything by hand, restores it with one command, and finds nothing the second time."""

import json
from collections.abc import Callable

import pytest

from local.deployment import Deployment
from tests.support.changed_by_hand import (
    change_the_function,
    delete_the_alias,
    delete_the_queue,
    delete_the_schedule,
    delete_the_secret,
    delete_the_table,
    forget_what_is_read,
    lock_the_secret,
    loosen_queue_and_topic,
    misdirect_the_schedule,
    move_the_alias,
    silence_the_alarms,
    weaken_the_roles,
    weaken_the_table,
)
from tests.support.command_line import Tokenctl
from tests.support.events import TICK

pytestmark = pytest.mark.xdist_group("deployed")


Break = Callable[[Deployment], None]
BROKEN: dict[str, tuple[tuple[Break, ...], dict[str, str]]] = {
    "changed": (
        (
            *(change_the_function, move_the_alias, weaken_the_table, misdirect_the_schedule, weaken_the_roles),
            *(lock_the_secret, silence_the_alarms, loosen_queue_and_topic, forget_what_is_read),
        ),
        {
            "function": "WARN  function      Timeout, MemorySize, KEY, SECRET_ARN are not as deployed in the version",
            "throttle": "FAIL  throttle      the function's reserved concurrency is 0",
            "alias": "WARN  alias         `live` is version ",
            "schedule": "FAIL  schedule      rate(30 days) is DISABLED, does not call the alias `live`, has",
            "alarms": "FAIL  alarms        gone: GrantExpires",
            "changes": "WARN  changes       changed by hand after the deployment: MonitoringKey, Secret, ",
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
    ),
}
"""What somebody does by hand, and what the doctor says then."""


@pytest.mark.parametrize(("breaks", "found"), BROKEN.values(), ids=BROKEN)
@pytest.mark.usefixtures("fresh")
def test_one_command_restores_everything(
    tokenctl: Tokenctl, stack: Deployment, breaks: tuple[Break, ...], found: dict[str, str]
) -> None:
    for spoil in breaks:
        spoil(stack)
    examined = tokenctl("doctor")
    for check, line in found.items():
        assert examined.line(check).startswith(line), examined.out
        assert "`tokenctl repair --stage local`" in examined.line(check)
    seen = tokenctl("repair", "--dry-run", "--output", "json").json
    done = tokenctl("repair", "--yes")
    assert done.code == 0, done.err
    assert "canary" not in done.out + json.dumps(seen)
    again = tokenctl("repair")
    assert (again.code, again.out) == (0, "Everything is as the stack deployed it.\n")
    assert not stack.invoke(TICK).failed
    mended = tokenctl("doctor")
    assert [mended.line(check)[:2] for check in found] == ["OK"] * len(found), mended.out
    assert mended.out.splitlines()[-1] == "HEALTHY", mended.out
