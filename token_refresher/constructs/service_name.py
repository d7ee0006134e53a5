"""The dimension `service` of a refresher's metrics."""

from aws_cdk import Stack, Token
from constructs import Construct

from token_refresher.settings.reader import SettingsError
from token_refresher.settings.rules import SERVICE_NAME


def checked_service_name(refresher: Construct, given: str | None) -> str:
    """Return the given name, or the name of the outermost stack and the construct's path in it.

    Raises:
        SettingsError: CloudWatch would not accept the name. One that is known only at deployment is not checked.

    """
    name = given or _default(refresher)
    try:
        return name if Token.is_unresolved(name) else SERVICE_NAME.read(name)
    except ValueError as error:
        raise SettingsError([f"service_name={name}: {error}"]) from None


def _default(refresher: Construct) -> str:
    stack = Stack.of(refresher)
    # The name of a nested stack is known only at deployment, and changes if the stack is replaced.
    while stack.nested_stack_parent:
        stack = stack.nested_stack_parent
    inside = refresher.node.path.removeprefix(stack.node.path).lstrip("/")
    return f"{stack.stack_name}/{inside}"
