"""Profiles: what their files may say, and the catalogue."""

import json

import pytest

from refresh_token.oauth import catalogue
from refresh_token.oauth.profile import Profile
from refresh_token.oauth.profile_file import ProfileError, from_compact_json, parse_profile, to_compact_json
from tests.support.canaries import assert_clean

LEAST = """
name = "acme"
title = "Acme"
grant = "refresh_token"
[address]
token = "https://acme.example/token"
"""
FULL = """
name = "acme"
title = "Acme"
grant = "refresh_token"
rests_on = "document"
checked = 2026-11-26
sources = ["https://acme.example/docs/oauth"]
notes = "Only owners may make apps."
[params.subdomain]
about = "the part before .acme.example"
pattern = "[a-z0-9-]{1,63}"
[params.server]
default = "accounts.acme.example"
pattern = "[a-z.]+"
hosts = ["*.acme.example"]
redirect = "accounts-server"
[address]
authorize = "https://{subdomain}.acme.example/authorize?tenant={subdomain}"
token = "https://{server}/token"
revoke = "https://{server}/apps/{clientId}/{realm}"
[client]
auth = "post"
keys = ["apiKey"]
[sign_in]
scopes = ["read", "write"]
parameters = { access_type = "offline" }
names = { response_type = "" }
[request]
format = "json"
parameters = { resource = "https://api.acme.example", nested = { list = ["{apiKey}", 1, true] } }
headers = { "X-Key" = "Basic {base64(clientId:apiKey)}" }
[code]
parameters = { resource = "other" }
[refresh]
scope = true
format = "form"
parameters = { nested = "{date+7} {random} {{}}" }
[answer]
inside = "data"
values = { realm = "realm" }
[api]
base = "https://{subdomain}.acme.example/v1"
headers = { "X-Key" = "{apiKey}" }
"""


def faults(text: str, **how: object) -> list[str]:
    with pytest.raises(ProfileError) as caught:
        parse_profile(text, **how)  # type: ignore[arg-type]
    assert_clean(caught.value)
    assert str(caught.value) == "\n".join(caught.value.faults)
    return list(caught.value.faults)


@pytest.mark.parametrize("name", catalogue.names())
def test_the_catalogues_files_are_profiles(name: str) -> None:
    profile = catalogue.load(name)
    assert profile.name == name
    assert profile.checked
    assert profile.sources or profile.rests_on == "nothing"


class TestFile:
    def test_it_needs_little(self) -> None:
        profile = parse_profile(LEAST)
        assert (profile.client.auth, profile.request.format, profile.answer.lifetime_seconds) == ("basic", "form", 3600)
        assert profile.refresh_token.replaced
        assert profile.jwt is None

    def test_sections_add_to_the_request(self) -> None:
        profile = parse_profile(FULL)
        assert (profile.code.format, profile.refresh.format) == ("json", "form")
        assert profile.code.parameters == {**profile.request.parameters, "resource": "other"}
        assert set(profile.refresh.parameters) == {"resource", "nested"}
        assert profile.refresh.headers == profile.request.headers
        assert (profile.refresh.scope, profile.revoke.format) == (True, "form")

    def test_grants_without_a_client_send_none(self) -> None:
        text = LEAST.replace("refresh_token", "jwt_bearer") + '[jwt]\nalg = "RS256"\n'
        assert parse_profile(text).client.auth == "off"
        assert parse_profile(text + '[client]\nauth = "post"\n').client.auth == "post"

    @pytest.mark.parametrize("text", [LEAST, FULL], ids=["least", "full"])
    def test_compact_json_is_the_same_profile(self, text: str) -> None:
        compact = to_compact_json(text)
        assert "https://acme.example/docs" not in compact
        without = {"rests_on", "checked", "sources", "notes"}
        kept = [key for key in Profile.__slots__ if key not in without]
        told, found = parse_profile(text), from_compact_json(compact)
        assert [getattr(found, key) for key in kept] == [getattr(told, key) for key in kept]

    @pytest.mark.parametrize("text", ["", "[]", "{", "[" * 10_000, json.dumps({"name": "canary"})])
    def test_other_json_is_refused(self, text: str) -> None:
        with pytest.raises(ProfileError):
            from_compact_json(text)

    def test_its_name_may_be_fixed(self) -> None:
        assert parse_profile(LEAST, name="acme").name == "acme"
        assert faults(LEAST, name="other") == ["name=acme: must be other, as the file is called"]

    def test_http_is_for_stand_ins(self) -> None:
        text = LEAST.replace("https", "http")
        assert parse_profile(text, allow_http=True).address.token == "http://acme.example/token"
        assert "with https" in faults(text)[0]

    def test_all_faults_are_named_at_once(self) -> None:
        text = 'name = "Acme"\ngrant = "magic"\n[client]\nauth = 1\nauht = "post"\n[sign_in]\nscopes = ["a b"]\n'
        found = [line.split(":")[0] for line in faults(text)]
        assert found == ["name=Acme", "grant=magic", "title", "client.auth=1", "client.auht", 'sign_in.scopes=["a b"]']

    @pytest.mark.parametrize("text", ["canary", "a = [", "a = 1\na = 2", "a=" + "[" * 9999, "#" * 70_000])
    def test_other_files_are_refused(self, text: str) -> None:
        assert faults(text)[0].startswith("the file is")


