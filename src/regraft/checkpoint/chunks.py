"""Files as streams of bytes, plain or compressed, cut into lines or blocks."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from regraft.base.errors import DataLossError, InvalidArgumentError
from regraft.checkpoint import files

_STEP = 1 << 18
# zlib's window bits: with its own header, and with that of gzip.
_WINDOW = {"": None, "ZLIB": 15, "GZIP": 31}


def check_compression(compression: str) -> None:
    """InvalidArgumentError for a kind of compression that there is not."""
    if compression not in _WINDOW:
        raise InvalidArgumentError(f"Unsupported compression_type {compression!r}.", hint="it is '', 'ZLIB' or 'GZIP'")


def chunks(path: files.PathLike, compression: str = "") -> Iterator[bytes]:
    """The content of a file, piece by piece.

    compression  "", "ZLIB" or "GZIP"
    raises       NotFoundError if there is no such file; DataLossError with a piece that does not inflate
    """
    check_compression(compression)
    return _chunks(files.open_source(path), _WINDOW[compression])


def _chunks(source: files.Source, window: int | None) -> Iterator[bytes]:
    inflate = None if window is None else zlib.decompressobj(window)
    at = 0
    try:
        while part := source.read_at(at, _STEP):
            at += len(part)
            if inflate is None:
                yield part
                continue
            while part:
                try:
                    yield inflate.decompress(part, _STEP)
                except zlib.error as e:
                    raise DataLossError(f"inflate() failed: {e}", where=(source.name,)) from e
                part = inflate.unconsumed_tail
    finally:
        source.close()


def lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a stream without the line feeds that end them; behind the last one stands no empty line."""
    rest: list[bytes] = []
    for part in parts:
        *whole, last = part.split(b"\n")
        for line in whole:
            rest.append(line)
            yield b"".join(rest)
            rest = []
        if last:
            rest.append(last)
    if rest:
        yield b"".join(rest)


def blocks(parts: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The stream in blocks of `size` bytes; the last one may be shorter."""
    held = b""
    for part in parts:
        held += part
        whole = len(held) // size * size
        for at in range(0, whole, size):
            yield held[at : at + size]
        held = held[whole:]
    if held:
        yield held
