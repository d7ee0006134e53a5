"""The AWS resources: settings, constructs, bundling, one stack. `TokenRefresher` is what another app imports."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from token_refresher.construct import TokenRefresher

__all__ = ["TokenRefresher"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    # On use: the CDK takes seconds to start, and bundling or settings alone do not need it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from token_refresher.construct import TokenRefresher  # noqa: PLC0415

    return TokenRefresher
