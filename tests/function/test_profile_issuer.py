"""The issuer of a profile on the wire: every kind of grant, against a server that answers as the test says."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from refresh_token import errors
from refresh_token.core.grant import Grant
from refresh_token.core.issued_token import IssuedToken
from refresh_token.core.ports import Issuer
from refresh_token.issuers import kms_signer
from refresh_token.issuers.registry import issuer_from
from refresh_token.oauth.profile_file import to_compact_json
from tests.support.canaries import clean_fault
from tests.support.function_environment import APP_ID, APP_SECRET, AppSecret
from tests.support.token_server import Reply, TokenServer, http, issued, oauth_error

GRANT = Grant("canary-refresh", "canary-access")
NOW = 1_795_694_400
HEAD = 'name = "acme"\ntitle = "Acme"\ngrant = "{}"\nparams.server = {{ hosts = ["*"], pattern = ".+" }}\n'
TOKEN = 'address.token = "{server}/token"\n'
POST = 'client.auth = "post"\n'


@pytest.fixture
def acme(token_endpoint: TokenServer, app_secret: AppSecret) -> Callable[..., Issuer]:
    def make(grant: str, text: str, **variables: str) -> Issuer:
        app_secret.store(json.dumps({"clientId": APP_ID, "clientSecret": APP_SECRET, "apiKey": "canary-key"}))
        given = {
            "ISSUER": "acme",
            "ISSUER_PROFILE": to_compact_json(HEAD.format(grant) + text),
            "ISSUER_GRANT": "" if grant == "refresh_token" else grant,
            "ISSUER_PARAMS": json.dumps({"server": token_endpoint.url}),
            "APP_SECRET_ARN": app_secret.arn,
            "ALLOW_HTTP_ISSUER": "true",
        }
        return issuer_from({**given, **variables})

    return make


def refresh(issuer: Issuer, grant: Grant = GRANT, seconds: float = 11.5) -> IssuedToken:
    token = issuer.refresh(grant, None, seconds=seconds)
    assert isinstance(token, IssuedToken)
    return token


class TestGrants:
    """What each kind of grant spends, and what it sends."""

    ROWS: tuple[tuple[str, str, str, bool, dict[str, str]], ...] = (
        (
            "refresh_token",
            TOKEN + POST,
            "refresh_token",
            True,
            {"grant_type": "refresh_token", "refresh_token": "canary-refresh"},
        ),
        ("client_credentials", TOKEN + POST, "nothing", False, {"grant_type": "client_credentials"}),
        (
            "token_exchange",
            TOKEN + POST + 'refresh.parameters = { fb_exchange_token = "{access_token}" }',
            "access_token",
            True,
            {"fb_exchange_token": "canary-access"},
        ),
    )

    @pytest.mark.parametrize(("grant", "text", "spends", "rotates", "sent"), ROWS)
    def test_a_grant_sends_its_own(  # noqa: PLR0917 - a row
        self,
        grant: str,
        text: str,
        spends: str,
        rotates: bool,  # noqa: FBT001 - a column
        sent: dict[str, str],
        acme: Callable[..., Issuer],
        token_endpoint: TokenServer,
    ) -> None:
        issuer = acme(grant, text)
        assert (issuer.spends, issuer.rotates, issuer.issued_by.issuer) == (spends, rotates, "acme")
        assert issuer.issued_by.host == token_endpoint.url.removeprefix("http://")
        assert refresh(issuer).access_token == "access-issued"
        (seen,) = token_endpoint.seen
        assert seen.form == {**sent, "client_id": APP_ID, "client_secret": APP_SECRET}

    def test_steps_follow_each_other(self, acme: Callable[..., Issuer], token_endpoint: TokenServer) -> None:
        text = (
            'client.keys = ["apiKey"]\nanswer.access_token = ""\n'
            '[[steps]]\naddress = "{server}/login"\nformat = "json"\nvalues.s = "data.session"\n'
            'parameters.key = "{apiKey}"\n'
            '[[steps]]\naddress = "{server}/token?a=1"\nformat = "query"\nmethod = "GET"\nheaders.X-Session = "{s}"\n'
        )
        token_endpoint.answer(
            http(200, b'{"data": {"session": "canary-session"}}'), http(200, b"the.token.of.the.body")
        )
        issuer = acme("two_step", text)
        assert (issuer.spends, refresh(issuer).access_token) == ("nothing", "the.token.of.the.body")
        login, token = token_endpoint.seen
        assert (login.line, json.loads(login.body)) == ("POST /login HTTP/1.1", {"key": "canary-key"})
        assert (token.line, token.headers["X-Session"], token.body) == (
            "GET /token?a=1 HTTP/1.1",
            "canary-session",
            b"",
        )
        assert login.connection == token.connection

    STEPS = (
        (http(200, b"{}"), errors.IssuerProtocolException),
        (http(200, b"<html>"), errors.IssuerProtocolException),
        (http(401, b'{"error": "invalid_client"}'), errors.ConfigurationException),
        (http(503, b""), errors.IssuerUnavailableException),
        (http(200, b'{"s": "canary\\nx"}'), errors.ConfigurationException),
    )

    @pytest.mark.parametrize(("reply", "expected"), STEPS)
    def test_a_step_may_fail(
        self, reply: Reply, expected: type[Exception], acme: Callable[..., Issuer], token_endpoint: TokenServer
    ) -> None:
        token_endpoint.answer(reply)
        text = (
            '[[steps]]\naddress = "{server}/a"\nvalues.s = "s"\n[[steps]]\naddress = "{server}/b"\nheaders.X = "{s}"\n'
        )
        assert type(clean_fault(lambda: refresh(acme("two_step", text)))) is expected
        assert len(token_endpoint.seen) == 1

    def test_values_of_the_grant_lead_the_way(self, acme: Callable[..., Issuer], token_endpoint: TokenServer) -> None:
        text = 'params.realm = { redirect = "realmId" }\naddress.token = "{server}/{realm}/token"\n'
        assert refresh(acme("refresh_token", text), Grant("canary-refresh", values={"realm": 7})).values == {}
        assert token_endpoint.seen[0].line == "POST /7/token HTTP/1.1"
        error = clean_fault(lambda: refresh(acme("refresh_token", text)))
        assert "An address of the profile acme cannot be made: {realm} has no value" in str(error)
        assert getattr(error, "unsent", False)
        assert len(token_endpoint.seen) == 1
        error = clean_fault(
            lambda: refresh(acme("refresh_token", text.replace("/{realm}", "") + 'refresh.headers.R = "{realm}"\n'))
        )
        assert str(error).startswith(
            "The request cannot be made: {realm} has no value. Check issuer_params, the `values`"
        )
        assert len(token_endpoint.seen) == 1

    @pytest.mark.parametrize("stored", [{}, {"clientId": "i", "clientSecret": "s"}, {"apiKey": 7}])
    def test_a_missing_key_sends_nothing(
        self, stored: dict[str, object], acme: Callable[..., Issuer], token_endpoint: TokenServer, app_secret: AppSecret
    ) -> None:
        issuer = acme("refresh_token", TOKEN + 'client = { auth = "off", keys = ["apiKey"] }\n')
        app_secret.store(json.dumps(stored))
        error = clean_fault(lambda: refresh(issuer))
        assert type(error) is errors.ConfigurationException
        assert "`apiKey`" in str(error)
        assert token_endpoint.seen == []

    @pytest.mark.parametrize(
        ("text", "times"), [("", 1), ("refresh_token.grace_seconds = 60\n", 2), ("refresh_token.replaced = false\n", 2)]
    )
    def test_a_replaced_token_is_sent_once(
        self, text: str, times: int, acme: Callable[..., Issuer], token_endpoint: TokenServer
    ) -> None:
        token_endpoint.answer(http(500, b""), issued())
        issuer = acme("refresh_token", TOKEN + text)
        if times == 1:
            clean_fault(lambda: refresh(issuer, seconds=55))
        else:
            refresh(issuer, seconds=55)
        assert len(token_endpoint.seen) == times

    def test_a_profiles_words_are_heard(self, acme: Callable[..., Issuer], token_endpoint: TokenServer) -> None:
        issuer = acme("refresh_token", TOKEN + 'refusals.app = ["invalid_grant"]\n')
        token_endpoint.answer(oauth_error(400, "invalid_grant"))
        assert type(clean_fault(lambda: refresh(issuer))) is errors.ConfigurationException

    SUCCESSFUL = (
        (b'{"code": 20026, "msg": "no"}', errors.ReauthorizationRequiredException),
        (b'{"code": 0, "data": {}}', errors.IssuerProtocolException),
        (b'{"code": 7, "message": "Key is WRONG here"}', errors.ConfigurationException),
    )

    @pytest.mark.parametrize(("body", "expected"), SUCCESSFUL)
    def test_a_success_may_refuse(
        self, body: bytes, expected: type[Exception], acme: Callable[..., Issuer], token_endpoint: TokenServer
    ) -> None:
        token_endpoint.answer(http(200, body))
        issuer = acme("refresh_token", TOKEN + 'refusals = { grant = ["20026"], app = ["key is wrong"] }\n')
        assert type(clean_fault(lambda: refresh(issuer))) is expected

    def test_a_token_elsewhere_is_not_lost(self, acme: Callable[..., Issuer], token_endpoint: TokenServer) -> None:
        token_endpoint.answer(http(500, b'{"code": "OK", "data": {"token": "new", "refresh": "next"}}'))
        token = refresh(
            acme("refresh_token", TOKEN + "answer = { access_token = 'data.token', refresh_token = 'data.refresh' }")
        )
        assert (token.access_token, token.refresh_token) == ("new", "next")


def part(jwt: str, index: int) -> Any:
    return json.loads(urlsafe_b64decode(jwt.split(".")[index] + "=="))


def signature(jwt: str) -> bytes:
    return urlsafe_b64decode(jwt.split(".")[2] + "==")


JWT = '[jwt]\nalg = "{}"\nlifetime_seconds = 600\nheader.kid = "{{apiKey}}"\nclaims = {{iss="{{clientId}}", sub=""}}\n'
SIGNING = (("RS256", "RSA_2048"), ("PS384", "RSA_2048"), ("ES256", "ECC_NIST_P256"), ("ES512", "ECC_NIST_P521"))


class TestSigning:
    def verified(self, jwt: str, alg: str, key: str) -> dict[str, Any]:
        der = boto3.client("kms").get_public_key(KeyId=key)["PublicKey"]
        public, text = serialization.load_der_public_key(der), jwt.rpartition(".")[0].encode()
        digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[alg[2:]]
        if isinstance(public, rsa.RSAPublicKey):
            pss = padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)
            public.verify(signature(jwt), text, pss if alg.startswith("PS") else padding.PKCS1v15(), digest)
        else:
            assert isinstance(public, ec.EllipticCurvePublicKey)
            half = len(signature(jwt)) // 2
            numbers = (int.from_bytes(signature(jwt)[:half]), int.from_bytes(signature(jwt)[half:]))
            public.verify(utils.encode_dss_signature(*numbers), text, ec.ECDSA(digest))
            assert half == {"256": 32, "512": 66}[alg[2:]]
        claims: dict[str, Any] = part(jwt, 1)
        assert part(jwt, 0) == {"alg": alg, "typ": "JWT", "kid": "canary-key"}
        assert (claims["iss"], claims["sub"], claims["exp"] - claims["iat"]) == (APP_ID, "", 600)
        return claims

    @pytest.mark.parametrize(("alg", "spec"), SIGNING)
    def test_kms_signs_what_is_sent(
        self, alg: str, spec: Any, acme: Callable[..., Issuer], token_endpoint: TokenServer
    ) -> None:
        key = boto3.client("kms").create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        text = TOKEN + 'client.keys = ["apiKey"]\n' + JWT.format(alg)
        issuer = acme("jwt_bearer", text, ISSUER_SIGNING_KEY=key)
        unique = set()
        for _ in range(2):
            assert refresh(issuer).access_token == "access-issued"
            form = token_endpoint.seen[-1].form
            assert form.keys() == {"grant_type", "assertion"}
            unique.add(self.verified(form["assertion"], alg, key)["jti"])
        assert len(unique) == 2

    def test_an_app_may_prove_itself(self, acme: Callable[..., Issuer], token_endpoint: TokenServer) -> None:
        key = boto3.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        text = TOKEN + 'client = { auth = "private_key_jwt", keys = ["apiKey"] }\n' + JWT.format("RS256")
        refresh(acme("client_credentials", text, ISSUER_SIGNING_KEY=key))
        form = token_endpoint.seen[0].form
        assert form["client_id"] == APP_ID
        self.verified(form["client_assertion"], "RS256", key)

    @pytest.mark.parametrize(("encoding", "key"), [("utf8", b"6b6579"), ("hex", b"key"), ("base64", None)])
    def test_a_shared_secret_signs(
        self,
        encoding: str,
        key: bytes | None,
        acme: Callable[..., Issuer],
        token_endpoint: TokenServer,
        app_secret: AppSecret,
    ) -> None:
        text = f'client.keys = ["apiKey"]\n{JWT.format("HS256")}secret = "{{apiKey}}"\nis_token = true\n'
        text += f'secret_encoding = "{encoding}"\n'
        issuer = acme("jwt_bearer", text)
        app_secret.store(json.dumps({"apiKey": "6b6579" if key else "canary=", "clientId": APP_ID}))
        if key is None:
            assert type(clean_fault(lambda: refresh(issuer))) is errors.ConfigurationException
            return
        token = refresh(issuer)
        text, _, _ = token.access_token.rpartition(".")
        assert signature(token.access_token) == hmac.digest(key, text.encode(), hashlib.sha256)
        assert token.expires_in == part(token.access_token, 1)["exp"]
        assert (issuer.issued_by.host, token_endpoint.seen) == ("acme", [])

    NO_KEY = (
        ("KMSInvalidStateException", 400, errors.ConfigurationException, 1),
        ("UnsupportedOperationException", 400, errors.ConfigurationException, 1),
        ("NotFoundException", 400, errors.ConfigurationException, 1),
        ("AccessDeniedException", 400, errors.ConfigurationException, 1),
        ("InvalidKeyUsageException", 400, errors.ConfigurationException, 1),
        ("canary", 400, errors.ConfigurationException, 1),
        ("ThrottlingException", 400, errors.IssuerUnavailableException, 3),
        ("KMSInternalException", 500, errors.IssuerUnavailableException, 3),
        ("", 200, errors.IssuerUnavailableException, 1),
    )

    @pytest.mark.parametrize(("code", "status", "expected", "calls"), NO_KEY)
    def test_without_a_signature_nothing_is_sent(  # noqa: PLR0917 - a row
        self,
        code: str,
        status: int,
        expected: type[errors.RefreshTokenError],
        calls: int,
        acme: Callable[..., Issuer],
        token_endpoint: TokenServer,
    ) -> None:
        seen = []

        def hook(**_: object) -> tuple[AWSResponse, dict[str, object]]:
            seen.append(code)
            error = {"Error": {"Code": code, "Message": "canary"}, "ResponseMetadata": {"HTTPStatusCode": status}}
            return AWSResponse("", status, HTTPHeaders(), None), error if code else {"Signature": "canary"}

        kms_signer._client().meta.events.register("before-call.kms.Sign", hook)
        issuer = acme("jwt_bearer", TOKEN + '[jwt]\nalg = "RS256"\n', ISSUER_SIGNING_KEY="canary")
        error = clean_fault(lambda: refresh(issuer))
        assert (type(error), len(seen), token_endpoint.seen) == (expected, calls, [])
        assert getattr(error, "unsent", False) == (expected is errors.ConfigurationException)
        assert ("import-key" in str(error)) == (code in kms_signer._NO_KEY)

    def test_kms_signs_no_long_text(self, acme: Callable[..., Issuer], token_endpoint: TokenServer) -> None:
        claims = "".join(f"c{number} = '{'x' * 1900}'\n" for number in range(3))
        issuer = acme("jwt_bearer", f'{TOKEN}[jwt]\nalg = "RS256"\n[jwt.claims]\n{claims}', ISSUER_SIGNING_KEY="canary")
        assert "4096 bytes" in str(clean_fault(lambda: refresh(issuer)))
        assert token_endpoint.seen == []
