"""The sections of a profile about what is sent: requests, steps and signed JWTs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from refresh_token.oauth import profile_rules as rules
from refresh_token.oauth.profile_rules import Key
from refresh_token.oauth.rules import Whole, choice

FORM: Final = "form"
JSON: Final = "json"
QUERY: Final = "query"

KMS_ALGORITHMS: Final = {
    **{f"RS{bits}": f"RSASSA_PKCS1_V1_5_SHA_{bits}" for bits in (256, 384, 512)},
    **{f"PS{bits}": f"RSASSA_PSS_SHA_{bits}" for bits in (256, 384, 512)},
    **{f"ES{bits}": f"ECDSA_SHA_{bits}" for bits in (256, 384, 512)},
}
"""What kms:Sign calls each algorithm of RFC 7518, 3.1."""

SHARED_SECRET_ALGORITHMS: Final = ("HS256", "HS384", "HS512")
"""Algorithms whose key is a secret that both sides have."""


AUTHENTICATIONS: Final = ("basic", "basic-unescaped", "basic-secret", "post", "none", "private_key_jwt", "off")
"""Methods of client authentication. `none` is a public client, which sends its id alone; `off` sends nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One kind of request. `[code]`, `[refresh]` and `[revoke]` add to what `[request]` says, or override it."""

    format: Annotated[
        str, Key(rule=rules.FORMAT, about="Where the parameters go: in a `form`, a `json` object, or the `query`.")
    ] = FORM
    method: Annotated[str, Key(rule=rules.METHOD, about="The HTTP method; `GET` goes with `query`.")] = "POST"
    parameters: Annotated[
        Mapping[str, Any],
        Key(rule=rules.Tree(), about="Further parameters; with `json`, they may hold tables and numbers.", hidden=True),
    ] = field(default_factory=dict, repr=False)
    headers: Annotated[Mapping[str, str], rules.FURTHER_HEADERS] = field(default_factory=dict, repr=False)
    names: Annotated[Mapping[str, str], rules.OTHER_NAMES] = field(default_factory=dict)
    auth: Annotated[
        str | None,
        Key(rule=choice(AUTHENTICATIONS), about="Client authentication, if not that of `client.auth`."),
    ] = None
    standard: Annotated[
        bool, Key(rule=rules.Flag(), about="`false` sends only what stands in `parameters`, and the app's credentials.")
    ] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshRequest(Request):
    """The request that renews a token."""

    scope: Annotated[bool, Key(rule=rules.Flag(), about="Whether a refresh names the scopes again.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRequest(Request):
    """The request that exchanges the tokens of a sign-in once more. It has no standard's parameters."""

    address: Annotated[str, Key(rule=rules.ADDRESS, about="Where the request goes.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeRequest(Request):
    """The request that revokes a token."""

    token: Annotated[str, Key(rule=choice(("refresh_token", "access_token")), about="Which token is sent.")] = (
        "refresh_token"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request of several. The last one brings the token; the others bring `values` for those after them."""

    address: Annotated[str, Key(rule=rules.ADDRESS, about="Where the request goes.")]
    format: Annotated[str, Key(rule=rules.FORMAT, about="As in `[request]`.")] = FORM
    method: Annotated[str, Key(rule=rules.METHOD, about="As in `[request]`.")] = "POST"
    parameters: Annotated[Mapping[str, Any], Key(rule=rules.Tree(), about="All parameters.", hidden=True)] = field(
        default_factory=dict, repr=False
    )
    headers: Annotated[Mapping[str, str], rules.FURTHER_HEADERS] = field(default_factory=dict, repr=False)
    auth: Annotated[str, Key(rule=choice(AUTHENTICATIONS), about="Client authentication.")] = "off"
    values: Annotated[
        Mapping[str, str],
        Key(
            rule=rules.Table(rules.IDENTIFIER, rules.PATH),
            about="What the next steps use as `{names}`, and where it stands in this answer.",
        ),
    ] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jwt:
    """A JWT (RFC 7519) that the deployment signs: `{assertion}` in requests. `iat`, `exp` and `jti` are added."""

    alg: Annotated[
        str,
        Key(
            rule=choice((*KMS_ALGORITHMS, *SHARED_SECRET_ALGORITHMS)),
            about="The algorithm (RFC 7518, 3.1). Keys of `RS…`, `PS…`, `ES…` are in KMS; that of `HS…` is `secret`.",
        ),
    ]
    secret: Annotated[str, Key(rule=rules.TEXT, about="The key of `HS…`, such as `{clientSecret}`.", hidden=True)] = ""
    secret_encoding: Annotated[str, Key(rule=choice(("utf8", "hex", "base64")), about="How `secret` is written.")] = (
        "utf8"
    )
    lifetime_seconds: Annotated[
        int, Key(rule=Whole(1, 31_536_000, "seconds"), about="How long the JWT is good for.")
    ] = 300
    header: Annotated[
        Mapping[str, Any], Key(rule=rules.Tree(), about="Further members of the header.", hidden=True)
    ] = field(default_factory=dict, repr=False)
    claims: Annotated[Mapping[str, Any], Key(rule=rules.Tree(), about="The claims.", hidden=True)] = field(
        default_factory=dict, repr=False
    )
    is_token: Annotated[
        bool, Key(rule=rules.Flag(), about="Whether the JWT itself is the access token, so that nothing is sent.")
    ] = False
