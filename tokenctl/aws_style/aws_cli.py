"""The parts of the AWS CLI that tokenctl uses. Import this module only where it is needed, because it is slow.

Importing `awscli` adds a finder to `sys.meta_path`, which makes every later `import botocore` load awscli's own copy,
and adds awscli's data folder to AWS_DATA_PATH. Both would change boto3 in this process. So this module imports botocore
first, and restores both afterwards.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import botocore.session
import botocore.stub
import botocore.utils


@contextmanager
def _import_system_restored() -> Iterator[None]:
    finders, data_path = list(sys.meta_path), os.environ.get("AWS_DATA_PATH")
    try:
        yield
    finally:
        sys.meta_path[:] = finders
        os.environ.pop("AWS_DATA_PATH", None)
        if data_path is not None:
            os.environ["AWS_DATA_PATH"] = data_path


with _import_system_restored():
    import awscli.argprocess  # noqa: F401 - paramfile and shorthand import each other; only this order works
    from awscli.formatter import FullyBufferedFormatter, get_formatter
    from awscli.paramfile import LOCAL_PREFIX_MAP, ResourceLoadingError, get_paramfile
    from awscli.shorthand import (
        BackCompatVisitor,
        DuplicateKeyInObjectError,
        ShorthandParseError,
        ShorthandParser,
        ShorthandParseSyntaxError,
    )
    from awscli.utils import json_encoder


def _read_text(prefix: str, path: str, **_: str) -> str:
    """Return the text of a file, in the encoding that AWS_CLI_FILE_ENCODING names, as in version 2."""
    name = os.path.expandvars(os.path.expanduser(path.removeprefix(prefix)))  # noqa: PTH111 - Path fails without a home
    try:
        return Path(name).read_text(encoding=os.environ.get("AWS_CLI_FILE_ENCODING") or None)
    except (OSError, UnicodeError, LookupError) as error:
        raise ResourceLoadingError from error


LOCAL_PREFIX_MAP["file://"] = (_read_text, {"mode": "r"})  # awscli's shorthand parser reads this map, too

ArgumentGenerator = botocore.utils.ArgumentGenerator

__all__ = [
    "LOCAL_PREFIX_MAP",
    "ArgumentGenerator",
    "BackCompatVisitor",
    "DuplicateKeyInObjectError",
    "FullyBufferedFormatter",
    "ResourceLoadingError",
    "ShorthandParseError",
    "ShorthandParseSyntaxError",
    "ShorthandParser",
    "get_formatter",
    "get_paramfile",
    "json_encoder",
]
