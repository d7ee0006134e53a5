"""`tokenctl providers`: the catalogue, one provider, and a profile in a file."""

from pathlib import Path

import pytest

from refresh_token.oauth import catalogue
from refresh_token.oauth.issuers import NAMES
from refresh_token.oauth.templates import names
from tests.support.command_line import Tokenctl

HEAD = 'name = "acme"\ntitle = "Acme"\ngrant = "refresh_token"\n'
TOKEN = 'token = "https://acme.example/token"\n'
CANARY = "figr_canary9"


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "acme.toml"


class TestTheCatalogue:
    def test_list_has_a_row_for_each(self, tokenctl: Tokenctl) -> None:
        listed = tokenctl("providers", "list", "--output", "json").json
        assert tuple(row["name"] for row in listed) == catalogue.names()
        linear = next(line for line in tokenctl("providers", "list").out.splitlines() if line.startswith("linear "))
        assert linear.split()[1:3] == ["Linear", "refresh_token"]

    def test_options_may_stand_before_the_command(self, tokenctl: Tokenctl) -> None:
        words = ("--region", "eu-west-1", "--output", "text", "providers", "list", "--query")
        assert tokenctl(*words, "[?name=='linear'].title").out == "Linear\n"

    @pytest.mark.parametrize("name", sorted({*catalogue.names()} - {*NAMES}))  # figma is an issuer of its own, too
    def test_each_is_shown_with_what_it_sends(self, tokenctl: Tokenctl, name: str) -> None:
        shown = tokenctl("providers", "show", name, "--output", "json").json
        text = tokenctl("providers", "show", name).out
        assert all(address in text for address in shown["addresses"].values())
        assert all(param["name"] in text for param in shown["params"])
        checked = tokenctl("providers", "check", str(catalogue.FOLDER / f"{name}.toml"), "--output", "json").json
        sent = {request["address"] for request in checked["requests"]}
        assert sent <= {*shown["addresses"].values()}
        assert checked["valid"]
        assert checked["requests"] or checked["jwt"]


class TestOneProvider:
    def test_says_what_to_set(self, tokenctl: Tokenctl) -> None:
        out = " ".join(tokenctl("providers", "show", "zendesk").out.split())
        for part in (
            "set issuer=zendesk",
            "rests on a document of the provider's, read on ",
            "param subdomain the part before .zendesk.com (required, in issuer_params)",
            "app's secret clientId, clientSecret",
            "is replaced by each refresh; dies after 30 days without a refresh",
        ):
            assert part in out

    def test_in_a_file_that_nobody_has_tried(self, tokenctl: Tokenctl, file: Path) -> None:
        file.write_text(f"{HEAD}[address]\n{TOKEN}")
        assert "rests on           nothing yet: nobody has tried it. If something" in (
            tokenctl("providers", "show", str(file)).out
        )


class TestAProfileInAFile:
    def test_without_faults_shows_its_requests(self, tokenctl: Tokenctl, file: Path) -> None:
        more = """
            authorize = "https://{tenant}.acme.example/authorize"
            revoke = "https://acme.example/revoke"
            [params.tenant]
            [client]
            keys = ["apiKey"]
            [refresh]
            parameters = { signed = "{base64(clientId:apiKey)}" }
            headers = { "Acme-Key" = "{apiKey}" }
            [revoke]
            names = { token = "the_token" }
        """
        file.write_text(f"{HEAD}[address]\n{TOKEN}{more}")
        done = tokenctl("providers", "check", str(file))
        assert done.code == 0
        requests = done.out.partition("It sends:\n")[2]
        assert requests.startswith("sign-in: GET https://{tenant}.acme.example/authorize (query)\n")
        assert (
            """
refresh: POST https://acme.example/token (form)
    Authorization: Basic base64({clientId}:{clientSecret})
    Acme-Key: {apiKey}
    grant_type = refresh_token
    refresh_token = {refresh_token}
    signed = base64({clientId}:{apiKey})
revoke: POST https://acme.example/revoke (form)
    Authorization: Basic base64({clientId}:{clientSecret})
    the_token = {refresh_token}
"""
            in requests
        )
        assert {"clientId", "apiKey", "state", "code_verifier"} < names(requests)

    @pytest.mark.parametrize(
        ("text", "faults"),
        [
            (
                f"{HEAD}colour = 1\n[address]\n{TOKEN}[request]\nformat = 'xml'",
                ["colour: is no key", "request.format=xml: "],
            ),
            (HEAD.replace("acme", "oauth2") + f"[address]\n{TOKEN}", ["name=oauth2: is an issuer of its own. "]),
            ("name =", ["the file is not TOML: "]),
            (f"{HEAD}[request]\nparameters = ['{CANARY}']", ["request.parameters=…: must be"]),
        ],
    )
    def test_with_faults_has_a_line_for_each(
        self, tokenctl: Tokenctl, file: Path, text: str, faults: list[str]
    ) -> None:
        file.write_text(text)
        done = tokenctl("providers", "check", str(file))
        found = done.out.splitlines()
        assert [line[: len(fault)] for line, fault in zip(found, faults, strict=True)] == faults
        count = f"{len(faults)} fault{'s' * (len(faults) > 1)}"
        assert (done.code, done.err) == (252, f"tokenctl: The profile has {count}. Nothing can be deployed with it.\n")
        structured = tokenctl("providers", "check", str(file), "--output", "json")
        assert (structured.code, structured.json["valid"], structured.json["faults"]) == (252, False, found)
        assert f"The profile has {count}. `tokenctl providers check`" in tokenctl("providers", "show", str(file)).err
        assert CANARY not in done.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show", "linaer"), "The catalogue has no such provider. Did you mean linear? `tokenctl providers list` "),
        (("show", CANARY), "The catalogue has no such provider. `tokenctl providers list` "),
        (("show", f"./{CANARY}"), "The file cannot be read (No such file or directory). Name the file "),
        (("check", "linear"), "The file cannot be read (No such file or directory). Name the file "),
        (("show",), "`show` and `check` take a profile, `list` takes none. "),
        (("list", CANARY), "`show` and `check` take a profile, `list` takes none. "),
    ],
)
def test_what_is_no_profile_is_refused(tokenctl: Tokenctl, words: tuple[str, ...], message: str) -> None:
    done = tokenctl("providers", *words)
    assert (done.code, done.out) == (252, "")
    assert done.err.startswith(f"tokenctl: {message}")
    assert CANARY not in done.err
