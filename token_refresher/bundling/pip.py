"""Runs pip for a bundle, so that nothing but the pinned requirements decides what is installed.

pip takes its options from the command line, from `PIP_...` variables and from several configuration files. A person's
`user`, `target`, `constraint` or `no-binary` must not reach a bundle. A company's package index must: it is often
configured nowhere else. So pip first reads its own configuration, and only the options in `_REACH` are passed on.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from token_refresher.bundling.errors import BundlingError
from token_refresher.bundling.python_runtime import RUNTIME_PYTHON

_REACH = frozenset(
    {
        *("index-url", "pypi-url", "extra-index-url", "find-links", "no-index"),
        *("trusted-host", "cert", "client-cert", "proxy", "keyring-provider", "use-feature", "use-deprecated"),
        *("timeout", "default-timeout", "retries", "resume-retries", "cache-dir", "no-cache-dir"),
    }
)
"""pip's options that say where packages come from and how to reach that place."""

# Later sections win, as in pip.
_SECTIONS = ("global", "install", ":env:")


def install(requirements: Path, folder: Path, *, wheel_platform: str) -> None:
    """Install the wheels of `requirements` for Lambda's Python into `folder`.

    Raises:
        BundlingError: pip failed: no network, no such wheel, or a wheel with another hash.

    """
    arguments = ["install", "--quiet", "--no-input", "--requirement", str(requirements), "--require-hashes"]
    arguments += ["--target", str(folder), "--no-deps", "--no-compile", "--only-binary", ":all:"]
    arguments += ["--platform", wheel_platform, "--implementation", "cp", "--python-version", RUNTIME_PYTHON]
    done = _run(arguments, environment(os.environ))
    if done.returncode:
        raise BundlingError(
            f"pip could not install {requirements} for {wheel_platform}. Check the network or the package index, "
            f"then try again. pip said:\n{done.stderr.strip()}"
        )


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a pip that reads no configuration file and only the options in `_REACH`.

    Raises:
        BundlingError: pip is missing, or it could not read its configuration.

    """
    kept = {name: value for name, value in variables.items() if not name.startswith(("PIP_", "PYTHON"))}
    # Where Python finds pip itself.
    kept |= {name: variables[name] for name in ("PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE") if name in variables}
    named = {name: value for name, value in variables.items() if _option(name) in _REACH or name == "PIP_CONFIG_FILE"}
    # Its configuration may name another Python or a log file for every command.
    own = ["--python", sys.executable, "--log", os.devnull]
    listed = _run([*own, "config", "list"], {**kept, **named})
    if listed.returncode:
        raise BundlingError(
            f"{sys.executable} could not run pip, which installs the function's packages. Install pip for this Python, "
            f"or correct pip's configuration, then try again. pip said:\n{listed.stderr.strip()}"
        )
    reach = {f"PIP_{key.replace('-', '_').upper()}": value for key, value in _reach(listed.stdout).items()}
    return {**kept, **reach, "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def _reach(listed: str) -> dict[str, str]:
    """Return the options in `_REACH` from the output of `pip config list`, such as `global.index-url='...'`."""
    options: dict[str, str] = {}
    for section in _SECTIONS:
        for key, value in re.findall(rf"^{section}\.([\w-]+)=(.+)$", listed, re.MULTILINE):
            if key in _REACH:
                options[key] = str(ast.literal_eval(value))
    return options


def _option(variable: str) -> str:
    return variable.removeprefix("PIP_").lower().replace("_", "-")


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    # -P: else a file of the current folder, such as secrets.py, could hide a module that pip imports.
    command = [sys.executable, "-P", "-m", "pip", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)  # noqa: S603 (our own arguments)
