"""The parts of the AWS CLI that tokenctl is made of. Import this module on use: it is slow.

Importing `awscli` puts a finder into sys.meta_path that makes every later `import botocore` mean the copy inside
awscli, and awscli's data folder into AWS_DATA_PATH. Both would change what boto3 is in this process. So botocore comes
first, which settles whose it is, and afterwards both are put back.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import botocore.session
import botocore.stub
import botocore.utils


@contextmanager
def _import_system_kept() -> Iterator[None]:
    finders, data_path = list(sys.meta_path), os.environ.get("AWS_DATA_PATH")
    try:
        yield
    finally:
        sys.meta_path[:] = finders
        os.environ.pop("AWS_DATA_PATH", None)
        if data_path is not None:
            os.environ["AWS_DATA_PATH"] = data_path


with _import_system_kept():
    import awscli.argprocess  # noqa: F401 - paramfile and shorthand import one another; only this order works
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
