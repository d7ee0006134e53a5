"""What botocore knows of AWS's services, read once: each command has its own session, which would read it again."""

from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader


def read_once() -> Callable[[object, str], Any]:
    """Return what takes the place of `JSONFileLoader.load_file`: it keeps each file's content."""
    read = cache(JSONFileLoader().load_file)
    return lambda _, path: read(path)
