"""The runbook, followed to the letter: cause the trouble of an entry, run the commands of the page, end healthy."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.deployment import Deployment
from refresh_token.core.windows import iso_utc
from refresh_token.fleet.signals import FleetAlarm
from refresh_token.signals import Metric
from tests.support.changed_by_hand import delete_the_secret, delete_the_table, release, throttle
from tests.support.command_line import Tokenctl
from tests.support.deployed_stack import put_secret
from tests.support.documents import anchor
from tests.support.events import TICK
from tests.support.runbook_operator import PAGE, Operator
from tests.support.windows import EXPIRED, FRESH, MANDATORY
from tokenctl.stack.target import LIVE

pytestmark = pytest.mark.xdist_group("deployed")

ALARMS_OF_A_FLEET = {name for name in vars(FleetAlarm).values() if isinstance(name, str)}
STATES = (Metric.NEEDS_SIGN_IN, Metric.PAIR_NOT_STORED, Metric.OVERDUE, Metric.GRANT_ENDING, Metric.FAILING)
SOON = iso_utc(datetime.now(UTC) + timedelta(days=5))

Act = Callable[[Deployment], object]


@dataclass(frozen=True)
class Walk:
    """A way through the page: what causes the trouble, and the entries to which the first one leads."""

    cause: Act
    then: tuple[str, ...] = ()
    outside: Act = lambda _: None
    """What ends the trouble outside this stack, after the commands of the first entry."""
    state: str = ""
    """The metric of the alarm."""


def seed(stack: Deployment, left: timedelta = EXPIRED, **more: object) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=left, **more)


def fails(cause: Act, event: object = TICK) -> Act:
    """Let the function meet the trouble, with an expired token unless the cause stores another one."""

    def meet(stack: Deployment) -> None:
        seed(stack)
        cause(stack)
        assert stack.invoke(event).failed

    return meet


def answer(status: int) -> Act:
    return lambda stack: stack.cloud.standin.fail("RefreshToken", status=status, times=None)


def both(first: Act, second: Act) -> Act:
    def act(stack: Deployment) -> None:
        first(stack)
        second(stack)

    return act


def fresh(stack: Deployment) -> None:
    seed(stack, FRESH)


def put(text: str) -> Act:
    return lambda stack: put_secret(stack, SecretString=text)


def clear(stack: Deployment) -> None:
    stack.cloud.standin.clear_faults()


def hand_over(days: float) -> Act:
    """Let a person renew the token."""

    def cause(stack: Deployment) -> None:
        name = stack.outputs["FunctionName"]
        now = stack.cloud.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        release(stack, Environment={"Variables": {**now, "ISSUER": "static"}})
        seed(stack, timedelta(days=days))

    return cause


def stop_the_schedule(stack: Deployment, left: timedelta = FRESH) -> None:
    seed(stack, left)
    client = stack.cloud.client("scheduler")
    (found,) = client.list_schedules()["Schedules"]
    schedule = client.get_schedule(Name=found["Name"], GroupName=found["GroupName"])
    kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    client.update_schedule(**{key: schedule[key] for key in kept}, State="DISABLED")


def lose_a_tick(stack: Deployment) -> None:
    seed(stack, FRESH)
    reason = {"ERROR_CODE": {"DataType": "String", "StringValue": "AccessDenied"}}
    url = stack.outputs["DeadLetterQueueUrl"]
    stack.cloud.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(TICK), MessageAttributes=reason)


def restore_the_secret(stack: Deployment) -> None:
    client, secret = stack.cloud.client("secretsmanager"), stack.outputs["SecretArn"]
    if "DeletedDate" in client.describe_secret(SecretId=secret):
        client.restore_secret(SecretId=secret)


REVOKED = fails(lambda stack: stack.cloud.standin.revoke())
FULL = fails(lambda stack: seed(stack, note="x" * 65_200))
MALFORMED = fails(both(fresh, put('{"accessToken": "a"}')))
STATIC = "StaticTokenExpiresIn30Days"

WALKS = {
    "FunctionErrors": Walk(MALFORMED, ("SecretMalformedException", "Store a pair"), state=Metric.FAILING),
    "RequestsFail": Walk(fails(answer(503), {}), ("IssuerUnavailableException", "Tick"), clear),
    "DeadLetters": Walk(lose_a_tick, ("The dead-letter queue",)),
    "TokenNotStored": Walk(
        FULL, ("TokenNotStoredException", "Store a pair", "Refresh now"), state=Metric.PAIR_NOT_STORED
    ),
    "ReauthorizationRequired": Walk(
        REVOKED, ("ReauthorizationRequiredException", "Store a pair"), state=Metric.NEEDS_SIGN_IN
    ),
    "TokenExpires": Walk(lambda stack: stop_the_schedule(stack, MANDATORY)),
    "GrantExpires": Walk(
        both(lambda stack: seed(stack, FRESH, refreshExpiresAt=SOON), lambda stack: stack.invoke(TICK)),
        ("Store a pair",),
        state=Metric.GRANT_ENDING,
    ),
    STATIC: Walk(hand_over(20)),
    "StaticTokenExpiresIn7Days": Walk(hand_over(5), (STATIC,)),
    "StaticTokenExpiresIn1Day": Walk(hand_over(-1), ("ReauthorizationRequiredException", STATIC)),
    "NoHeartbeat": Walk(stop_the_schedule),
    "Throttles": Walk(both(fresh, throttle)),
    "InvalidParameterException": Walk(
        both(fresh, lambda stack: stack.invoke({"provider": "sketch"})), ("Read the logs",)
    ),
    "SecretNotSeededException": Walk(fails(put("{}")), ("Store a pair",)),
    "SecretMalformedException": Walk(MALFORMED, ("Go back to an earlier version",)),
    "SecretUnavailableException": Walk(fails(delete_the_secret), ("Tick",)),
    "ReauthorizationRequiredException": Walk(REVOKED, ("Store a pair",)),
    "IssuerUnavailableException": Walk(fails(answer(503)), ("Tick",), clear),
    "IssuerProtocolException": Walk(fails(answer(302)), ("Tick",), clear),
    "RefreshInProgressException": Walk(fails(lambda stack: release(stack, Timeout=3)), ("Tick",)),
    "TokenNotStoredException": Walk(FULL, ("Store a pair",)),
    "ConfigurationException": Walk(fails(delete_the_table), ("Tick",)),
    "FunctionCrashes": Walk(
        fails(lambda stack: release(stack, Handler="refresh_token.handler.gone"), {}),
        ("What somebody changed by hand",),
    ),
}
NOT_WALKED = {
    **dict.fromkeys(("ConnectionNotFoundException", "ConnectionPausedException"), "this stack has no fleet"),
    "SomebodyMustAct": "the stage `local` has no composite alarms",
    "LookTomorrow": "the stage `local` has no composite alarms",
    "NewVersionFails": "the local cloud has no CodeDeploy",
    "Deploy, move, destroy": "leads to another page",
    "Restore the connections": "the local AWS keeps no backups",
}


@pytest.fixture
def mended(stack: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget the dead letters of other tests; put the function back."""
    monkeypatch.chdir(tmp_path)
    stack.cloud.client("sqs").purge_queue(QueueUrl=stack.outputs["DeadLetterQueueUrl"])
    client, name = stack.cloud.client("lambda"), stack.outputs["FunctionName"]
    before = client.get_function_configuration(FunctionName=name)
    version = client.get_alias(FunctionName=name, Name=LIVE)["FunctionVersion"]
    yield
    restore_the_secret(stack)
    if client.get_alias(FunctionName=name, Name=LIVE)["FunctionVersion"] != version:
        kept = {key: before[key] for key in ("Timeout", "Handler")}
        environment = {"Variables": before["Environment"]["Variables"]}
        client.update_function_configuration(FunctionName=name, Environment=environment, **kept)
        client.update_alias(FunctionName=name, Name=LIVE, FunctionVersion=version)


