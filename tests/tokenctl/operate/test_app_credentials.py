"""`tokenctl app-credentials`, and what doctor and status say of a stack whose app is one's own."""

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


@pytest.fixture
def bare(cloud: LocalCloud) -> Iterator[Stack]:
    with Stack(cloud, "figma").deployed() as stack:
        yield stack


@pytest.fixture
def app_credentials(tokenctl: Tokenctl, bare: Stack) -> Callable[..., Done]:
    """Run the command, and see that it shows nothing of what it was given."""

    def command(*options: str, stdin: str | bytes = "") -> Done:
        done = tokenctl("app-credentials", "--stage", bare.stage, *options, stdin=stdin)
        assert "canary" not in done.out + done.err
        return done

    return command


def held(bare: Stack) -> object:
    value = bare.cloud.client("secretsmanager").get_secret_value(SecretId=bare.output("AppSecretArn"))
    text = value["SecretString"]
    return json.loads(text) if text else None


def test_credentials_from_a_file_are_stored_as_the_function_reads_them(
    app_credentials: Callable[..., Done], bare: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "app.json"
    file.write_text(json.dumps({**APP, "note": "kept"}), encoding="utf-8-sig")
    done = app_credentials("--from", str(file), "--debug")
    assert (done.code, held(bare)) == (0, {**APP, "note": "kept"})
    assert f"Stored the app's credentials for {bare.name}: version " in done.out
    assert f"`tokenctl authorize --stage {bare.stage}`" in done.out
    assert f"{file} still holds the client secret: delete it." in done.err


def test_credentials_from_a_pipe_are_told_as_json_without_them(
    app_credentials: Callable[..., Done], bare: Stack
) -> None:
    done = app_credentials("--output", "json", stdin=json.dumps(APP))
    assert (done.code, done.err, held(bare)) == (0, "", APP)
    assert sorted(done.json) == ["secretArn", "stack", "versionId"]
    assert done.json["secretArn"] == bare.output("AppSecretArn")


WRONG: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "it is not a JSON object with `clientId` and `clientSecret`"),
    "not JSON": (f"{APP_ID}:{APP_SECRET}", "it is not a JSON object with"),
    "a list": (json.dumps([APP_ID, APP_SECRET]), "it is not a JSON object with"),
    "nested without end": ("[" * 100_000, "it is not a JSON object with"),
    "no secret": (json.dumps({"clientId": APP_ID}), "`clientSecret` must be a string"),
    "no id": (json.dumps({"clientSecret": APP_SECRET}), "`clientId` must be a string"),
    "blank": (json.dumps({**APP, "clientSecret": " "}), "`clientSecret` must be a string, not blank"),
    "a line break": (json.dumps({**APP, "clientSecret": f"{APP_SECRET}\n"}), "without blanks around it"),
    "a number": (json.dumps({**APP, "clientId": 7}), "`clientId` must be a string"),
    "half a character": (json.dumps({**APP, "clientSecret": "canary\ud800"}), "`clientSecret` must be a string"),
    "not text": (b"\xff\xfe\x00", "it is not UTF-8 text"),
}


@pytest.mark.parametrize(("given", "said"), WRONG.values(), ids=WRONG)
def test_what_are_no_credentials_is_refused_without_its_values(
    app_credentials: Callable[..., Done], bare: Stack, given: str | bytes, said: str
) -> None:
    done = app_credentials("--yes", stdin=given)
    assert (done.code, done.out, held(bare)) == (252, "", None)
    assert said in done.err
    assert done.err.endswith(" Nothing was stored.\n")


def test_a_file_that_is_not_there_is_a_usage_error(app_credentials: Callable[..., Done], tmp_path: Path) -> None:
    done = app_credentials("--from", str(tmp_path / "canary"))
    assert (done.code, "cannot be read (No such file or directory)" in done.err) == (252, True)


def test_with_nobody_to_ask_stored_credentials_stay_unless_yes_is_said(
    app_credentials: Callable[..., Done], bare: Stack
) -> None:
    bare.put_app("old", "old")
    done = app_credentials(stdin=json.dumps(APP))
    assert done.code == 252
    assert done.err.startswith(f"tokenctl: The stack {bare.name} has app credentials already. This replaces them;")
    assert held(bare) == {"clientId": "old", "clientSecret": "old"}
    assert app_credentials("--yes", stdin=json.dumps(APP)).code == 0
    assert held(bare) == APP


@pytest.mark.parametrize("agreed", [True, False])
def test_what_is_typed_is_not_shown_and_replaces_only_with_consent(
    bare: Stack, terminal_env: dict[str, str], *, agreed: bool
) -> None:
    bare.put_app("old", "old")
    done = on_terminal(
        terminal_env,
        *("app-credentials", "--stage", bare.stage),
        dialogue=[
            ("Client id of the app:", APP_ID),
            ("Client secret:", f"  {APP_SECRET} "),
            ("Go on? [y/N]", "y" if agreed else "n"),
        ],
    )
    assert done.code == (0 if agreed else 255)
    assert (held(bare) == APP) is agreed
    assert "canary" not in done.out


