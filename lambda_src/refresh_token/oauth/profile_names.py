"""How people name a profile, at synthesis and with `tokenctl`: by its name in the catalogue, or by a file's path."""

import difflib
from collections.abc import Sequence
from typing import Final

from refresh_token.oauth.issuers import NAMES
from refresh_token.oauth.profile import Profile
from refresh_token.oauth.profile_file import ProfileError, parse_profile

_MAX_SIMILAR: Final = 4


def is_file(name: str) -> bool:
    """Tell whether this is the path of a profile, and not a name."""
    return name.endswith(".toml") or "/" in name or "\\" in name


def similar_names(name: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return the known names that a wrong one may stand for, the most similar first."""
    name = name.lower()
    alike = (each for each in known if each.startswith(f"{name}-") or name.startswith(f"{each}-"))
    return tuple(dict.fromkeys((*difflib.get_close_matches(name, known, cutoff=0.7), *alike)))[:_MAX_SIMILAR]


def own_profile(text: str, *, allow_http: bool = False) -> Profile:
    """Return the profile in a user's file. Raises ProfileError, also for the name of an issuer that is no profile."""
    profile = parse_profile(text, allow_http=allow_http)
    if profile.name in NAMES:
        raise ProfileError([f"name={profile.name}: is an issuer of its own. Choose another name"])
    return profile
