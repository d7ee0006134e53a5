"""How parameters are given and answers shown where the AWS CLI of PyPI cannot be compared: YAML, errors, formats."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.aws_endpoints import Function
from tests.support.command_line import Done, Tokenctl
from tokenctl.aws_style.yaml_1_2 import load

TOKEN = "figr_canary-token-0123456789"
CLIENT = "client-canary-0123456789"
FIGMA = ("--provider", "figma", "--refresh-token-body", "token=abcd")
YAML_SKELETON = """\
provider: figma  # [REQUIRED] The third-party provider for the token. Valid values are: figma.
refreshTokenBody: # [REQUIRED] Information about the refresh token request.
  token: ''  # [REQUIRED] The token to use to refresh a previously issued access token that might have expired.
  clientId: '' # The ID of the client to request the token from.
"""


Call = Callable[..., Done]


@pytest.fixture
def call(tokenctl: Tokenctl, function: Function) -> Call:
    to = ("--endpoint-url", function.url, "--function-name", "refresh")
    return lambda *words, stdin="": tokenctl("refresh-token", *words, *to, stdin=stdin)


class TestYamlInput:
    @pytest.mark.parametrize(
        "text",
        [
            f"provider: figma\nrefreshTokenBody:\n  token: {TOKEN} # note\n  clientId: '{CLIENT}'\n",
            f'{{"provider": "figma", "refreshTokenBody": {{"token": "{TOKEN}", "clientId": "{CLIENT}"}}}}',
        ],
        ids=["blocks", "json"],
    )
    @pytest.mark.parametrize("source", ["text", "file", "standard input"])
    def test_gives_all_parameters(self, call: Call, function: Function, tmp_path: Path, text: str, source: str) -> None:
        function.will_answer({"accessToken": "a", "expiresIn": 5})
        (tmp_path / "call.yaml").write_text(text)
        given = {"text": text, "file": f"file://{tmp_path}/call.yaml", "standard input": "file:///dev/stdin"}[source]
        done = call("--cli-input-yaml", given, stdin=text)
        assert done.code == 0
        assert function.payloads == [{"provider": "figma", "refreshTokenBody": {"token": TOKEN, "clientId": CLIENT}}]
        assert ("warning" in done.err) is (source == "text")

    def test_skeleton_can_be_given_back(self, call: Call, function: Function) -> None:
        skeleton = call("--generate-cli-skeleton", "yaml-input").out
        assert skeleton == YAML_SKELETON
        function.will_answer({"accessToken": "a", "expiresIn": 5})
        assert call("--cli-input-yaml", "file:///dev/stdin", stdin=skeleton).code == 0
        assert function.payloads == [{"provider": "figma", "refreshTokenBody": {"token": ""}}]

    @pytest.mark.parametrize("scalar", ["yes", "on", "No", "12:30:45", "1.2.3", "0xg", "figd_1", "."])
    def test_version_1_2_reads_as_text(self, scalar: str) -> None:
        assert load(f"k: {scalar}") == {"k": scalar}

    @pytest.mark.parametrize(
        "scalar", ["true", "False", "1", "-1", "0o17", "0x1F", "1e5", ".5", ".inf", "~", "null", "2030-01-01", ""]
    )
    def test_version_1_2_does_not_read_as_text(self, scalar: str) -> None:
        assert not isinstance(load(f"k: {scalar}")["k"], str)

    @pytest.mark.parametrize("text", ["!!python/object/apply:os.getcwd []", "a: !b c", "a\n---\nb", "a: *b", "a: ="])
    def test_more_than_one_document_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="not YAML"):
            load(text)


WRONG: list[tuple[tuple[str, ...], str]] = [
    (("--cli-input-yaml", "a: [figr_canary"), "this is not YAML"),
    (("--cli-input-yaml", "a: figr_canary\na: b"), "this is not YAML"),
    (("--cli-input-yaml", "figr_canary"), "expected a map of parameters"),
    (("--cli-input-yaml", ""), "expected a map of parameters"),
    (("--cli-input-json", "[]"), "expected a map of parameters"),
    (("--cli-input-yaml", "refreshTokenBody: {token: 987654321}"), "refreshTokenBody.token must be a string"),
    (("--cli-input-yaml", "provider: figma\nfigr_canary9: 1"), "(not a name) is not known"),
    (("--cli-input-yaml", "provider: [figma]\nrefreshTokenBody: figr_canary"), "refreshTokenBody must be a map"),
    (("--cli-input-json", "{}", "--cli-input-yaml", "{}"), "Only one of --cli-input-json and --cli-input-yaml"),
    (("--refresh-token-body", "fileb:///dev/null"), "use file://"),
    (("--refresh-token-body", "figr_canary"), "expected '='"),
    (("--refresh-token-body", "figr_canary9=1"), "(not a name) is not known"),
    (("--refresh-token-body", "a=figr_canary,a=figr_canary"), "`a` is given twice"),
    (("--refresh-token-body", "token@=file:///nothing"), "file:// cannot be read (No such"),
    (("--refresh-token-body", '{"token": figr_canary}'), "not JSON (line 1, column 11)"),
    (("--refresh-token-body", "[" * 100_000), "not JSON"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_wrong_parameters_are_named(call: Call, function: Function, words: tuple[str, ...], message: str) -> None:
    provider = ("--provider", "figma") if words[0] == "--refresh-token-body" else ()
    for debug in ((), ("--debug",)):
        done = call(*words, *provider, *debug)
        assert done.code == 252
        assert message in done.err
        assert "canary" not in done.err
        assert "987654321" not in done.err
    assert function.payloads == []


class TestTheFormat:
    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            ((), "accessToken: figd_ü\nexpiresIn: 5\n"),
            (("--query", "accessToken"), '"figd_ü"\n'),
            (("--query", "nothing"), "null\n"),
            (("--query", "[expiresIn, nothing]"), "- 5\n- null\n"),
        ],
    )
    def test_yaml_is_version_2s(self, call: Call, function: Function, query: tuple[str, ...], shown: str) -> None:
        function.will_answer({"accessToken": "figd_ü", "expiresIn": 5})
        done = call(*FIGMA, "--output", "yaml", *query)
        assert (done.code, done.out) == (0, shown)

    def test_environment_or_profile_sets_it(self, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "config").write_text("[default]\noutput = text\n[profile other]\noutput = nonsense\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        sample = (*FIGMA, "--generate-cli-skeleton", "output")
        assert call(*sample).out == "accessToken\t0\n"
        assert call(*sample, "--profile", "other").code == 253
        assert call(*sample, "--profile", "other", "--output", "yaml").code == 0
        monkeypatch.setenv("AWS_DEFAULT_OUTPUT", "yaml")
        assert call(*sample).out == "accessToken: accessToken\nexpiresIn: 0\n"

    @pytest.mark.parametrize("configured", ["yaml_stream", "off"])
    def test_is_checked_before_the_call(
        self, call: Call, function: Function, monkeypatch: pytest.MonkeyPatch, configured: str
    ) -> None:
        monkeypatch.setenv("AWS_DEFAULT_OUTPUT", configured)
        assert call(*FIGMA).code == 253
        assert function.payloads == []
