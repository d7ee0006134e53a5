"""`TokenRefresher` by the name of its kind, for who looks for it among the constructs. It is in `infra`."""

from infra.token_refresher import TokenRefresher

__all__ = ["TokenRefresher"]
