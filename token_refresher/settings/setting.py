"""What a setting is, and how a TypedDict declares its settings: as `name: Annotated[type, Setting(...)]`."""

from dataclasses import dataclass
from typing import get_type_hints

from token_refresher.settings.rules import Rule


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Everything about a setting but its name and type. `about` is Markdown, for a cell of the README's table."""

    rule: Rule
    default: object
    """None makes the setting optional, unless it is required."""
    about: str
    required: bool = False
    hidden: bool = False
    """Whether messages leave out its value, because people may put a secret there by mistake."""


def settings_of(kind: type) -> dict[str, Setting]:
    """Return the settings that a TypedDict declares, by name."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: setting for name, hint in hints.items() for setting in hint.__metadata__}
