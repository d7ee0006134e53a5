"""Clients of AWS services, all from one botocore session.

boto3's clients are botocore's. `import boto3` adds S3's transfer threads and the resource classes, a tenth of the cold
start (docs/benchmarks.md). Region, credentials, retries and ``AWS_ENDPOINT_URL*`` are botocore's own matters, and the
same either way.
"""

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config


@cache
def session() -> botocore.session.Session:
    """Return the session, made once: it keeps credentials, and the data that clients are made from."""
    return botocore.session.get_session()


def aws_client(service: str, config: Config) -> Any:  # noqa: ANN401 - the caller names the type of client
    """Return a new client of a service."""
    return session().create_client(service, config=config)
