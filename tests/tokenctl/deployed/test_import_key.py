"""`tokenctl import-key`: the private key of an app in KMS."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from tests.support.bare_stack import Stack
from tests.support.command_line import Done, Tokenctl, on_terminal

pytestmark = pytest.mark.xdist_group("deployed")

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
PLAIN, PKCS8 = NoEncryption(), PrivateFormat.PKCS8

Run = Callable[[], Done]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.pem"


@pytest.fixture
def run(tokenctl: Tokenctl, bare: Stack, file: Path) -> Run:
    return lambda: tokenctl("import-key", str(file), "--output", "json", "--stage", bare.stage)


def new_key(stack: Stack, spec: str) -> str:
    """Give the stack an empty key of KMS."""
    key = stack.cloud.client("kms").create_key(Origin="EXTERNAL", KeySpec=spec, KeyUsage="SIGN_VERIFY")
    arn = str(key["KeyMetadata"]["Arn"])
    stack.set_environment(ISSUER="figma", ISSUER_SIGNING_KEY=arn)
    return arn


def pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, form: PrivateFormat, how: KeySerializationEncryption
) -> bytes:
    return key.private_bytes(Encoding.PEM, form, how)


class TestImport:
    @pytest.mark.parametrize("form", [PKCS8, PrivateFormat.TraditionalOpenSSL])
    def test_kms_signs_with_an_rsa_key(self, run: Run, bare: Stack, file: Path, form: PrivateFormat) -> None:
        arn = new_key(bare, "RSA_2048")
        file.write_bytes(pem(RSA, form, PLAIN))
        done = run()
        assert (done.code, done.json) == (0, {"keyArn": arn, "kind": "RSA_2048"})
        assert done.err == f"{file} still holds the private key: store it safely, or delete it.\n"
        signing = {"KeyId": arn, "Message": b"x", "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
        signature = bare.cloud.client("kms").sign(**signing)["Signature"]
        RSA.public_key().verify(signature, b"x", padding.PKCS1v15(), hashes.SHA256())

    def test_an_encrypted_key_asks_for_its_passphrase(self, run: Run, bare: Stack, file: Path) -> None:
        arn = new_key(bare, "ECC_NIST_P256")
        file.write_bytes(pem(EC, PKCS8, BestAvailableEncryption(b"canary")))
        done = run()
        assert (done.code, "nobody can type its passphrase here" in done.err) == (252, True)
        words = ("import-key", str(file), "--stage", bare.stage)
        dialogue = [("Passphrase of the private key:", "wrong")]
        wrong = on_terminal(bare.cloud.env, *words, dialogue=dialogue)
        assert (wrong.code, "Nothing was imported." in wrong.out) == (252, True)
        right = on_terminal(bare.cloud.env, *words, dialogue=[("Passphrase of the private key:", "canary")])
        assert (right.code, "canary" in right.out) == (0, False)
        signing = {"KeyId": arn, "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}
        signature = bare.cloud.client("kms").sign(**signing)["Signature"]
        EC.public_key().verify(signature, b"x", ec.ECDSA(hashes.SHA256()))


class TestRefusal:
    def test_of_another_kind_names_the_right_one(self, run: Run, bare: Stack, file: Path) -> None:
        new_key(bare, "ECC_NIST_P256")
        file.write_bytes(pem(RSA, PKCS8, PLAIN))
        done = run()
        assert done.code == 252
        assert "needs a key of the kind ECC_NIST_P256, and this one is RSA_2048. Nothing was imported." in done.err

    def test_of_what_is_no_private_key(self, run: Run, bare: Stack, file: Path) -> None:
        done = run()
        assert (done.code, "has no key to import into" in done.err) == (253, True)
        new_key(bare, "RSA_2048")
        assert "(No such file or directory)" in run().err
        file.write_text("-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n")
        done = run()
        assert (done.code, "holds no private key" in done.err, "canary" in done.err) == (252, True, False)
