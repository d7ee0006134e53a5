"""Asking before a stored token pair is replaced."""

from collections.abc import Mapping

from refresh_token.core.issued_by import IssuedBy
from tokenctl.errors import ServiceError
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.pair_secret import NoPairError, read_pair
from tokenctl.stack.token_life import utc_minute
from tokenctl.terminal.confirm import confirm


def confirm_replacing_pair(deployed: DeployedStack, new: IssuedBy | None, *, yes: bool) -> Mapping[str, object]:
    """Ask whether the stored pair may be replaced by one of `new`, unless there is none or `yes` is given.

    Return the keys of the stored pair that are not part of the secret format, so that a new pair can keep them. With
    `yes` and a pair that cannot be read there are none.

    Raises:
        TokenctlError: the operator answered no.
        UsageError: nobody can answer.
        ServiceError, ConfigurationError: Secrets Manager fails or denies access.

    """
    try:
        stored = read_pair(deployed)
    except NoPairError as error:
        if error.moved_to:
            confirm(
                f"The pair of {deployed.target.stack_name} has moved to its fleet: it is the connection "
                f"{error.moved_to}, which stays there. This stores another pair for those who ask the stack itself.",
                yes=yes,
            )
        return error.kept
    except ServiceError:
        if yes:
            return {}
        raise
    old, until = stored.pair.issued_by, stored.pair.expires_at
    of = "" if old is None else f" of {old}"
    lives = "" if until is None else f", whose access token lives until {utc_minute(until)}"
    another = f" The new pair is of {new}." if old and new and old != new else ""
    confirm(
        f"The secret of {deployed.target.stack_name} already holds a token pair{of}{lives}.{another} "
        "This replaces it; after a new sign-in to the same app every access token handed out so far dies.",
        yes=yes,
    )
    return stored.pair.unknown
