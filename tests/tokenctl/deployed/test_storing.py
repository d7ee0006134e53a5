"""`tokenctl seed` and `tokenctl app-credentials`: what they store, what they refuse, and when they ask."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local.deployment import Deployment, pair_of
from refresh_token.oauth.addresses import authority
from refresh_token.signals import Log
from tests.support.bare_stack import Stack
from tests.support.command_line import Done, Tokenctl, on_terminal
from tests.support.deployed_stack import AwsAnswers, put_secret
from tests.support.processes import wait_until
from tests.support.windows import FRESH

pytestmark = pytest.mark.xdist_group("deployed")

ACCESS, REFRESH, CLIENT = "canary-access-token-of-a-test", "canary-refresh-token-of-a-test", "canary-client-id"
APP_SECRET = "canary-secret-of-an-app"
PAIR: dict[str, Any] = {"accessToken": ACCESS, "refreshToken": REFRESH, "clientId": CLIENT}
APP = {"clientId": CLIENT, "clientSecret": APP_SECRET}


class Kind(NamedTuple):
    """One of the two commands, the output that names its secret, a document to store, and how to type it."""

    command: str
    output: str
    document: dict[str, Any]
    dialogue: list[tuple[str, str]]


TYPED_APP = [("Client id of the app:", CLIENT), ("Client secret:", f"  {APP_SECRET} ")]
TYPED_PAIR = [("if you have none:", ACCESS), ("Refresh token:", f" {REFRESH} "), ("app needs one:", CLIENT)]
SEED = Kind("seed", "SecretArn", PAIR, [*TYPED_PAIR, ("unknown:", "")])
CREDENTIALS = Kind("app-credentials", "AppSecretArn", APP, TYPED_APP)


@dataclass(frozen=True)
class Storage:
    """A secret of a bare stack, and the command that stores something in it."""

    stack: Stack
    kind: Kind
    tokenctl: Tokenctl

    def __call__(self, *options: str, stdin: str | bytes = "") -> Done:
        done = self.tokenctl(self.kind.command, "--stage", self.stack.stage, *options, stdin=stdin)
        assert "canary" not in done.out + done.err
        return done

    def held(self) -> Any:
        secrets = self.stack.cloud.client("secretsmanager")
        text = secrets.get_secret_value(SecretId=self.stack.output(self.kind.output))["SecretString"]
        document = json.loads(text) if text else None
        if document:
            # Both commands note whose these are, and seed since when.
            assert document.pop("issuedBy") == {"issuer": "figma", "host": authority(self.stack.cloud.standin.url)}
            assert (document.pop("grantedAt", None) is not None) is (self.kind is SEED)
        return document

    def put_old(self) -> dict[str, Any]:
        old = dict.fromkeys(self.kind.document, "old")
        assert self("--yes", stdin=json.dumps(old)).code == 0
        return old


@pytest.fixture(params=[SEED, CREDENTIALS], ids=["seed", "app-credentials"])
def storage(request: pytest.FixtureRequest, bare: Stack, tokenctl: Tokenctl) -> Storage:
    return Storage(bare, request.param, tokenctl)


class TestBothCommands:
    def test_store_a_file_unchanged(self, storage: Storage, tmp_path: Path) -> None:
        document = {**storage.kind.document, "note": "kept"}
        file = tmp_path / "input.json"
        file.write_text(json.dumps(document), encoding="utf-8-sig")
        done = storage("--from", str(file), "--debug")
        assert (done.code, storage.held()) == (0, document)
        assert re.match(rf"Stored .* for {storage.stack.name}: version ", done.out)
        assert ("tokenctl authorize --stage" in done.out) is (storage.kind is CREDENTIALS)
        assert re.search(rf"{file} still holds the .*: delete it.", done.err)

    def test_report_as_json(self, storage: Storage) -> None:
        done = storage("--output", "json", stdin=json.dumps(storage.kind.document))
        assert (done.code, done.err, storage.held()) == (0, "", storage.kind.document)
        assert {"stack", "versionId"} <= set(done.json)

    def test_drop_pasted_white_space(self, storage: Storage) -> None:
        done = storage(
            "--yes", stdin=json.dumps({key: f" {value}\r\n" for key, value in storage.kind.document.items()})
        )
        assert (done.code, storage.held()) == (0, storage.kind.document)

    def test_refuse_a_missing_file(self, storage: Storage, tmp_path: Path) -> None:
        done = storage("--from", str(tmp_path / "canary"))
        assert (done.code, "cannot be read (No such file or directory)" in done.err) == (252, True)

    def test_need_yes_without_a_terminal(self, storage: Storage) -> None:
        old = storage.put_old()
        done = storage(stdin=json.dumps(storage.kind.document))
        assert (done.code, storage.held()) == (252, old)
        assert re.search(r"already (holds a token pair|has app credentials)", done.err)
        assert done.err.endswith("Nothing was changed. Add --yes to continue without a question.\n")
        assert storage("--yes", stdin=json.dumps(storage.kind.document)).code == 0
        assert storage.held() == storage.kind.document

    @pytest.mark.parametrize("agreed", [True, False])
    def test_hide_what_is_typed_and_ask(self, storage: Storage, terminal_env: dict[str, str], *, agreed: bool) -> None:
        old = storage.put_old()
        answer = ("Go on? [y/N]", "y" if agreed else "n")
        words = (storage.kind.command, "--stage", storage.stack.stage)
        done = on_terminal(terminal_env, *words, dialogue=[*storage.kind.dialogue, answer])
        assert done.code == (0 if agreed else 255), done.out
        assert storage.held() == (storage.kind.document if agreed else old)
        assert ("Stored" in done.out, "Nothing was changed" in done.out) == (agreed, not agreed)
        assert "canary" not in done.out

    def test_redact_an_echo_of_secrets_manager(self, storage: Storage, aws_answers: AwsAnswers) -> None:
        values = list(storage.kind.document.values())
        echo = {"__type": "AccessDeniedException", "message": f"no: {' '.join(values)}"}
        aws_answers("SECRETS_MANAGER", 400, json.dumps(echo))
        done = storage("--yes", stdin=json.dumps(storage.kind.document))
        assert done.code == 254
        assert f"when calling the PutSecretValue operation: no: {' '.join(['***'] * len(values))}." in done.err


WRONG: dict[str, tuple[Kind, str | bytes, str]] = {
    "no pair": (SEED, "", "There is no token pair in it"),
    "pair that is not JSON": (SEED, f"token={ACCESS}", "The input is not a token pair: it is not a JSON object."),
    "pair that is not text": (SEED, b"\xff\xfe\x00", "it is not UTF-8 text"),
    "no credentials": (CREDENTIALS, "", "it is not a JSON object with `clientId` and `clientSecret`"),
    "no secret": (CREDENTIALS, json.dumps({"clientId": CLIENT}), "`clientSecret` must be a non-empty string"),
    "credentials that are not text": (CREDENTIALS, b"\xff\xfe\x00", "it is not UTF-8 text"),
}
"""How the commands word each kind of fault; the parsers' own tests have the rest."""