def test_where_amplify_holds_them_it_says_so_before_anything_is_read(tokenctl: Tokenctl) -> None:
    done = tokenctl("app-credentials", stdin=json.dumps(APP))
    assert done.code == 253
    assert done.err.startswith(
        "tokenctl: The stack RefreshToken-local has no place for an app's credentials: its issuer"
    )
    assert "`cdk deploy -c stage=local -c issuer=figma`" in done.err


def test_a_refusal_of_secrets_manager_that_repeats_the_secret_does_not_show_it(
    app_credentials: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = json.dumps({"__type": "AccessDeniedException", "message": f"no: {APP_ID} {APP_SECRET}"})
    with answering(400, said) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)
        done = app_credentials("--yes", stdin=json.dumps(APP))
    assert done.code == 254
    assert (
        "An error occurred (AccessDeniedException) when calling the PutSecretValue operation: no: *** ***." in done.err
    )


# --- doctor and status ----------------------------------------------------------------------------------------------


def doctor(tokenctl: Tokenctl, bare: Stack) -> Done:
    done = tokenctl("doctor", "--stage", bare.stage)
    assert "canary" not in done.out + done.err
    return done


def test_the_doctor_says_who_the_issuer_is_and_that_it_has_its_app(tokenctl: Tokenctl, bare: Stack) -> None:
    bare.put_app(APP_ID, APP_SECRET)
    done = doctor(tokenctl, bare)
    assert done.line("issuer") == f"OK    issuer        figma, at {bare.cloud.standin.url}."
    assert done.line("app secret") == "OK    app secret    holds the app's credentials."
    bare.set_environment(ISSUER="oauth2", OAUTH2_TOKEN_URL="https://login.example/token?tenant=1")
    assert doctor(tokenctl, bare).line("issuer") == "OK    issuer        oauth2, at https://login.example/token."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no app credentials yet."),
        ("canary", "does not hold them: it is not a JSON object"),
        ('{"clientId": "canary"}', "does not hold them: `clientSecret` must be a string"),
    ],
    ids=["empty", "not JSON", "no secret"],
)
def test_the_doctor_fails_without_credentials_and_names_the_command(
    tokenctl: Tokenctl, bare: Stack, text: str, said: str
) -> None:
    if text:
        bare.cloud.client("secretsmanager").put_secret_value(SecretId=bare.output("AppSecretArn"), SecretString=text)
    line = doctor(tokenctl, bare).line("app secret")
    assert line.startswith("FAIL  app secret    ")
    assert said in line
    assert line.endswith(f" Fix: `tokenctl app-credentials --stage {bare.stage}`.")


def test_the_doctor_fails_where_the_credentials_cannot_be_read(tokenctl: Tokenctl, bare: Stack) -> None:
    secrets, arn = bare.cloud.client("secretsmanager"), bare.output("AppSecretArn")
    secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
    try:
        line = doctor(tokenctl, bare).line("app secret")
    finally:
        secrets.restore_secret(SecretId=arn)
    assert line.startswith("FAIL  app secret    An error occurred (InvalidRequestException)")
    assert "app-credentials" not in line, "to store them again is no remedy"


def test_an_issuer_that_nobody_knows_is_not_guessed_at(tokenctl: Tokenctl, bare: Stack) -> None:
    bare.set_environment(ISSUER="canary")
    done = doctor(tokenctl, bare)
    assert done.line("issuer").startswith(
        "WARN  issuer        cannot be read: The function's ISSUER is none of amplify,"
    )


def test_a_region_without_amplify_is_right_for_another_issuer(tokenctl: Tokenctl) -> None:
    words = ("doctor", "--before-deployment", "--region", "ap-east-1", "--issuer")
    assert tokenctl(*words, "figma").line("region") == (
        "OK    region        ap-east-1 has no Amplify UI Builder, which the issuer figma does not need."
    )
    assert tokenctl(*words, "amplify").line("region").startswith("FAIL  region        ap-east-1 has no Amplify UI")
    assert tokenctl("doctor", "--issuer", "figma").code == 252


def test_a_region_without_amplify_is_right_for_a_stack_that_has_another_issuer(
    tokenctl: Tokenctl, bare: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boto3.Session.get_available_regions", lambda *_: [])
    assert doctor(tokenctl, bare).line("region").startswith("OK    region        us-east-1 has no Amplify UI Builder,")


def test_status_names_the_issuer(tokenctl: Tokenctl, bare: Stack, stack: Deployment) -> None:
    assert stack.outputs
    assert tokenctl("status", "--stage", bare.stage, "--output", "json").json["issuer"] == "figma"
    assert tokenctl("status", "--output", "json").json["issuer"] == "amplify"
    assert "\nissuer        figma " in tokenctl("status", "--stage", bare.stage).out


@pytest.mark.parametrize(("days", "level"), [(91, "OK  "), (89, "WARN"), (-1, "WARN")])
def test_the_doctor_warns_while_there_is_time_to_move_away_from_amplify(
    tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch, days: int, level: str
) -> None:
    ends = datetime.now(UTC) + timedelta(days=days)
    monkeypatch.setattr("tokenctl.stack.checks.AMPLIFY_ENDS", ends)
    line = tokenctl("doctor").line("issuer")
    assert line.startswith(f"{level}  issuer        amplify, whose API ends with Amplify Studio on {ends:%Y-%m-%d}.")
    assert ("From Amplify to Figma" in line) is (level == "WARN")
