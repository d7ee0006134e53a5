"""Whether a tick refreshes a token that is due, or leaves that to the next consumer. Pure."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from refresh_token.core.token_pair import TokenPair

AUTO: Final = "auto"
ALWAYS: Final = "always"
DEMAND: Final = "demand"
POLICIES: Final = (AUTO, ALWAYS, DEMAND)
"""Every policy. The first is the default."""

MAX_VERSIONS: Final = 100
"""How many versions a secret can have. Secrets Manager removes none of them within 24 hours (AWS Secrets Manager
quotas), so no more than these can be written in that time."""

SHORT_LIFE: Final = timedelta(hours=24) / MAX_VERSIONS * 3 / 2
"""With `AUTO`, tokens of a shorter life than this, 21.6 minutes, are refreshed on demand. Ticks that refresh write once
in two thirds of a life, because the advisory window is the last third. For shorter lives, these are more writes than
the secret can hold."""


def on_demand(policy: str, pair: "TokenPair") -> bool:
    """Tell whether only consumers' requests refresh the pair's access token when it is due."""
    short = pair.lifetime is not None and pair.lifetime < SHORT_LIFE
    return policy == DEMAND or (policy == AUTO and short)