@pytest.mark.parametrize(("kind", "text", "message"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_refused(tokenctl: Tokenctl, bare: Stack, kind: Kind, text: str | bytes, message: str) -> None:
    storage = Storage(bare, kind, tokenctl)
    done = storage("--yes", stdin=text)
    assert (done.code, done.out, storage.held()) == (252, "", None)
    assert message in done.err
    assert done.err.endswith(" Nothing was stored.\n")
    assert len(done.err.splitlines()) == 1


class TestSeed:
    def test_a_refresh_token_alone_is_enough(self, tokenctl: Tokenctl, bare: Stack) -> None:
        storage = Storage(bare, SEED, tokenctl)
        done = storage("--yes", stdin=json.dumps({"refreshToken": REFRESH}))
        assert (done.code, done.err, storage.held()) == (0, "", {"refreshToken": REFRESH})
        assert "no access token yet: the first request or run of the schedule gets one." in done.out

    @pytest.mark.parametrize(
        ("document", "message", "hint"),
        [
            (PAIR, "expires at an unknown time", ""),
            ({"accessToken": ACCESS, "refreshToken": REFRESH, "expiresIn": 7776000}, "in 90 days", ""),
            ({"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 864000, "x": 1}, "in 10 days", ""),
            ({**PAIR, "expiresAt": "2099-01-02T03:04:05Z"}, "in 400 days", "it counts as 400 days from now"),
            ({**PAIR, "expiresAt": "2001-02-03"}, "window expired", "has already expired"),
        ],
        ids=["ours", "ExchangeCodeForToken", "Figma's own", "too late", "too early"],
    )
    def test_reports_the_expiry(
        self, tokenctl: Tokenctl, bare: Stack, document: dict[str, Any], message: str, hint: str
    ) -> None:
        storage = Storage(bare, SEED, tokenctl)
        done = storage(stdin=json.dumps(document))
        assert (done.code, storage.held()) == (0, document)
        assert message in done.out
        assert hint in done.err if hint else done.err == ""

    def test_takes_a_typed_expiry(self, bare: Stack, tokenctl: Tokenctl, terminal_env: dict[str, str]) -> None:
        words = ("seed", "--stage", bare.stage)
        assert on_terminal(terminal_env, *words, dialogue=[*TYPED_PAIR, ("unknown:", "900")]).code == 0
        assert Storage(bare, SEED, tokenctl).held() == {**PAIR, "expiresIn": 900}

    @pytest.mark.parametrize("options", [(), ("--from", "-", "--yes")])
    def test_is_what_the_function_uses(self, tokenctl: Tokenctl, stack: Deployment, options: tuple[str, ...]) -> None:
        put_secret(stack, SecretString="{}")
        grant = stack.cloud.standin.grant()
        done = tokenctl("seed", *options, stdin=pair_of(grant, expires_in=FRESH))
        assert (done.code, done.err) == (0, "")
        assert "window fresh" in done.out
        assert stack.invoke({}).payload["accessToken"] == grant.access_token
        wait_until(lambda: Log.TOKEN_CHECKED in tokenctl("logs", "--find", stack.current()[0]).out)

    def test_restores_an_earlier_version(self, tokenctl: Tokenctl, bare: Stack) -> None:
        storage = Storage(bare, SEED, tokenctl)
        bare.put({**PAIR, "expiresIn": 864000})
        bare.put({"accessToken": "by hand"})
        for options in (("--from", "-"), ("--from-version", "canary")):
            assert storage("--yes", "--from-version", "AWSCURRENT"[:1], *options).code == 252
        assert storage("--yes", "--from-version", "AWSPREVIOUS").code == 0
        held = storage.held()
        assert datetime.fromisoformat(held.pop("refreshedAt")) <= datetime.now(UTC)
        assert held == {**PAIR, "expiresIn": 864000}

    def test_without_a_stack_says_how_to_deploy(self, tokenctl: Tokenctl) -> None:
        done = tokenctl("seed", "--stage", "nowhere", stdin=json.dumps(PAIR))
        assert (done.code, len(done.err.splitlines())) == (253, 1)
        assert "cdk deploy -c stage=nowhere" in done.err


ELSEWHERE = {"issuedBy": {"issuer": "oauth2", "host": "login.example"}}


class TestWhatBelongsElsewhere:
    def test_is_not_stored(self, storage: Storage) -> None:
        done = storage("--yes", stdin=json.dumps({**storage.kind.document, **ELSEWHERE}))
        assert (done.code, storage.held()) == (252, None)
        assert "oauth2 (login.example)" in done.err
        assert "Nothing was stored." in done.err

    def test_is_named_before_it_is_replaced(self, storage: Storage) -> None:
        text = json.dumps({**storage.kind.document, **ELSEWHERE})
        arn = storage.stack.output(storage.kind.output)
        storage.stack.cloud.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=text)
        done = storage(stdin=json.dumps(storage.kind.document))
        assert (done.code, " of oauth2 (login.example)" in done.err) == (252, True)

    def test_is_what_doctor_and_status_name(self, storage: Storage, tokenctl: Tokenctl) -> None:
        text = json.dumps({**storage.kind.document, **ELSEWHERE})
        arn = storage.stack.output(storage.kind.output)
        storage.stack.cloud.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=text)
        check, command = ("secret", "authorize") if storage.kind is SEED else ("app secret", "app-credentials")
        done = tokenctl("doctor", "--stage", storage.stack.stage)
        assert done.line(check).startswith(f"FAIL  {check} ")
        for part in ("belong", "oauth2 (login.example)", f"tokenctl {command} --stage {storage.stack.stage}"):
            assert part in done.line(check)
        shown = tokenctl("status", "--stage", storage.stack.stage).out
        assert ("belongs to oauth2 (login.example)" in shown) is (storage.kind is SEED)
        assert ("it cannot be refreshed: sign in again" in shown) is (storage.kind is SEED)


def test_figma_ids_with_a_colon_are_refused(tokenctl: Tokenctl, bare: Stack) -> None:
    storage = Storage(bare, CREDENTIALS, tokenctl)
    done = storage(stdin=json.dumps({**APP, "clientId": "canary:id"}))
    assert (done.code, storage.held()) == (252, None)
    assert "the client id contains a colon" in done.err
    bare.put_app("canary:id", APP_SECRET)
    line = tokenctl("doctor", "--stage", bare.stage).line("app secret")
    assert line.startswith("FAIL  app secret    the app's credentials cannot be used: the client id contains a colon")


class TestANamedFunction:
    def test_decides_which_secret_is_written(self, storage: Storage, tokenctl: Tokenctl) -> None:
        arns = {"SECRET_ARN": storage.stack.secret, "APP_SECRET_ARN": storage.stack.output("AppSecretArn")}
        url = storage.stack.cloud.standin.url
        storage.stack.set_environment(ISSUER="figma", FIGMA_BASE_URL=url, **arns)
        done = tokenctl(
            storage.kind.command, "--function-name", storage.stack.name, stdin=json.dumps(storage.kind.document)
        )
        assert (done.code, storage.held()) == (0, storage.kind.document)
        for command in ("status", "doctor"):
            shown = tokenctl(command, "--function-name", storage.stack.name)
            assert "RefreshToken-local" not in shown.out + shown.err

    def test_must_be_that_of_a_given_stage(self, storage: Storage, tokenctl: Tokenctl) -> None:
        words = (storage.kind.command, "--function-name", storage.stack.name, "--stage", "local")
        done = tokenctl(*words, stdin=json.dumps(storage.kind.document))
        assert (done.code, storage.held()) == (252, None)
        assert "--function-name is not the function of RefreshToken-local." in done.err


def test_app_credentials_have_no_place_with_amplify(tokenctl: Tokenctl) -> None:
    done = tokenctl("app-credentials", stdin=json.dumps(APP))
    assert done.code == 253
    message = "tokenctl: The stack RefreshToken-local has no secret for an app's credentials: its issuer"
    assert done.err.startswith(message)
    assert re.search(r"`cdk deploy -c stage=local -c amplifyuibuilder_endpoint_url=\S+ .* -c issuer=figma`", done.err)


PROFILES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "refresh_token": (PAIR, {"headers": {"Client-Id": "acme-app"}, "base": "https://eu.acme.example/v1"}),
    "token_exchange": ({"accessToken": ACCESS}, {"headers": {"Client-Id": "acme-app"}}),
    "client_credentials": ({}, {"headers": {"Client-Id": "acme-app"}}),
}
"""By grant: a document to seed, and how consumers then call the API."""


@pytest.mark.parametrize("grant", PROFILES)
def test_seed_notes_how_the_api_is_called(grant: str, bare: Stack, tokenctl: Tokenctl) -> None:
    document, api = PROFILES[grant]
    values = {"values": {"region": "eu"}} if "base" in api else {}
    profile = {
        "name": "acme",
        "title": "Acme",
        "grant": grant,
        "address": {"token": "https://acme.example/token"},
        "params": {"region": {"answer": "region"}},
        "api": {"base": "https://{region}.acme.example/v1", "headers": {"Client-Id": "{clientId}"}},
    }
    bare.set_environment(ISSUER="acme", ISSUER_GRANT=grant, ISSUER_PROFILE=json.dumps(profile))
    bare.put_app("acme-app", APP_SECRET)
    done = tokenctl("seed", "--stage", bare.stage, "--yes", stdin=json.dumps({**document, **values}))
    assert (done.code, "canary" in done.out + done.err) == (0, False), done.err
    stored = bare.stored()
    assert stored
    assert {key: stored.get(key) for key in document} == document
    assert stored["api"] == api