def states(stack: Deployment) -> dict[str, float]:
    """Return what the last tick has reported to the alarms."""
    name = stack.outputs["FunctionName"]
    group = stack.cloud.client("lambda").get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]
    found = stack.cloud.client("logs").filter_log_events(logGroupName=group, filterPattern=f'"{Metric.FAILING}"')[
        "events"
    ]
    last = json.loads(found[-1]["message"])
    return {state: last[state][-1] for state in STATES if state in last}


def test_every_entry_is_walked() -> None:
    headings = list(PAGE)
    entries = {*headings[headings.index("SomebodyMustAct") :]} - {"Errors", "Chores", *ALARMS_OF_A_FLEET}
    walked = {*WALKS, *(heading for walk in WALKS.values() for heading in walk.then)} - {"Tick", "Refresh now"}
    assert walked | NOT_WALKED.keys() == entries
    assert not walked & NOT_WALKED.keys()


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(("entry", "walk"), WALKS.items(), ids=WALKS)
def test_an_entry_ends_the_trouble(tokenctl: Tokenctl, stack: Deployment, entry: str, walk: Walk) -> None:
    operator = Operator(tokenctl, stack)
    walk.cause(stack)
    if walk.state:
        assert states(stack)[walk.state] == 1
    if entry.endswith("Exception"):
        operator.must_see(f"docs/runbook.md#{anchor(entry)}\n")
    assert operator.is_healthy(by_doctor=True) is (entry == "InvalidParameterException")
    operator.follow(entry)
    walk.outside(stack)
    for after, heading in zip((entry, *walk.then), walk.then, strict=False):
        assert operator.leads_to(heading, after), f"{after} does not lead to {heading}"
        operator.follow(heading)
    assert stack.invoke(TICK).payload["outcome"] in {"fresh", "refreshed"}
    assert set(states(stack).values()) == {0.0}
    if entry == "FunctionCrashes":  # it counts for a minute longer
        assert tokenctl("doctor").line("function").startswith("OK")
    else:
        operator.must_see("Nothing failed since")
        assert operator.is_healthy(by_doctor="tokenctl doctor" in PAGE[entry])
