"""The content coding of an answer (RFC 9110, 8.4). Some servers compress although the request asks for `identity`."""

import zlib
from typing import Final

_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS
_WINDOWS: Final = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}
"""How to read each coding. Some servers send `deflate` without zlib's header (RFC 9110, 8.4.1.2)."""


def decoded(body: bytes, coding: str | None, *, max_bytes: int) -> bytes | None:
    """Return a body without its content coding; None if it is longer than `max_bytes`.

    `coding` is the header ``Content-Encoding``. What was compressed may be cut off at the end. A body that is not
    compressed as the header says stays as it is: some proxies decompress it and leave the header.
    """
    for name in reversed((coding or "").lower().split(",")):
        body = _decompressed(body, _WINDOWS.get(name.strip(), ()), max_bytes)
    return body if len(body) <= max_bytes else None


def _decompressed(body: bytes, windows: tuple[int, ...], max_bytes: int) -> bytes:
    for window in windows:
        try:
            return zlib.decompressobj(window).decompress(body, max_bytes + 1)
        except zlib.error:
            continue
    return body
