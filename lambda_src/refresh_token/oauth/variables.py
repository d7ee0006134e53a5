"""Reading an issuer's settings from the function's environment variables."""

from collections.abc import Mapping
from typing import Any, Final

from refresh_token.environment import EnvironmentReader
from refresh_token.oauth.rules import Address, for_stand_in
from refresh_token.oauth.setting import Setting

APP_SECRET_ARN: Final = "APP_SECRET_ARN"  # noqa: S105 - the name of a variable
ISSUER_PROFILE: Final = "ISSUER_PROFILE"
"""The profile of the issuer, as compact JSON, if it is not one of the catalogue."""

SIGNING_KEY: Final = "ISSUER_SIGNING_KEY"
"""The ARN of the KMS key that signs assertions."""

ATTEMPTS: Final = "ISSUER_ATTEMPTS"
"""How often the issuer is called for one refresh at most. The worker of a fleet sets it to 1: it has all day."""

ALLOW_HTTP: Final = "ALLOW_HTTP_ISSUER"
"""If `true`, an issuer's address may be http, which only a stand-in on the local cloud needs."""


class VariableReader(EnvironmentReader):
    """Reads an issuer's variables as well."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(variables)
        self.allows_http = self.choice(ALLOW_HTTP, ("false", "true")) == "true"

    def url(self, name: str, default: str | None = None, *, query: bool = False) -> str:
        """Return an address with https, or with http if ALLOW_HTTP_ISSUER is true."""
        url = self.text(name, default)
        rule = Address(query=query, http=self.allows_http)
        if url and not rule.accepts(url):
            self.fault(f"{name} {rule}")
        return url

    def value(self, name: str, setting: Setting) -> Any:  # noqa: ANN401 - the setting's rule knows
        """Return a setting's value: None if it is not set or wrong, but "" if it is required."""
        nothing = "" if setting.required else None
        text = self.text(name, "")
        if not text:
            if setting.required:
                self.fault(f"{name} must be set")
            return nothing
        try:
            return (for_stand_in(setting.rule) if self.allows_http else setting.rule).read(text)
        except ValueError as error:
            self.fault(f"{name} {error}")
            return nothing
