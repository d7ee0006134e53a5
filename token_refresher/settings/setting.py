"""How a TypedDict declares its settings: as `name: Annotated[type, Setting(...)]`."""

from typing import get_type_hints

from refresh_token.oauth.setting import Setting


def settings_of(kind: type) -> dict[str, Setting]:
    """Return the settings that a TypedDict declares, by name."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: setting for name, hint in hints.items() for setting in hint.__metadata__}