ACME = "https://acme.example"
WRONG: dict[str, tuple[str, str]] = {
    "a table for a text": ("title = {}", "title={}: must be a text that is not empty"),
    "an unknown section": ("[answers]", "answers: is no key; is it answer?"),
    "a text for a section": ('answer = "canary"', "answer: must be a table"),
    "a secret as a parameter": ('[request]\nparameters = "canary"', "request.parameters=…: must be a table of"),
    "the client secret itself": (
        '[refresh]\nparameters = { client_secret = "canary" }',
        "refresh.parameters.client_secret: must be {clientSecret}, because",
    ),
    "more values than a pair holds": (
        "[answer.values]\n" + "\n".join(f'v{index} = "v"' for index in range(33)),
        "answer.values: must be 32 at most",
    ),
    "a nested parameter": ("[refresh]\nparameters = { a = 1 }", "refresh.parameters.a: must be a text or a list of"),
    "a header of the HTTP library": (
        '[request]\nheaders = { host = "canary" }',
        "request.headers=…: must be a table, each",
    ),
    "no address of an exchange": ("[exchange]", "exchange.address: must be set"),
    "a header with a line break": (
        '[request]\nheaders = { A = "canary\\n" }',
        "request.headers=…: must be a table, each",
    ),
    "a header's name": (
        '[request]\nheaders = { "canary:" = "" }',
        "request.headers=…: must be a table, each name the name",
    ),
    "a name that nothing brings": ('[request]\nparameters = { a = "{x}" }', "request.parameters: holds {x}, which"),
    "a lone brace": ('[request]\nparameters = { a = "{" }', "request.parameters: holds a brace"),
    "an unknown function": ('[request]\nparameters = { a = "{md5(code)}" }', "request.parameters: holds a brace"),
    "a token that is not spent": (
        '[refresh]\nparameters = { a = "{access_token}" }',
        "refresh.parameters: holds {access_to",
    ),
    "a code without a sign-in": (
        '[refresh]\nparameters = { a = "{code}" }',
        "refresh.parameters: holds {code}, which nothing",
    ),
    "a secret for consumers": ('[api]\nheaders = { A = "{clientSecret}" }', "api.headers: holds {clientSecret}, which"),
    "GET with a form": ('[refresh]\nmethod = "GET"', "refresh.method: GET needs refresh.format = query"),
    "no state": ('[sign_in]\nnames = { state = "" }', "sign_in.names.state: must not be empty"),
    "a standard name that is none": ('[code]\nnames = { cod = "x" }', "code.names.cod: must be one of"),
    "no steps": ('grant = "two_step"', "steps: must be there for the grant two_step"),
    "steps for another grant": (
        '[[steps]]\naddress = "https://a.example"',
        "steps: must be there for the grant two_step",
    ),
    "a step without address": ("[[steps]]", "steps.1.address: must be set"),
    "no key to sign with": ('grant = "jwt_bearer"', "jwt: must be there for"),
    "no shared secret": ('[jwt]\nalg = "HS256"', "jwt.secret: must be set for HS256"),
    "a bad pattern": ('[params.x]\npattern = "("', "params.x.pattern=(: must be a regular expression"),
    "a default outside the pattern": ('[params.x]\ndefault = "a.b"', "params.x.default: must match params.x.pattern"),
    "a parameter's name that is taken": (
        "[params.code]",
        "params.code: must have another name, because {code} is",
    ),
    "a parameter's name": ("[params.a-b]", "params=a-b: must be a letter, then letters"),
    "any host for an answer": (
        '[params.x]\nanswer = "x"\nhosts = ["*"]',
        "params.x.hosts: must not be * for a value that does not come from an operator",
    ),
    "a date": ("checked = 26", "checked=26: must be a date"),
    "a number for true": ("[refresh_token]\nreplaced = 1", "refresh_token.replaced=1: must be true or false"),
}
WRONG_ADDRESSES = {
    **dict.fromkeys(
        (
            *("acme.example", "ftp://acme.example", "http://acme.example", "https://", "https:///x", "https://a.b:x"),
            *(
                "https://user@acme.example",
                "https://acme.example/#canary",
                "https://ac me.example",
                "https://a.b\\@c.d",
            ),
            *("https://[fe80::1%25x]/", 'https://acme.example/"', "https://hö.example", "//acme.example"),
        ),
        "must be an address with https, without user or fragment",
    ),
    "https://{x}.acme.example/": "has {x} in its host, which must be one of `params`",
    "https://{clientId}.acme.example/": "has {clientId} in its host, which must be one of `params`",
    "https://acme.example/{x}": "holds {x}, which is no parameter and no value",
    "https://acme.example/{x}/{p}": "holds {x}, which is no parameter and no value",
    "https://acme.example/{base64(x)}": "holds {x}, which is no parameter and no value",
    "https://acme.example/{clientSecret}": "holds {clientSecret}, which is no parameter and no value",
    "https://{p}": "has {p} where it decides whose host it is, so `params.p.hosts` must be set",
    "https://acme.{p}/": "has {p} where it decides whose host it is, so `params.p.hosts` must be set",
    "https://www.{p}.com/": "has {p} where it decides whose host it is, so `params.p.hosts` must be set",
    "https://{p}:8443": "has {p} where it decides whose host it is, so `params.p.hosts` must be set",
    "{p}/token": "has {p} where it decides whose host it is, so `params.p.hosts` must be set",
}


class TestFaults:
    @pytest.mark.parametrize(("text", "fault"), WRONG.values(), ids=WRONG)
    def test_each_has_its_line(self, text: str, fault: str) -> None:
        kept = [line for line in LEAST.splitlines() if line.split(" = ")[0] != text.split(" = ", maxsplit=1)[0]]
        top = "" if text.startswith("[") else text
        found = faults("\n".join((top, *kept, "" if top else text)))
        assert [line for line in found if line.startswith(fault)], found

    @pytest.mark.parametrize("address", WRONG_ADDRESSES)
    @pytest.mark.parametrize("key", ["address.manage", "api.user"])
    def test_an_address_keeps_its_host(self, key: str, address: str) -> None:
        section, _, name = key.partition(".")
        added = f"{name} = '{address}'\n[params.p]\n"
        text = LEAST + (added if section == "address" else f"[{section}]\n{added}")
        assert faults(text) == [f"{key}: {WRONG_ADDRESSES[address]}"]
