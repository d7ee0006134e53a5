"""The question before a pair that is stored is replaced."""

from collections.abc import Mapping
from datetime import UTC, datetime

from tokenctl.errors import ServiceError
from tokenctl.stack.secret import NoPairError, read_pair
from tokenctl.stack.target import Target
from tokenctl.terminal.confirm import ask


def ask_before_replacing(target: Target, *, yes: bool) -> Mapping[str, object]:
    """Ask whether a pair that is stored may be replaced; where there is none, or with `yes`, there is nothing to ask.

    Return the keys of the stored pair that are not ours, for a new sign-in to carry over (contract 3); none where
    `yes` was said and the pair cannot be read.

    Raises:
        TokenctlError: the answer is no.
        UsageError: there is nobody to ask.
        ServiceError, ConfigurationError: Secrets Manager cannot be asked, or refuses.

    """
    try:
        stored = read_pair(target)
    except NoPairError:
        return {}
    except ServiceError:
        if yes:
            return {}
        raise
    ask(
        f"The secret of {target.stack_name} holds a token pair already (until {moment(stored.pair.expires_at)}). "
        "This replaces it; after a new sign-in to the same app every access token handed out so far dies.",
        yes=yes,
    )
    return stored.pair.unknown


def moment(at: datetime | None) -> str:
    """Return when a token expires, for people: UTC, to the minute."""
    return "unknown" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
