"""The rules for the refusals of a profile."""

from collections.abc import Mapping
from typing import Final

from refresh_token.oauth.profile import Profile
from refresh_token.oauth.refusal_codes import Refusal
from refresh_token.oauth.refusals import FIGMA_REFRESH, SERVER_REFRESH, RefusalRules
from refresh_token.oauth.responses import spelt

_OWN: Final[Mapping[str, RefusalRules]] = {"figma": FIGMA_REFRESH, "oauth2": SERVER_REFRESH}
"""The rules of the issuers that have more than words."""


def rules_of(profile: Profile) -> RefusalRules:
    """Return the rules of a profile: its words, which may be codes or phrases. A number is a code only."""
    words = profile.refusals
    rows = ((words.grant, Refusal.GRANT), (words.app, Refusal.APP), (words.settings, Refusal.SETTINGS))
    meant = {word: means for several, means in (*rows, (words.later, Refusal.LATER)) for word in several}
    own = RefusalRules(
        codes={spelt((word,))[0]: means for word, means in meant.items() if spelt((word,))},
        phrases={word.lower(): means for word, means in meant.items() if not word.isdigit()},
    )
    return _OWN.get(profile.name, own)
