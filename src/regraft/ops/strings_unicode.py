"""Strings as characters: decoded to code points, encoded from them, and from one encoding to another."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, product, same_as, with_rank
from regraft.opkit.texts import each, vector

# Of what has a byte order and no mark, TensorFlow reads and writes the big end first.
_ENCODINGS = {"utf-16-be": "utf-16-be", "utf-32-be": "utf-32-be", "us ascii": "ascii", "us-ascii": "ascii"}
_ENCODINGS["utf-16"] = "utf-16-be"


def _codec(name: bytes) -> str:
    text = name.decode().lower()
    try:
        return codecs.lookup(_ENCODINGS.get(text, text)).name
    except LookupError as e:
        raise InvalidArgumentError(f"Could not create converter for input encoding: {name.decode()}") from e


def _pieces(data: bytes, encoding: str) -> Iterator[tuple[int, str | None]]:
    """(offset, character) of each character; None for bytes that are none."""
    at = 0
    while at < len(data):
        try:
            text, bad = data[at:].decode(encoding), None
        except UnicodeDecodeError as e:
            text, bad = data[at : at + e.start].decode(encoding), (at + e.start, at + e.end)
        for character in text:
            yield at, character
            at += len(character.encode(encoding))
        if bad is None:
            return
        yield bad[0], None
        at = bad[1]


def _characters(
    data: bytes, encoding: str, errors: bytes, replacement: int, no_controls: bool
) -> Iterator[tuple[int, int]]:
    """(offset, code point) of each character, with what is none replaced, left out or refused."""
    for offset, character in _pieces(data, encoding):
        point = None if character is None else ord(character)
        if point is None and errors == b"strict":
            raise InvalidArgumentError("Invalid formatting on input string")
        if point is None or (no_controls and point < 0x20):
            if errors == b"ignore":
                continue
            point = replacement
        yield offset, point


def _decoded_shape(c: ShapeContext) -> list[Sizes]:
    sizes = c.input(0)
    count: Dim = None if sizes is None else product(sizes)
    return [(None if count is None else count + 1,), *[(None,)] * (c.output_count - 1)]


def _decoded(
    values: Any, encoding: bytes, errors: bytes, replacement: int, no_controls: bool, splits: DType
) -> tuple[Any, Any, Any]:
    codec = _codec(encoding)
    rows = [
        list(_characters(v, codec, errors, replacement, no_controls))
        for v in np.asarray(values, object).reshape(-1).tolist()
    ]
    flat = [pair for row in rows for pair in row]
    return (
        np.cumsum([0, *(len(row) for row in rows)]).astype(splits.numpy),
        np.array([point for _, point in flat], np.int32),
        np.array([offset for offset, _ in flat], np.int64),
    )


@op("UnicodeDecode", shape=_decoded_shape, runs=Runs.HOST, no_gradient="characters")
def unicode_decode(
    input: Any,
    *,
    input_encoding: bytes,
    errors: bytes,
    replacement_char: int,
    replace_control_characters: bool,
    Tsplits: DType,
) -> Any:
    """Where the characters of each string end, and the code points of all.

    errors  "replace", "ignore" or "strict": InvalidArgumentError for bytes that are no character
    """
    return _decoded(input, input_encoding, errors, replacement_char, replace_control_characters, Tsplits)[:2]


@op("UnicodeDecodeWithOffsets", shape=_decoded_shape, runs=Runs.HOST, no_gradient="characters")
def unicode_decode_with_offsets(
    input: Any,
    *,
    input_encoding: bytes,
    errors: bytes,
    replacement_char: int,
    replace_control_characters: bool,
    Tsplits: DType,
) -> Any:
    """UnicodeDecode, and at which byte of its string each character begins."""
    return _decoded(input, input_encoding, errors, replacement_char, replace_control_characters, Tsplits)


@op("UnicodeTranscode", shape=same_as(0), runs=Runs.HOST, no_gradient="strings")
def unicode_transcode(
    input: Any,
    *,
    input_encoding: bytes,
    output_encoding: bytes,
    errors: bytes,
    replacement_char: int,
    replace_control_characters: bool,
) -> Any:
    """Each string in another encoding."""
    source, target = _codec(input_encoding), _codec(output_encoding)

    def change(data: bytes) -> bytes:
        found = _characters(data, source, errors, replacement_char, replace_control_characters)
        return "".join(chr(point) for _, point in found).encode(target)

    return each(change, input)


def _encoded_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(0), 1)
    splits = with_rank(c, c.input(1), 1)[0]
    return [(None if splits is None else splits - 1,)]


@op("UnicodeEncode", shape=_encoded_shape, runs=Runs.HOST, no_gradient="strings")
def unicode_encode(
    input_values: Any, input_splits: Any, *, errors: bytes, output_encoding: bytes, replacement_char: int
) -> Any:
    """A string of each row of code points, which end at `input_splits`."""
    codec = _codec(output_encoding)
    points = []
    for value in input_values.tolist():
        good = 0 <= value < 0x110000 and not 0xD800 <= value < 0xE000
        if not good and errors == b"strict":
            raise InvalidArgumentError(f"Code point is out of range for Unicode, or a noncharacter: {value}.")
        points.append(chr(value) if good else "" if errors == b"ignore" else chr(replacement_char))
    ends = input_splits.tolist()
    if not ends or ends[0] != 0 or ends[-1] != len(points) or ends != sorted(ends):
        raise InvalidArgumentError(f"Invalid row splits: {ends} for {len(points)} values")
    return vector(["".join(points[a:b]).encode(codec) for a, b in pairwise(ends)])
