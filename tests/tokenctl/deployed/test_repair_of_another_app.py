"""`tokenctl repair` of a stack that has what ours has only under some settings."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.cloud import LocalCloud
from tests.support.changed_by_hand import settings_in
from tests.support.command_line import Tokenctl
from tests.support.deployed_stack import AwsAnswers
from tests.support.own_stack import FUNCTION, NAME, OWNER, OwnStack, new_layer, own_stack, policy
from tokenctl.stack.target import LIVE

pytestmark = pytest.mark.xdist_group("deployed")


@pytest.fixture(scope="module")
def their_stack(cloud: LocalCloud) -> Iterator[OwnStack]:
    with own_stack(cloud) as theirs:
        yield theirs


@pytest.fixture
def theirs(their_stack: OwnStack, tokenctl: Tokenctl, aws_answers: AwsAnswers) -> OwnStack:
    """A stack of another app, as it was deployed: the local AWS itself leaves some settings out."""
    aws_answers("CLOUDFORMATION", 200, their_stack.described)
    tokenctl("repair", "--stack-name", NAME, "--yes")
    return their_stack


def configure(stack: OwnStack, **settings: Any) -> None:
    stack.cloud.client("lambda").update_function_configuration(FunctionName=FUNCTION, **settings)


def reserve(stack: OwnStack, executions: int) -> None:
    client = stack.cloud.client("lambda")
    client.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=executions)


def free(stack: OwnStack) -> None:
    stack.cloud.client("lambda").delete_function_concurrency(FunctionName=FUNCTION)


def weigh(stack: OwnStack, weights: dict[str, float]) -> None:
    routing = {"AdditionalVersionWeights": weights}
    stack.cloud.client("lambda").update_alias(FunctionName=FUNCTION, Name=LIVE, RoutingConfig=routing)


def redrive(stack: OwnStack, policy: str) -> None:
    attributes = {"RedrivePolicy": policy}
    stack.cloud.client("sqs").set_queue_attributes(QueueUrl=stack.physical["Queue"], Attributes=attributes)


def end(stack: OwnStack, **settings: str) -> None:
    client, name = stack.cloud.client("scheduler"), stack.physical["Schedule"]
    kept = {key: client.get_schedule(Name=name)[key] for key in ("ScheduleExpression", "FlexibleTimeWindow", "Target")}
    client.update_schedule(Name=name, **kept, **settings)


def open_key(stack: OwnStack) -> None:
    document = json.dumps(policy(OWNER | {"Principal": "*"}))
    stack.cloud.client("kms").put_key_policy(KeyId=stack.physical["Key"], PolicyName="default", Policy=document)


def open_secret(stack: OwnStack) -> None:
    client, document = stack.cloud.client("secretsmanager"), json.dumps(policy(OWNER))
    client.put_resource_policy(SecretId=stack.physical["Secret"], ResourcePolicy=document)


def strip_secret(stack: OwnStack) -> None:
    stack.cloud.client("secretsmanager").delete_resource_policy(SecretId=stack.physical["Secret"])


THEIRS: dict[str, tuple[Callable[[OwnStack], None], set[str]]] = {
    "nothing": (lambda _: None, set()),
    "another layer": (lambda stack: configure(stack, Layers=[new_layer(stack.cloud)]), {"Function.Layers"}),
    "less concurrency": (lambda stack: reserve(stack, 1), {"Function.ReservedConcurrentExecutions"}),
    "none reserved": (free, {"Function.ReservedConcurrentExecutions"}),
    "other weights": (lambda stack: weigh(stack, {"1": 0.5}), {"Alias.RoutingConfig.AdditionalVersionWeights.1"}),
    "no weights": (lambda stack: weigh(stack, {}), {"Alias.RoutingConfig"}),
    "no redrive": (lambda stack: redrive(stack, ""), {"Queue.RedrivePolicy"}),
    "another end": (lambda stack: end(stack, EndDate="2998-01-01T00:00:00Z"), {"Schedule.EndDate"}),
    "no end": (end, {"Schedule.EndDate"}),
    "open key": (open_key, {"Key.KeyPolicy.statement 1"}),
    "open secret": (open_secret, {"ResourcePolicy.ResourcePolicy.statement 1"}),
    "secret without policy": (strip_secret, set()),
}
"""What somebody changes in a stack of another app, and the settings that differ then."""


@pytest.mark.parametrize(("change", "settings"), THEIRS.values(), ids=THEIRS)
def test_a_change_is_found_and_undone(
    tokenctl: Tokenctl, theirs: OwnStack, change: Callable[[OwnStack], None], settings: set[str]
) -> None:
    words = ("repair", "--stack-name", NAME, "--output", "json")
    assert tokenctl(*words).json == []
    change(theirs)
    seen = tokenctl(*words, "--yes").json
    assert settings_in(seen) == settings
    assert [each["resource"] for each in seen if not each["restored"]] == []
    again = tokenctl(*words)
    assert (again.code, again.json) == (0, [])


def test_a_lost_layer_needs_a_deployment(tokenctl: Tokenctl, theirs: OwnStack) -> None:
    *_, layer, version = theirs.physical["LayerVersion"].split(":")
    theirs.cloud.client("lambda").delete_layer_version(LayerName=layer, VersionNumber=int(version))
    done = tokenctl("repair", "--stack-name", NAME, "--dry-run")
    assert (done.code, "LayerVersion is gone.\nOnly a deployment creates LayerVersion again." in done.out) == (1, True)
