"""The content coding of an answer (RFC 9110, 8.4). Some servers compress although the request asks for `identity`."""

import zlib
from contextlib import suppress
from typing import Final

_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS
_WINDOWS: Final = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}
"""How to read each coding. Some servers send `deflate` without zlib's header (RFC 9110, 8.4.1.2)."""

_GZIP_BEGINS: Final = b"\x1f\x8b"
"""The first bytes of gzip (RFC 1952, 2.3.1), with which no text begins."""


def decoded(body: bytes, coding: str | None, *, max_bytes: int) -> bytes | None:
    """Return a body without its content coding; None if it is longer than `max_bytes`.

    `coding` is the header ``Content-Encoding``. What was compressed may be cut off or damaged at the end. A body that
    is not compressed as the header says stays as it is: some proxies decompress it and leave the header. Others drop
    the header and leave the body, so what begins like gzip is gzip.
    """
    for name in reversed((coding or "").lower().split(",")):
        body = _decompressed(body, _WINDOWS.get(name.strip(), ()), max_bytes)
    if body.startswith(_GZIP_BEGINS):
        body = _decompressed(body, (_GZIP,), max_bytes)
    return body if len(body) <= max_bytes else None


def _decompressed(body: bytes, windows: tuple[int, ...], max_bytes: int) -> bytes:
    for window in windows:
        try:
            return _inflated(bytearray(), body, window, max_bytes, step=len(body))
        except zlib.error:
            continue
    found = bytearray()
    with suppress(zlib.error):
        # With the last bytes, a wrong checksum holds back the text before it. So they go in one by one.
        _inflated(found, body, _GZIP_OR_ZLIB, max_bytes, step=1)
    return bytes(found) if windows and found else body


def _inflated(found: bytearray, body: bytes, window: int, max_bytes: int, *, step: int) -> bytes:
    """Add to `found` what `body` holds, until it is longer than `max_bytes`.

    gzip may have several members, one after the other (RFC 1952, 2.2).
    """
    stream, rest = zlib.decompressobj(window), memoryview(body)
    while rest and len(found) <= max_bytes:
        found += stream.decompress(rest[:step], max_bytes + 1)
        rest = rest[step:]
        if stream.eof:
            rest = memoryview(stream.unused_data + rest)
            stream = zlib.decompressobj(window)
    return bytes(found)
