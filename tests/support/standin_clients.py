"""The kinds of clients that call the stand-in."""

import subprocess
from collections.abc import Callable

import urllib3

Post = Callable[..., urllib3.BaseHTTPResponse]
Aws = Callable[..., subprocess.CompletedProcess[str]]
