"""`tokenctl app-credentials`, and what doctor and status say about a stack with an app of your own."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.cloud import LocalCloud
from local.deployment import Deployment
from tests.support.bare_stack import Stack
from tests.support.command_line import Done, Tokenctl, on_terminal
from tests.support.http_server import answering

pytestmark = pytest.mark.xdist_group("stack")

APP_ID, APP_SECRET = "canary-id-of-an-app", "canary-secret-of-an-app"
APP = {"clientId": APP_ID, "clientSecret": APP_SECRET}
OLD = {"clientId": "old", "clientSecret": "old"}

Command = Callable[..., Done]


@pytest.fixture
def bare(cloud: LocalCloud) -> Iterator[Stack]:
    with Stack(cloud, "figma").deployed() as stack:
        yield stack


@pytest.fixture
def on_bare(tokenctl: Tokenctl, bare: Stack) -> Command:
    """Run a command on the bare stack, and check that it shows no credentials."""

    def command(*words: str, stdin: str | bytes = "") -> Done:
        done = tokenctl(*words, "--stage", bare.stage, stdin=stdin)
        assert "canary" not in done.out + done.err
        return done

    return command


def held(bare: Stack) -> object:
    value = bare.cloud.client("secretsmanager").get_secret_value(SecretId=bare.output("AppSecretArn"))
    text = value["SecretString"]
    return json.loads(text) if text else None


WRONG: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "it is not a JSON object with `clientId` and `clientSecret`"),
    "not JSON": (f"{APP_ID}:{APP_SECRET}", "it is not a JSON object with"),
    "no secret": (json.dumps({"clientId": APP_ID}), "`clientSecret` must be a non-empty string"),
    "a line break": (json.dumps({**APP, "clientSecret": f"{APP_SECRET}\n"}), "`clientSecret` must be a non-empty"),
    "not text": (b"\xff\xfe\x00", "it is not UTF-8 text"),
}
"""How the command words each kind of fault; the parser's own tests have the rest."""


class TestStoring:
    def test_a_file_is_stored_unchanged(self, on_bare: Command, bare: Stack, tmp_path: Path) -> None:
        file = tmp_path / "app.json"
        file.write_text(json.dumps({**APP, "note": "kept"}), encoding="utf-8-sig")
        done = on_bare("app-credentials", "--from", str(file), "--debug")
        assert (done.code, held(bare)) == (0, {**APP, "note": "kept"})
        assert f"Stored the app's credentials for {bare.name}: version " in done.out
        assert f"`tokenctl authorize --stage {bare.stage}`" in done.out
        assert f"{file} still holds the client secret: delete it." in done.err

    def test_a_pipe_is_reported_as_json(self, on_bare: Command, bare: Stack) -> None:
        done = on_bare("app-credentials", "--output", "json", stdin=json.dumps(APP))
        assert (done.code, done.err, held(bare)) == (0, "", APP)
        assert sorted(done.json) == ["secretArn", "stack", "versionId"]
        assert done.json["secretArn"] == bare.output("AppSecretArn")

    @pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
    def test_anything_else_is_refused_without_values(
        self, on_bare: Command, bare: Stack, text: str | bytes, message: str
    ) -> None:
        done = on_bare("app-credentials", "--yes", stdin=text)
        assert (done.code, done.out, held(bare)) == (252, "", None)
        assert message in done.err
        assert done.err.endswith(" Nothing was stored.\n")

    def test_a_missing_file_is_a_usage_error(self, on_bare: Command, tmp_path: Path) -> None:
        done = on_bare("app-credentials", "--from", str(tmp_path / "canary"))
        assert (done.code, "cannot be read (No such file or directory)" in done.err) == (252, True)

    def test_replacing_needs_yes_without_a_terminal(self, on_bare: Command, bare: Stack) -> None:
        bare.put_app("old", "old")
        done = on_bare("app-credentials", stdin=json.dumps(APP))
        assert (done.code, held(bare)) == (252, OLD)
        assert done.err.startswith(f"tokenctl: The stack {bare.name} already has app credentials. This replaces them;")
        assert on_bare("app-credentials", "--yes", stdin=json.dumps(APP)).code == 0
        assert held(bare) == APP

    @pytest.mark.parametrize("agreed", [True, False])
    def test_typed_ones_are_hidden_and_confirmed(
        self, bare: Stack, terminal_env: dict[str, str], *, agreed: bool
    ) -> None:
        bare.put_app("old", "old")
        typed = [("Client id of the app:", APP_ID), ("Client secret:", f"  {APP_SECRET} ")]
        words = ("app-credentials", "--stage", bare.stage)
        done = on_terminal(terminal_env, *words, dialogue=[*typed, ("Go on? [y/N]", "y" if agreed else "n")])
        assert done.code == (0 if agreed else 255)
        assert held(bare) == (APP if agreed else OLD)
        assert "canary" not in done.out

    def test_amplify_has_no_place_for_them(self, tokenctl: Tokenctl) -> None:
        done = tokenctl("app-credentials", stdin=json.dumps(APP))
        assert done.code == 253
        message = "tokenctl: The stack RefreshToken-local has no secret for an app's credentials: its issuer"
        assert done.err.startswith(message)
        assert "`cdk deploy -c stage=local -c issuer=figma`" in done.err

    def test_an_echo_of_secrets_manager_is_redacted(self, on_bare: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        echo = json.dumps({"__type": "AccessDeniedException", "message": f"no: {APP_ID} {APP_SECRET}"})
        with answering(400, echo) as url:
            monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)
            done = on_bare("app-credentials", "--yes", stdin=json.dumps(APP))
        assert done.code == 254
        assert "(AccessDeniedException) when calling the PutSecretValue operation: no: *** ***." in done.err


