"""Which connections a command works on: those that the operator names, or those that filters choose."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tokenctl.connections.fleet import Fleet
from tokenctl.connections.listing import Filters, Listing
from tokenctl.errors import TokenctlError, UsageError


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The operator's words. If there are none, that is a mistake unless `or_all`.

    Raises:
        UsageError: there are names and filters, or neither.

    """

    names: Sequence[str]
    filters: Filters = field(default_factory=Filters)
    or_all: bool = False

    def __post_init__(self) -> None:
        """Check the words."""
        if self.filters.given and self.names:
            raise UsageError("Give either names of connections, or filters.")
        if not (self.filters.given or self.names or self.or_all):
            raise UsageError("Name the connections, or choose them with --tenant, --state or --provider.")

    def walk(self, fleet: Fleet) -> Iterator[str]:
        """Yield the names, each once; raises ServiceError and ConfigurationError if the fleet cannot be read."""
        if self.names:
            yield from dict.fromkeys(self.names)
        else:
            yield from (row["connection"] for row in Listing(fleet, self.filters).rows())

    def read(self, fleet: Fleet) -> list[str]:
        """Return the names, each once; raises as `walk`, and TokenctlError if no connection fits the filters."""
        found = list(self.walk(fleet))
        if not found:
            raise TokenctlError("No connection fits these filters. Nothing was changed.")
        return found
