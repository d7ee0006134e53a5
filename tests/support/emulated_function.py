"""A Python function from a few lines of source, in the local cloud."""

import io
import json
import zipfile
from typing import Any

from local.cloud import LocalCloud

SHOW_ENVIRONMENT = "import os\ndef handler(event, context):\n    return {**os.environ, 'pid': os.getpid()}\n"


def create_function(cloud: LocalCloud, name: str, source: str) -> None:
    """Create a function whose `handler` is in `source`, with a timeout of two seconds."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", source)
    client = cloud.client("lambda")
    client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="index.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"SETTING": "1"}},
        Timeout=2,
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name)


def invoke(cloud: LocalCloud, name: str, event: object = None) -> dict[str, Any]:
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    payload: dict[str, Any] = json.load(answer["Payload"])
    return payload
