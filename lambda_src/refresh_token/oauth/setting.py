"""What a setting is: of a refresher, or of an issuer. It is declared as `name: Annotated[type, Setting(...)]`."""

from dataclasses import dataclass

from refresh_token.oauth.rules import Rule


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Everything about a setting but its name and type.

    `about` is Markdown, for a cell of the table in `docs/settings.md`; its links are relative to the checkout.
    """

    rule: Rule
    default: object = None
    """None makes the setting optional, unless it is required. A dataclass has its own defaults."""
    about: str
    required: bool = False
    hidden: bool = False
    """Whether messages leave out its value, because people may put a secret there by mistake."""
    variable: str = ""
    """The environment variable of an issuer's setting, if not `<ISSUER>_<SETTING>`."""
