"""What a fault of an argument or a prop looks like: `<prop>=<value>: <rule>`."""

from pathlib import Path
from typing import Final

from aws_cdk import RemovalPolicy

_MAX_SHOWN: Final = 60
"""Characters of a value in a fault."""


def fault_line(name: str, value: object, rule: str) -> str:
    """Return the line. Of what is no plain value, it shows the type."""
    if isinstance(value, (str, int, float, Path, RemovalPolicy)):
        plain = str(value)
    else:
        plain = (value if isinstance(value, type) else type(value)).__name__
    shown = "" if value is None else plain if len(plain) <= _MAX_SHOWN else f"{plain[:_MAX_SHOWN]}..."
    return f"{name}={shown}: {rule}"
