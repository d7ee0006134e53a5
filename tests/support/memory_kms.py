"""KMS in memory: a ciphertext opens only with its encryption context."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tests.support.memory_dynamodb import nothing


@dataclass
class MemoryKms:
    """The client of one key. `before` may raise instead of a call."""

    before: Callable[[str, dict[str, Any]], None] = nothing

    def encrypt(self, **call: Any) -> dict[str, Any]:
        self.before("Encrypt", call)
        assert len(call["Plaintext"]) <= 4096
        return {"CiphertextBlob": _seal(call) + call["Plaintext"][::-1]}

    def decrypt(self, **call: Any) -> dict[str, Any]:
        self.before("Decrypt", call)
        seal, blob = _seal(call), call["CiphertextBlob"]
        if not blob.startswith(seal):
            code: Any = {"Error": {"Code": "InvalidCiphertextException"}}
            raise ClientError(code, "Decrypt")
        return {"Plaintext": blob[len(seal) :][::-1]}


def _seal(call: dict[str, Any]) -> bytes:
    return json.dumps([call["KeyId"], call["EncryptionContext"]]).encode()
