"""Which connections a command works on: those that the operator names, or all that fit the filters."""

from collections.abc import Sequence
from dataclasses import dataclass

from refresh_token.fleet.states import State
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.listing import Filters, Listing
from tokenctl.errors import TokenctlError, UsageError


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The operator's words."""

    names: Sequence[str]
    states: Sequence[str] = ()
    provider: str | None = None
    tenant: str | None = None

    def __post_init__(self) -> None:
        """Check the words.

        Raises:
            UsageError: there are names and filters, or neither.

        """
        if self.filters and self.names:
            raise UsageError("Give either names of connections, or filters.")
        if not self.filters and not self.names:
            raise UsageError("Name the connections, or choose them with --tenant, --state or --provider.")

    @property
    def filters(self) -> bool:
        """Whether filters choose the connections."""
        return bool(self.states or self.provider or self.tenant)

    def read(self, fleet: Fleet) -> list[str]:
        """Return the names, each once.

        Raises:
            TokenctlError: no connection fits the filters.
            ServiceError, ConfigurationError: the fleet cannot be read.

        """
        if self.names:
            return list(dict.fromkeys(self.names))
        filters = Filters(states=self.states or tuple(State), provider=self.provider, tenant=self.tenant)
        found = [row["connection"] for page in Listing(fleet, filters).pages(None) for row in page.rows]
        if not found:
            raise TokenctlError("No connection fits these filters. Nothing was changed.")
        return found
