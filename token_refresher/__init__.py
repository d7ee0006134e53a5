"""A CDK construct that keeps an OAuth token pair alive. An app imports `TokenRefresher` and `Issuer` from here."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from token_refresher.construct import TokenRefresher
    from token_refresher.issuers import Issuer

__all__ = ["Issuer", "TokenRefresher"]

_MODULES = {"Issuer": "token_refresher.issuers", "TokenRefresher": "token_refresher.construct"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    # Imported on use: the CDK takes seconds to start, and bundling and settings do not need it.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "TokenRefresher":
        import_module("token_refresher.cdk_version").check()
    return getattr(import_module(_MODULES[name]), name)
