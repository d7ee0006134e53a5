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

SHORT_LIFE: Final = timedelta(hours=1)
"""With `AUTO`, tokens of a shorter life than this are refreshed on demand. Refreshing each of them would write too
often: Secrets Manager keeps 100 versions, removes none within 24 hours, and advises against more than one write in ten
minutes (AWS Secrets Manager quotas)."""


def on_demand(policy: str, pair: "TokenPair") -> bool:
    """Tell whether only consumers' requests refresh the pair's access token when it is due."""
    short = pair.lifetime is not None and pair.lifetime < SHORT_LIFE
    return policy == DEMAND or (policy == AUTO and short)
