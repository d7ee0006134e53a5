"""Reading an issuer's settings from the function's environment variables."""

import json
from collections.abc import Mapping
from typing import Final

from refresh_token.environment import EnvironmentReader
from refresh_token.oauth.addresses import HTTPS, HTTPS_OR_HTTP, is_url, url_rule

APP_SECRET_ARN: Final = "APP_SECRET_ARN"  # noqa: S105 - the name of a variable
ALLOW_HTTP: Final = "ALLOW_HTTP_ISSUER"
"""If `true`, an issuer's address may be http, which only a stand-in on the local cloud needs."""


class VariableReader(EnvironmentReader):
    """Reads an issuer's variables as well: addresses and JSON."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(variables)
        self._schemes = HTTPS_OR_HTTP if self.choice(ALLOW_HTTP, ("false", "true")) == "true" else HTTPS

    def url(self, name: str, default: str | None = None, *, query: bool = False) -> str:
        """Return an address with https, or with http if ALLOW_HTTP_ISSUER is true."""
        url = self.text(name, default)
        if url and not is_url(url, self._schemes, query=query):
            self.fault(f"{name} {url_rule(self._schemes, query=query)}")
        return url

    def strings(self, name: str, *, reserved: tuple[str, ...]) -> dict[str, str]:
        """Return a JSON object of strings without any of the `reserved` keys; {} if the variable is not set."""
        try:
            found = json.loads(self.text(name, "{}"))
            json.dumps(found, ensure_ascii=False).encode()  # lone surrogates cannot be sent
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            self.fault(f"{name} must be a JSON object of strings")
            return {}
        if taken := sorted(set(reserved) & set(found)):
            self.fault(f"{name} must not have {', '.join(taken)}")
        return found
