"""Finding a profile: by its name in the catalogue, or in a file of the operator's."""

from pathlib import Path
from typing import Final

from refresh_token.oauth import catalogue
from refresh_token.oauth.profile import Profile
from refresh_token.oauth.profile_names import is_file, own_profile, similar_names
from refresh_token.oauth.rules import listed
from tokenctl.errors import UsageError

_HOW: Final = "`tokenctl providers list` shows the catalogue; a file is named by its path, such as ./acme.toml."


def find_profile(named: str) -> Profile:
    """Return the profile.

    Raises:
        UsageError: there is no such profile or file. The message does not repeat what may be a misplaced token.
        ProfileError: has a line for each fault of the file.

    """
    if is_file(named):
        return read_file(named)
    if named in catalogue.names():
        return catalogue.load(named)
    near = similar_names(named, catalogue.names())
    hint = f" Did you mean {listed(near)}?" if near else ""
    raise UsageError(f"The catalogue has no such provider.{hint} {_HOW}")


def read_file(path: str) -> Profile:
    """Return the profile in a file; raises as `find_profile`."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
    else:
        return own_profile(text)
    raise UsageError(f"The file cannot be read ({reason}). Name the file of a profile, such as ./acme.toml.")
