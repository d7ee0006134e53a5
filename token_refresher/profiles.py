"""Finding the profile that the setting `issuer` names: in the catalogue, or in a file of yours."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from refresh_token.oauth import catalogue
from refresh_token.oauth.issuers import NAMES
from refresh_token.oauth.profile import Profile
from refresh_token.oauth.profile_file import ProfileError, to_compact_json
from refresh_token.oauth.profile_names import is_file, own_profile, similar_names
from refresh_token.oauth.rules import listed

_RULE: Final = f"must be {listed(NAMES)}, or a profile: its name in the catalogue, or a file such as ./acme.toml"
_LIST: Final = "`tokenctl providers list` shows the catalogue"


@dataclass(frozen=True)
class IssuerName:
    """The name of an issuer or of a profile, or the path of a profile."""

    def __str__(self) -> str:
        return _RULE

    def read(self, value: object) -> str:
        """Return the name."""
        if not isinstance(value, str) or not value:
            raise ValueError(f"{_RULE}. {_LIST}")
        known = (*NAMES, *catalogue.names())
        if not is_file(value) and value not in known:
            near = similar_names(value, known)
            raise ValueError(f"{_RULE}. {f'Did you mean {listed(near)}? ' if near else ''}{_LIST}")
        return value


def find_profile(name: str, *, allow_http: bool) -> tuple[Profile, str]:
    """Return the profile and, if it is in a file, the compact JSON that the function gets.

    A path is relative to the current folder, which is that of `cdk.json` when the CDK CLI runs an app.

    Raises:
        ProfileError: has a line for each fault.

    """
    if not is_file(name):
        return catalogue.load(name), ""
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else "the file cannot be read as text"
        raise ProfileError([f"{reason}. A path is relative to the folder of cdk.json"]) from None
    return own_profile(text, allow_http=allow_http), to_compact_json(text)
