"""The AWS CLI that tokenctl is compared with."""

import subprocess
from pathlib import Path
from typing import Final

AWS: Final = Path("/usr/bin/aws")
"""Where Debian's package has it. The one on the PATH may be PyPI's, which is version 1."""
AWS_PYTHON: Final = "/usr/bin/python3"
"""The interpreter of that one."""


def is_version_2() -> bool:
    if not AWS.exists():
        return False
    return subprocess.run([AWS, "--version"], capture_output=True, text=True, check=False).stdout.startswith(
        "aws-cli/2"
    )
