"""Standard output and standard error: an answer must not get lost in one, nor a command fail because of the other."""

import errno
import io
import os
import select
import stat
import sys
from typing import Any, Final, TextIO

from tokenctl.errors import TokenctlError

NO_SPACE: Final = "The output could not be written: no space is left on the device."
_CLOSED: Final = "Standard output is closed or read-only. Redirect it to a file or a pipe."
_NO_READER: Final = "The program that reads standard output has ended. Start both again."
_FULL_DEVICE: Final = (1, 7)
"""Linux's numbers of /dev/full."""


def require_output() -> None:
    """Raise a TokenctlError if standard output cannot be written. After a call, the answer would be lost."""
    descriptor = _descriptor()
    if descriptor is None:
        return
    try:
        os.write(descriptor, b"")
    except OSError as error:
        if error.errno != errno.EBADF:
            raise
        raise TokenctlError(_CLOSED) from None
    if _is_full(descriptor):
        raise TokenctlError(NO_SPACE)


def require_reader() -> None:
    """Raise a TokenctlError if standard output is a pipe whose reader has ended."""
    descriptor = _descriptor()
    if descriptor is None or not hasattr(select, "poll"):
        return
    pipe = select.poll()
    pipe.register(descriptor, 0)
    if any(event & select.POLLERR for _, event in pipe.poll(0)):
        raise TokenctlError(_NO_READER)


class LossyStream:
    """Standard error that never fails: what cannot be written is lost, as with the AWS CLI."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text if possible; return its length."""
        try:
            self._stream.write(text)
        except OSError:
            self._discard()
        return len(text)

    def flush(self) -> None:
        """Flush the stream if possible."""
        try:
            self._stream.flush()
        except OSError:
            self._discard()

    def _discard(self) -> None:
        # Python flushes the stream again when it ends; if that failed, the exit code would be 120.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._stream.fileno())
        os.close(null)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the stream's
        return getattr(self._stream, name)


def _descriptor() -> int | None:
    """Return the descriptor of standard output; None if something else than a file stands in for it."""
    if sys.stdout is None:  # Python's word for a descriptor 1 that is closed
        raise TokenctlError(_CLOSED)
    try:
        return sys.stdout.fileno()
    except io.UnsupportedOperation:
        return None


def _is_full(descriptor: int) -> bool:
    """Tell whether a write would find no space, as far as one can tell without writing."""
    state = os.fstat(descriptor)
    if stat.S_ISCHR(state.st_mode):
        return (os.major(state.st_rdev), os.minor(state.st_rdev)) == _FULL_DEVICE and sys.platform == "linux"
    return stat.S_ISREG(state.st_mode) and hasattr(os, "fstatvfs") and os.fstatvfs(descriptor).f_bfree == 0
