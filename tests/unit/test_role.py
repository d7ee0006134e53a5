"""The function gets along with the role that the stack gives it, and needs all of it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from refresh_token import aws_clients
from refresh_token.errors import RefreshTokenError
from tests.unit.conftest import forget_clients
from tests.unit.deployment import TICK, Context, Deployment
from tests.unit.iam import Role
from tests.unit.template import STAGES
from tests.unit.ui_builder_server import good, refusal

OF_LAMBDA = {
    *("logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"),
    *("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
}
"""What Lambda does with the role by itself: logs, traces, the destination of failed events."""

pytestmark = pytest.mark.usefixtures("fast_retries")


@contextmanager
def enforced(role: Role) -> Iterator[None]:
    """Hold every call of the function against the role."""
    session: Any = aws_clients.session()
    forget_clients()
    session.register("before-call", role.answer, unique_id="role")
    try:
        yield
    finally:
        session.unregister("before-call", role.answer, unique_id="role")
        forget_clients()


def do_everything(deployment: Deployment, role: Role) -> None:
    """Bring the function to make each call that it can make, and give it no time to try again what is denied."""
    context = Context(lambda: 0.5 if role.denied else 60.0)
    events: list[object] = [TICK, {}, {"provider": "figma", "force": True}]

    def invoke_all() -> None:
        for event in events:
            with suppress(RefreshTokenError):
                deployment.invoke(event, context)

    invoke_all()  # nothing is seeded
    deployment.seed("fresh")
    invoke_all()
    deployment.seed("mandatory")
    deployment.issuer.answer(refusal(503))
    invoke_all()
    deployment.issuer.answer(good())
    deployment.seed("expired")
    invoke_all()


@pytest.mark.parametrize("stage", STAGES)
def test_the_role_is_enough_and_the_function_uses_all_of_it(deployment: Deployment, stage: str) -> None:
    role = Role(stage, deployment.secret_arn)
    with enforced(role):
        do_everything(deployment, role)
    assert role.denied == set()
    assert role.granted() - OF_LAMBDA == role.used
    assert deployment.stored()[1]["accessToken"] == "access-issued"


ACTIONS = [
    *("amplifyuibuilder:RefreshToken", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
    "dynamodb:GetItem",
    *("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"),
    *("secretsmanager:DescribeSecret", "kms:Decrypt", "kms:GenerateDataKey"),
]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_role_that_lacks_an_action_is_felt(deployment: Deployment, action: str) -> None:
    role = Role("prod", deployment.secret_arn, taken_away=action)
    assert action in role.granted()
    with enforced(role):
        do_everything(deployment, role)
    assert role.denied == {action}


def test_the_key_may_be_used_for_this_secret_only(deployment: Deployment) -> None:
    role = Role("prod", deployment.secret_arn)
    another = deployment.client.create_secret(Name="another", SecretString="{}")["ARN"]
    with enforced(role):
        reader: Any = aws_clients.session().create_client("secretsmanager")
        with pytest.raises(reader.exceptions.ClientError, match="AccessDenied"):
            reader.get_secret_value(SecretId=another)
    assert role.denied == {"secretsmanager:GetSecretValue", "kms:Decrypt"}
