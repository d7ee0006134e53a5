"""What doctor and status say about a stack with an app of your own."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from local.deployment import Deployment
from refresh_token.core.windows import iso_utc
from refresh_token.oauth.profile_file import to_compact_json
from tests.support.bare_stack import Stack
from tests.support.command_line import Done, Tokenctl
from tokenctl.checks.check import Check
from tokenctl.checks.policy import check_policy
from tokenctl.checks.stack import check_issuer
from tokenctl.checks.token import check_grant, check_window
from tokenctl.stack.deployed_stack import DeployedStack

pytestmark = pytest.mark.xdist_group("deployed")

APP_ID, APP_SECRET = "canary-id-of-an-app", "canary-secret-of-an-app"

Command = Callable[..., Done]


@pytest.fixture
def on_bare(tokenctl: Tokenctl, bare: Stack) -> Command:
    """Run a command on the bare stack, and check that it shows no credentials."""

    def command(*words: str, stdin: str | bytes = "") -> Done:
        done = tokenctl(*words, "--stage", bare.stage, stdin=stdin)
        assert "canary" not in done.out + done.err
        return done

    return command


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
        assert line.startswith("FAIL  app secret    The secret RefreshToken-")
        assert line.endswith(f" is scheduled for deletion. Fix: `tokenctl repair --stage {bare.stage}`.")
        assert "app-credentials" not in line, "storing them again would not help"

    @pytest.mark.parametrize(
        ("variables", "message"),
        [
            ({"ISSUER": "canary"}, "The function's ISSUER is not one of amplify,"),
            ({"ISSUER": "oauth2"}, "The function's environment is wrong: OAUTH2_TOKEN_URL must be set"),
        ],
        ids=["unknown", "incomplete"],
    )
    def test_guesses_no_issuer(self, on_bare: Command, bare: Stack, variables: dict[str, str], message: str) -> None:
        bare.set_environment(**variables)
        assert on_bare("doctor").line("issuer").startswith(f"WARN  issuer        {message}")

    def test_region_must_suit_the_planned_issuer(self, tokenctl: Tokenctl) -> None:
        words = ("doctor", "--before-deployment", "--region", "ap-east-1", "--issuer")
        for issuer in ("figma", "static"):
            expected = f"OK    region        ap-east-1; the issuer {issuer} works in every region."
            assert tokenctl(*words, issuer).line("region") == expected
        assert tokenctl(*words, "amplify").line("region").startswith("FAIL  region        ap-east-1 has no Amplify UI")
        assert tokenctl("doctor", "--issuer", "figma").code == 252

    def test_region_must_suit_the_deployed_issuer(self, on_bare: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("boto3.Session.get_available_regions", lambda *_: [])
        assert on_bare("doctor").line("region").startswith("OK    region        us-east-1; the issuer figma")

    @pytest.mark.parametrize(("days", "urgent"), [(91, False), (89, True), (-1, True)])
    @pytest.mark.usefixtures("fresh")
    def test_warns_in_time_before_amplify_ends(
        self, tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch, days: int, *, urgent: bool
    ) -> None:
        ends = datetime.now(UTC) + timedelta(days=days)
        monkeypatch.setattr("tokenctl.checks.stack.AMPLIFY_ENDS", ends)
        monkeypatch.setattr("tokenctl.commands.doctor.AFTER_DEPLOYMENT", [Check("issuer", (), check_issuer)])
        done = tokenctl("doctor")
        message = (
            f"WARN  issuer        amplify, whose API ends with Amplify Studio on {ends:%Y-%m-%d}. Fix: move to an app"
        )
        assert done.line("issuer").startswith(message)
        assert "docs/issuers.md#from-amplify-to-figma" in done.line("issuer")
        assert done.code == int(urgent)


ACME = """
name = "acme"
title = "Acme"
grant = "GRANT"
[address]
token = "https://acme.example/token"
[client]
auth = "AUTH"
KEYS
[sign_in]
needs = "offline"
"""


class TestProfiles:
    @pytest.fixture
    def acme(self, bare: Stack) -> Callable[..., None]:
        """Give the function a profile of its own."""

        def give(grant: str = "refresh_token", auth: str = "basic", keys: str = "", **more: str) -> None:
            text = ACME.replace("GRANT", grant).replace("AUTH", auth).replace("KEYS", keys)
            renewed = {"ISSUER_GRANT": grant} if grant != "refresh_token" else {}
            bare.set_environment(ISSUER="acme", ISSUER_PROFILE=to_compact_json(text), **renewed, **more)

        return give

    def test_doctor_calls_it_by_its_name(self, on_bare: Command, acme: Callable[..., None]) -> None:
        acme()
        line = "OK    issuer        Acme (acme), at https://acme.example/token."
        assert on_bare("doctor").line("issuer") == line
        assert on_bare("status", "--output", "json").json["issuerTitle"] == "Acme (acme)"
        assert "\nissuer        Acme (acme) " in on_bare("status").out

    def test_the_secret_has_the_keys_it_needs(self, on_bare: Command, bare: Stack, acme: Callable[..., None]) -> None:
        acme(auth="none", keys='keys = ["apiKey"]')
        done = on_bare("app-credentials", "--yes", stdin='{"clientId": " canary-id "}')
        assert (done.code, "`apiKey` must be" in done.err) == (252, True)
        done = on_bare("app-credentials", "--yes", stdin='{"clientId": " canary-id ", "apiKey": "canary-key\\n"}')
        assert done.code == 0, done.err
        secrets = bare.cloud.client("secretsmanager")
        stored = json.loads(secrets.get_secret_value(SecretId=bare.output("AppSecretArn"))["SecretString"])
        issued_by = {"issuer": "acme", "host": "acme.example"}
        assert stored == {"clientId": "canary-id", "apiKey": "canary-key", "issuedBy": issued_by}
        line = "OK    app secret    holds the app's credentials for acme (acme.example)."
        assert on_bare("doctor").line("app secret") == line
        acme(auth="none", keys='keys = ["otherKey"]')
        assert "`otherKey` must be" in on_bare("doctor").line("app secret")

    def test_a_key_that_signs_must_be_imported(self, on_bare: Command, bare: Stack, acme: Callable[..., None]) -> None:
        kms = bare.cloud.client("kms")
        keys = [
            kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY", Origin=origin)["KeyMetadata"]["Arn"]
            for origin in ("EXTERNAL", "AWS_KMS")
        ]
        bare.put_app("canary-id", "canary-secret")
        found = []
        for key in keys:
            acme(ISSUER_SIGNING_KEY=key)
            found.append(on_bare("doctor").line("app secret"))
        fix = f"Fix: `tokenctl import-key <file> --stage {bare.stage}`."
        assert found == [
            f"FAIL  app secret    holds the app's credentials, but the key that signs is still empty. {fix}",
            "OK    app secret    holds the app's credentials.",
        ]

    def test_some_need_none(self, on_bare: Command, acme: Callable[..., None]) -> None:
        acme("client_credentials", auth="off")
        line = "OK    app secret    Acme (acme) wants no credentials of an app."
        assert on_bare("doctor").line("app secret") == line

    @pytest.mark.parametrize(
        ("grant", "code", "message"),
        [
            ("client_credentials", 253, "Acme issues tokens to the app itself, so nobody signs in."),
            ("refresh_token", 252, "Acme gives a refresh token only with the scope offline."),
        ],
    )
    def test_no_sign_in_is_in_vain(
        self, on_bare: Command, acme: Callable[..., None], grant: str, code: int, message: str
    ) -> None:
        acme(grant)
        done = on_bare("authorize", "--authorize-url", "https://acme.example/authorize", "--yes")
        assert (done.code, message in done.err) == (code, True), done.err


def test_status_names_the_issuer(tokenctl: Tokenctl, bare: Stack, stack: Deployment) -> None:
    assert stack.outputs
    assert tokenctl("status", "--stage", bare.stage, "--output", "json").json["issuer"] == "figma"
    assert tokenctl("status", "--output", "json").json["issuer"] == "amplify"
    assert "\nissuer        figma " in tokenctl("status", "--stage", bare.stage).out


CHECKS = {"grant": check_grant, "window": check_window, "policy": check_policy}
MINUTE, DAY = 60, 86_400
IDLE, OLD, ALWAYS = {"GRANT_IDLE_DAYS": "60"}, {"GRANT_ABSOLUTE_DAYS": "365"}, {"REFRESH_POLICY": "always"}
LIVES: dict[str, tuple[dict[str, str], dict[str, int], str]] = {
    "grant that nothing limits": ({}, {}, "OK grant the end of the grant is not known"),
    "grant of 40 days": ({}, {"refreshExpiresAt": 40 * DAY}, "OK grant the grant ends 20"),
    "grant of 3 days": ({}, {"refreshedAt": 0, "refreshExpiresAt": 3 * DAY}, "OK grant the grant ends 20"),
    "last sixth": ({}, {"refreshedAt": -59 * DAY, "refreshExpiresAt": 11 * DAY}, "WARN grant the grant ends 20"),
    "grant that has ended": ({}, {"refreshExpiresAt": -DAY}, "FAIL grant the grant ended 20"),
    "idle grant": (IDLE, {"refreshedAt": -51 * DAY}, "WARN grant the grant ends"),
    "old grant": (OLD, {"grantedAt": -364 * DAY}, "WARN grant the grant"),
    "resting token": ({}, {"refreshedAt": -9 * MINUTE, "expiresAt": -MINUTE}, "OK window the token"),
    "short life": ({}, {"refreshedAt": 0, "expiresAt": 5 * MINUTE}, "OK policy tokens live 5 minutes, and"),
    "too many versions": (
        *(ALWAYS, {"refreshedAt": 0, "expiresAt": 5 * MINUTE}),
        "WARN policy tokens live 5 minutes, so the schedule stores 288 versions",
    ),
    "shorter than a period": (
        *(ALWAYS, {"refreshedAt": -9 * MINUTE, "expiresAt": -7 * MINUTE}, "WARN window the token expired"),
    ),
    "long life": ({}, {"refreshedAt": 0, "expiresAt": 90 * DAY}, "OK policy tokens live 90 days, and the"),
}
"""The function's variables, times in the secret (seconds from now), and how a line of the doctor begins."""


class TestTheLife:
    @pytest.mark.parametrize("life", LIVES)
    def test_is_compared_with_grant_schedule_and_policy(
        self, on_bare: Command, bare: Stack, monkeypatch: pytest.MonkeyPatch, life: str
    ) -> None:
        variables, times, line = LIVES[life]
        level, check, text = line.split(" ", 2)
        monkeypatch.setattr(DeployedStack, "period", timedelta(minutes=5))
        monkeypatch.setattr("tokenctl.commands.doctor.BEFORE_DEPLOYMENT", [])
        monkeypatch.setattr("tokenctl.commands.doctor.AFTER_DEPLOYMENT", [Check(check, (), CHECKS[check])])
        now = datetime.now(UTC)
        dates = {key: iso_utc(now + timedelta(seconds=seconds)) for key, seconds in times.items()}
        bare.set_environment(ISSUER="figma", **variables)
        bare.put({"accessToken": "canary-a", "refreshToken": "canary-r", **dates})
        assert on_bare("doctor").line(check).startswith(f"{level:6}{check:14}{text}")
