"""Addresses with `{names}` in them, and what may stand there, so that no value leads to another host.

An address is `https://` and a host, or a `{param}` that is a whole address; then a path and a query, if any.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from refresh_token.oauth.addresses import HTTPS, HTTPS_OR_HTTP, is_url
from refresh_token.oauth.profile_addresses import Param
from refresh_token.oauth.templates import fill, names

RULE: Final = "must be an address with https, without user or fragment"
_ADDRESS: Final = re.compile(
    r"(?:(?P<scheme>https?)://(?P<authority>[^/?#@\\\s]+)|(?P<whole>\{[A-Za-z][A-Za-z0-9_]*\}))(?P<rest>(?:[/?][^#\s]*)?)"
)
_PARAM: Final = re.compile(r"\{[^{}]*\}")
_LABELS: Final = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")
_REGISTRABLE: Final = 2
"""The last labels of a host, of which a provider owns all that stands before them."""

_NAMED: Final = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*(?=[a-z0-9-]*[a-z])[a-z0-9-]{1,63}(?::[0-9]{1,5})?")
"""A host with a name, whose last label is not a number; it may have a port."""

_MAX_HOST: Final = 253
ANY: Final = "*"


def check_address(text: str, params: Mapping[str, Param], others: Collection[str], *, allow_http: bool) -> None:
    """Check an address of a profile; `others` are the names beside `params` that its path and query may hold.

    Raises:
        ValueError: the rule that it breaks.

    """
    found = _parts(text, allow_http=allow_http)
    if unknown := names(found["rest"]) - set(params) - set(others):
        raise ValueError(f"holds {{{min(unknown)}}}, which is no parameter and no value")
    authority = found["authority"] or found["whole"]
    if unknown := names(authority) - set(params):
        raise ValueError(f"has {{{min(unknown)}}} in its host, which must be one of `params`")
    open_ended = authority.split(":")[0].split(".")[-_REGISTRABLE:]
    if missing := [name for label in open_ended for name in sorted(names(label)) if not params[name].hosts]:
        raise ValueError(
            f"has {{{missing[0]}}} where it decides whose host it is, so `params.{missing[0]}.hosts` must be set"
        )
    sample = _PARAM.sub("x", authority) if found["authority"] else "x.example"
    if not is_url(f"https://{sample}{_PARAM.sub('x', found['rest'])}", HTTPS, query=True):
        raise ValueError(RULE)


def bind_address(text: str, params: Mapping[str, Param], values: Mapping[str, str], *, allow_http: bool) -> str:
    """Return the address with the values in place.

    Raises:
        ValueError: a value is missing, or one leads elsewhere. The message shows no value.

    """
    found = _parts(text, allow_http=allow_http)
    if found["whole"]:
        base = fill(found["whole"], values).rstrip("/")
        if not is_url(base, _schemes(allow_http=allow_http)):
            raise ValueError(f"the value of {found['whole']} {RULE}, and without a query")
    else:
        base = f"{found['scheme']}://{_authority(found['authority'], params, values)}"
    authority = urlsplit(base).netloc.lower()
    for name in names(found["whole"] or found["authority"]):
        hosts = params[name].hosts
        if hosts and not any(matches_host(authority, host, allow_http=allow_http) for host in hosts):
            raise ValueError(f"the value of {{{name}}} leads to another host than {', '.join(hosts)}")
    address = base + fill(found["rest"], values, lambda value: quote(value, safe=""))
    path = urlsplit(address).path.split("/")
    if (
        not is_url(address, _schemes(allow_http=allow_http), query=True)
        or urlsplit(address).netloc.lower() != authority
    ):
        raise ValueError("its values make no address")
    if {".", ".."} & set(path):
        raise ValueError("its values make a path with dots alone")
    return address


def matches_host(authority: str, host: str, *, allow_http: bool = False) -> bool:
    """Tell whether an authority is the host, or below it if the host begins with `*.`.

    `*` is any name; for a stand-in, an IP address as well.
    """
    if host == ANY:
        return allow_http or _NAMED.fullmatch(authority) is not None
    authority = authority.removesuffix(":443")
    return authority == host or (
        host.startswith("*.") and authority.endswith(host[1:]) and len(authority) > len(host) - 1
    )


def matches_value(value: str, param: Param) -> bool:
    """Tell whether a parameter may have this value. What it does to a host is checked with the address."""
    return re.fullmatch(param.pattern, value) is not None


def _authority(text: str, params: Mapping[str, Param], values: Mapping[str, str]) -> str:
    for name in names(text):
        value = values.get(name)
        if value is not None and not params[name].hosts and not _LABELS.fullmatch(value):
            raise ValueError(f"the value of {{{name}}} cannot stand in a host")
    authority = fill(text, values)
    if len(authority) > _MAX_HOST or any(sign in authority for sign in "/?#@\\%"):
        raise ValueError("its values make no host")
    return authority


def _parts(text: str, *, allow_http: bool) -> re.Match[str]:
    found = _ADDRESS.fullmatch(text)
    if found is None or (found["scheme"] == "http" and not allow_http):
        raise ValueError(RULE)
    return found


def _schemes(*, allow_http: bool) -> tuple[str, ...]:
    return HTTPS_OR_HTTP if allow_http else HTTPS
