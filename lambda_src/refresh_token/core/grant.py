"""What an issuer needs for the next access token. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from refresh_token.core.values import Value


@dataclass(frozen=True, slots=True)
class Grant:
    """What `Issuer.refresh` may use of a pair. Its repr shows none of it.

    Of the two tokens it holds only the one that the issuer spends (`Issuer.spends`). The other one is empty.
    """

    refresh_token: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    values: Mapping[str, Value] = field(default_factory=dict, repr=False)
    """What the provider said about the grant earlier, such as `instance_url`, by our names."""
