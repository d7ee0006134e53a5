"""The providers of a fleet, each with the variables that a stack of one secret has in its environment. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from refresh_token.core.grant_life import MAX_DAYS, GrantLife
from refresh_token.core.grants import SPENDS
from refresh_token.core.secret_format import parser_for
from refresh_token.core.text import NAME
from refresh_token.core.token_pair import PROVIDER
from refresh_token.core.windows import MAX_LIFETIME, WindowSettings
from refresh_token.environment import (
    GRANT_ABSOLUTE,
    GRANT_IDLE,
    ISSUER_GRANT,
    REFRESH_MARGIN,
    EnvironmentReader,
)

if TYPE_CHECKING:
    from refresh_token.core.grants import Spends
    from refresh_token.core.secret_format import Parse

ROTATES: Final = "rotates"
"""Key beside a provider's variables: whether it may replace the refresh token."""

ISSUER_PARAMS: Final = "ISSUER_PARAMS"
OAUTH2: Final = "oauth2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What the providers of a fleet have in common."""

    advisory: timedelta
    mandatory: timedelta
    refresh_after: timedelta | None = None
    """How long a connection goes without a refresh at most, whatever its expiry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider of a fleet, and how its connections are kept."""

    name: str
    variables: Mapping[str, str] = field(repr=False)
    grant: str
    windows: WindowSettings
    grant_life: GrantLife
    rotates: bool

    @property
    def spends(self) -> "Spends":
        """Which token of a pair a refresh sends."""
        return SPENDS[self.grant]

    @property
    def parse(self) -> "Parse":
        """What reads the pairs of this provider. One that cannot be refreshed is malformed."""
        return parser_for(self.grant, self.name, refreshable=True)

    def with_params(self, params: Mapping[str, str]) -> dict[str, str]:
        """Return the issuer's variables for a connection with parameters of its own."""
        if not params:
            return dict(self.variables)
        ours = json.loads(self.variables.get(ISSUER_PARAMS) or "{}")
        return {**self.variables, ISSUER_PARAMS: json.dumps({**ours, **params}, sort_keys=True)}


def read_providers(variable: str, reader: EnvironmentReader, timing: Timing) -> dict[str, Provider]:
    """Return the providers that a variable describes; `reader` collects the faults."""
    rows = _rows(reader.text(variable))
    if not rows:
        reader.fault(f"{variable} must be a JSON object with the issuer's variables of each provider")
    providers = {}
    for name, row in rows.items():
        texts = {key: text for key, text in row.items() if key != ROTATES} if isinstance(row, dict) else {}
        if re.fullmatch(NAME, name) and texts and all(isinstance(text, str) for text in texts.values()):
            own = EnvironmentReader(texts)
            providers[name] = _provider(name, texts, own, timing, rotates=row.get(ROTATES) is not False)
            for fault in own.faults:
                reader.fault(f"{variable}, `{name}`: {fault}")
        else:
            reader.fault(f"{variable} must have the name of a provider and an object of texts in each row")
    return providers


def provider_named(word: str | None, providers: Mapping[str, Provider]) -> Provider | None:
    """Return the provider that somebody means by a word, None if there is none.

    It may be left out in a fleet of one provider. `figma` also means `oauth2` there, as in the stack of one secret.
    """
    alone = next(iter(providers.values())) if len(providers) == 1 else None
    if word is None or (word == PROVIDER and alone and alone.name == OAUTH2):
        return alone
    return providers.get(word)


def _rows(text: str) -> dict[str, Any]:
    try:
        rows = json.loads(text or "{}")
    except ValueError:
        return {}
    return rows if isinstance(rows, dict) else {}


def _provider(
    name: str, texts: Mapping[str, str], reader: EnvironmentReader, timing: Timing, *, rotates: bool
) -> Provider:
    margin = reader.number(REFRESH_MARGIN, 0, maximum=int(MAX_LIFETIME.total_seconds()))
    idle, absolute = (reader.number(key, 0, maximum=MAX_DAYS) for key in (GRANT_IDLE, GRANT_ABSOLUTE))
    grant = reader.choice(ISSUER_GRANT, tuple(SPENDS))
    spends_nothing = SPENDS.get(grant) == "nothing"  # then no grant can end, and no answer replaces what was sent
    life = GrantLife.of_days(idle=idle, absolute=absolute)._replace(refresh_after=timing.refresh_after)
    return Provider(
        name=name,
        variables=texts,
        grant=grant,
        windows=WindowSettings(advisory=timing.advisory, mandatory=timing.mandatory, margin=timedelta(seconds=margin)),
        grant_life=GrantLife() if spends_nothing else life,
        rotates=rotates and not spends_nothing,
    )
