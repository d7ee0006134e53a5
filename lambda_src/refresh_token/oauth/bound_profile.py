"""A profile together with a deployment's parameters and what a grant's own values add: real addresses, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from refresh_token.oauth.address_templates import bind_address, matches_value
from refresh_token.oauth.addresses import authority
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.profile import TWO_STEP, Profile
from refresh_token.oauth.profile_answers import Api
from refresh_token.oauth.profile_refusals import rules_of
from refresh_token.oauth.refusals import RefusalRules
from refresh_token.oauth.templates import fill_in, names

ENDLESS: Final = 315_360_000
"""The assumed life in seconds of a token that does not expire: ten years."""


class UnboundError(ValueError):
    """An address cannot be made: a value is missing, or leads elsewhere. The message shows no value."""


@dataclass(frozen=True, kw_only=True)
class BoundProfile:
    """What a provider expects from one deployment."""

    profile: Profile
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The deployment's parameters."""

    learned: Mapping[str, object] = field(default_factory=dict, repr=False)
    """What the provider has said about the grant, by our names."""

    more_scopes: tuple[str, ...] = ()
    """The deployment's scopes, beside those of the profile."""

    allow_http: bool = False

    def with_values(self, values: Mapping[str, object]) -> "BoundProfile":
        """Return the same with what the provider has said about a grant."""
        return replace(self, learned={**self.learned, **values})

    @cached_property
    def texts(self) -> dict[str, str]:
        """What `{names}` stand for: learned values first, then the deployment's parameters, then the defaults.

        A learned value that cannot be sent, or that its parameter does not allow, counts as missing.
        """
        params = self.profile.params
        learned = {name: str(value) for name, value in self.learned.items() if isinstance(value, str | int | float)}
        sendable = {name: text for name, text in learned.items() if text.isprintable()}  # no lone surrogate is
        fit = {name: text for name, text in sendable.items() if name not in params or matches_value(text, params[name])}
        known = {name: param.default for name, param in params.items() if param.default is not None}
        ours = {name for name, param in params.items() if not is_learned(self.profile, name)}
        return {**known, **self.params, **{name: text for name, text in fit.items() if name not in ours}}

    def bound(self, template: str, **more: str) -> str:
        """Return an address with its values in place; "" stays "". Raises UnboundError."""
        if not template:
            return ""
        try:
            return bind_address(template, self.profile.params, {**self.texts, **more}, allow_http=self.allow_http)
        except ValueError as error:
            fault = str(error)
        raise UnboundError(fault)

    def address(self, key: str, **more: str) -> str:
        """Return one of the profile's addresses, "" if it has none. Raises UnboundError."""
        return self.bound(getattr(self.profile.address, key), **more)

    def _known(self, template: str) -> str:
        """Return an address, "" if only a grant's values can make it."""
        try:
            return self.bound(template)
        except UnboundError:
            return ""

    @property
    def refresh_url(self) -> str:
        """Where a token is renewed, "" if nothing is sent or if only a grant's values tell it."""
        address = self.profile.address
        if self.profile.grant == TWO_STEP:
            return self._known(self.profile.steps[0].address)
        return self._known(address.refresh or address.token)

    @property
    def home(self) -> str:
        """The host that the credentials go to; the profile's name if only a grant's values tell it."""
        return authority(self.refresh_url) if self.refresh_url else self.profile.name

    @property
    def code_url(self) -> str:
        """Where a code is exchanged for the first pair."""
        return self._known(self.profile.address.token)

    @property
    def consent_page(self) -> str:
        """Where the end user allows the access; "" if only the operator knows."""
        page, sign, fragment = self.profile.address.authorize.partition("#")
        return f"{known}{sign}{fragment}" if (known := self._known(page)) else ""

    @property
    def user_url(self) -> str:
        """Where a harmless GET with an access token tells whose it is; "" if there is no such call."""
        return self._known(self.profile.api.user)

    @property
    def user_keys(self) -> tuple[str, ...]:
        """The keys of that answer that name the user, the best one first."""
        return self.profile.api.user_keys

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes to ask for."""
        return tuple(dict.fromkeys((*self.profile.sign_in.scopes, *self.more_scopes)))

    @property
    def client_auth(self) -> str:
        """A method of `client_auth`."""
        return self.profile.client.auth

    @property
    def rotates(self) -> bool:
        """Whether an answer may replace the refresh token. The old one must then never be sent twice."""
        return self.profile.refresh_token.replaced

    @property
    def default_lifetime(self) -> int:
        """A token's assumed life in seconds if the answer states none."""
        return self.profile.answer.lifetime_seconds or ENDLESS

    @property
    def refresh_margin(self) -> int:
        """How many seconds before a token's expiry the provider begins to accept refreshes; 0 if it always does."""
        return self.profile.refresh_token.margin_seconds

    @property
    def refresh_refusals(self) -> RefusalRules:
        """How to read the refusals of a refresh."""
        return rules_of(self.profile)

    def api(self, app: AppCredentials) -> dict[str, object]:
        """Return what consumers need to call the provider, without what is usual. What cannot be made is left out."""
        usual, api = Api(), self.profile.api
        values = {**self.texts, **app.keys, "clientId": app.client_id}
        headers = {name: text for name, text in api.headers.items() if names(text) <= values.keys()}
        found = {
            "base": self._known(api.base),
            "headers": fill_in(headers, values),
            "header": api.header if api.header != usual.header else "",
        }
        scheme = {} if api.scheme == usual.scheme else {"scheme": api.scheme}
        return {**{name: value for name, value in found.items() if value}, **scheme}


def is_learned(profile: Profile, name: str) -> bool:
    """Tell whether the provider may say a parameter's value."""
    param = profile.params[name]
    return bool(param.redirect or param.answer) or any(name in step.values for step in profile.steps)
