"""CDK constructs that keep OAuth tokens alive: `TokenRefresher` for one pair, `ConnectionFleet` for many."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from token_refresher.construct import TokenRefresher
    from token_refresher.constructs.fleet.connection_fleet import ConnectionFleet
    from token_refresher.issuers import Issuer

__all__ = ["ConnectionFleet", "Issuer", "TokenRefresher"]

_MODULES = {
    "ConnectionFleet": "token_refresher.constructs.fleet.connection_fleet",
    "Issuer": "token_refresher.issuers",
    "TokenRefresher": "token_refresher.construct",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    # Imported on use: the CDK takes seconds to start, and bundling and settings do not need it.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name != "Issuer":
        import_module("token_refresher.cdk_version").check()
    return getattr(import_module(_MODULES[name]), name)
