"""The catalogue: a profile for each provider, in a TOML file of its name."""

from pathlib import Path
from typing import Final

from refresh_token.oauth.profile import Profile
from refresh_token.oauth.profile_file import parse_profile

FOLDER: Final = Path(__file__).parent


def names() -> tuple[str, ...]:
    """Return the names of all profiles, sorted."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.toml")))


def load(name: str) -> Profile:
    """Return the profile. Raises ProfileError if its file is wrong, KeyError if there is none."""
    if name not in names():
        raise KeyError(name)
    return parse_profile((FOLDER / f"{name}.toml").read_text(encoding="utf-8"), name=name)
