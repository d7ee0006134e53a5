"""Finding the profile that the setting `issuer` names: in the catalogue, or in a file of yours."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from refresh_token.oauth import catalogue
from refresh_token.oauth.issuers import NAMES
from refresh_token.oauth.profile import Profile
from refresh_token.oauth.profile_file import ProfileError, parse_profile, to_compact_json
from refresh_token.oauth.rules import listed

_RULE: Final = f"must be {listed(NAMES)}, or a profile: its name in the catalogue, or a file such as ./acme.toml"
_MAX_NEAR: Final = 4
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
            near = difflib.get_close_matches(value.lower(), known, cutoff=0.7)
            alike = [
                name for name in known if name.startswith(f"{value.lower()}-") or value.lower().startswith(f"{name}-")
            ]
            near = [*dict.fromkeys((*near, *alike))][:_MAX_NEAR]
            raise ValueError(f"{_RULE}. {f'Did you mean {listed(tuple(near))}? ' if near else ''}{_LIST}")
        return value


def is_file(name: str) -> bool:
    """Tell whether this is the path of a profile, and not a name."""
    return name.endswith(".toml") or "/" in name or "\\" in name


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
    profile = parse_profile(text, allow_http=allow_http)
    if profile.name in NAMES:
        raise ProfileError([f"name={profile.name}: is an issuer of its own. Choose another name"])
    return profile, to_compact_json(text)