class TestDoctor:
    def test_names_issuer_and_stored_app(self, on_bare: Command, bare: Stack) -> None:
        bare.put_app(APP_ID, APP_SECRET)
        done = on_bare("doctor")
        assert done.line("issuer") == f"OK    issuer        figma, at {bare.cloud.standin.url}."
        assert done.line("app secret") == "OK    app secret    holds the app's credentials."
        bare.set_environment(ISSUER="oauth2", OAUTH2_TOKEN_URL="https://login.example/token?tenant=1")
        assert on_bare("doctor").line("issuer") == "OK    issuer        oauth2, at https://login.example/token."

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "has no app credentials yet."),
            ("canary", "does not hold them: it is not a JSON object"),
            ('{"clientId": "canary"}', "does not hold them: `clientSecret` must be a non-empty string"),
        ],
        ids=["empty", "not JSON", "no secret"],
    )
    def test_fails_without_credentials(self, on_bare: Command, bare: Stack, text: str, message: str) -> None:
        if text:
            secrets = bare.cloud.client("secretsmanager")
            secrets.put_secret_value(SecretId=bare.output("AppSecretArn"), SecretString=text)
        line = on_bare("doctor").line("app secret")
        assert line.startswith("FAIL  app secret    ")
        assert message in line
        assert line.endswith(f" Fix: `tokenctl app-credentials --stage {bare.stage}`.")

    def test_fails_if_they_cannot_be_read(self, on_bare: Command, bare: Stack) -> None:
        secrets, arn = bare.cloud.client("secretsmanager"), bare.output("AppSecretArn")
        secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
        try:
            line = on_bare("doctor").line("app secret")
        finally:
            secrets.restore_secret(SecretId=arn)
        assert line.startswith("FAIL  app secret    An error occurred (InvalidRequestException)")
        assert "app-credentials" not in line, "storing them again would not help"

    @pytest.mark.parametrize(
        ("variables", "message"),
        [
            ({"ISSUER": "canary"}, "The function's ISSUER is none of amplify,"),
            ({"ISSUER": "oauth2"}, "The function's environment is wrong: OAUTH2_TOKEN_URL must be set"),
        ],
        ids=["unknown", "incomplete"],
    )
    def test_does_not_guess_an_issuer(
        self, on_bare: Command, bare: Stack, variables: dict[str, str], message: str
    ) -> None:
        bare.set_environment(**variables)
        assert on_bare("doctor").line("issuer").startswith(f"WARN  issuer        cannot be read: {message}")

    def test_region_must_suit_the_planned_issuer(self, tokenctl: Tokenctl) -> None:
        words = ("doctor", "--before-deployment", "--region", "ap-east-1", "--issuer")
        assert tokenctl(*words, "figma").line("region") == (
            "OK    region        ap-east-1 has no Amplify UI Builder, which the issuer figma does not need."
        )
        assert tokenctl(*words, "amplify").line("region").startswith("FAIL  region        ap-east-1 has no Amplify UI")
        assert tokenctl("doctor", "--issuer", "figma").code == 252

    def test_region_must_suit_the_deployed_issuer(self, on_bare: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("boto3.Session.get_available_regions", lambda *_: [])
        assert on_bare("doctor").line("region").startswith("OK    region        us-east-1 has no Amplify UI Builder,")

    @pytest.mark.parametrize(("days", "level"), [(91, "OK  "), (89, "WARN"), (-1, "WARN")])
    def test_warns_in_time_before_amplify_ends(
        self, tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch, days: int, level: str
    ) -> None:
        ends = datetime.now(UTC) + timedelta(days=days)
        monkeypatch.setattr("tokenctl.checks.stack.AMPLIFY_ENDS", ends)
        line = tokenctl("doctor").line("issuer")
        message = f"{level}  issuer        amplify, whose API ends with Amplify Studio on {ends:%Y-%m-%d}."
        assert line.startswith(message)
        assert ("From Amplify to Figma" in line) is (level == "WARN")


def test_status_names_the_issuer(tokenctl: Tokenctl, bare: Stack, stack: Deployment) -> None:
    assert stack.outputs
    assert tokenctl("status", "--stage", bare.stage, "--output", "json").json["issuer"] == "figma"
    assert tokenctl("status", "--output", "json").json["issuer"] == "amplify"
    assert "\nissuer        figma " in tokenctl("status", "--stage", bare.stage).out
