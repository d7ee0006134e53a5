"""The dimension `service` of a refresher's metrics."""

from aws_cdk import Stack, Token
from constructs import Construct

from token_refresher.settings.reader import SettingsError
from token_refresher.settings.rules import SERVICE_NAME


def checked_service_name(refresher: Construct, given: str | None) -> str:
    """Return the given name, or the stack's name and the construct's path.

    Raises:
        SettingsError: CloudWatch would not accept the name. One that is known only at deployment, such as that of a
            nested stack, is not checked.

    """
    name = given or _default(refresher)
    try:
        return name if Token.is_unresolved(name) else SERVICE_NAME.read(name)
    except ValueError as error:
        raise SettingsError([f"service_name={name}: {error}"]) from None


def _default(refresher: Construct) -> str:
    stack = Stack.of(refresher)
    inside = refresher.node.path.removeprefix(stack.node.path).lstrip("/")
    return f"{stack.stack_name}/{inside}"
