"""Strings cut, joined, replaced and cleaned."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.reduced import reduction
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, broadcast_shapes, merge, same_as, with_rank
from regraft.opkit.texts import each, text, vector

_BLANK = b" \t\n\x0b\x0c\r"


def _split_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(0), 1)
    if c.node.type == "StringSplitV2":
        with_rank(c, c.input(1), 0)
    return [(None, 2), (None,), (2,)]


def _sparse(rows: list[list[bytes]]) -> Any:
    indices = [(i, j) for i, row in enumerate(rows) for j in range(len(row))]
    shape = np.array([len(rows), max((len(row) for row in rows), default=0)], np.int64)
    return np.array(indices, np.int64).reshape(-1, 2), vector([part for row in rows for part in row]), shape


@op("StringSplit", shape=_split_shape, runs=Runs.HOST, no_gradient="strings")
def string_split(input: Any, delimiter: Any, *, skip_empty: bool) -> Any:
    """The parts of each string between any bytes of `delimiter`, as a sparse matrix; its bytes if that is empty."""
    bounds = text(delimiter) if np.size(delimiter) else b""
    if np.ndim(delimiter) > 1 or np.size(delimiter) != 1:
        raise InvalidArgumentError(f"delimiter must be scalar, got shape: {list(np.shape(delimiter))}")
    pattern = re.compile(b"[" + re.escape(bounds) + b"]") if bounds else None
    rows = []
    for value in input.tolist():
        if pattern is None:
            rows.append([value[i : i + 1] for i in range(len(value))])
            continue
        parts = pattern.split(value) if value else []
        rows.append([p for p in parts if p] if skip_empty else parts)
    return _sparse(rows)


@op("StringSplitV2", shape=_split_shape, runs=Runs.HOST, no_gradient="strings")
def string_split_v2(input: Any, sep: Any, *, maxsplit: int) -> Any:
    """The parts of each string as Python's `split` makes them (of white space where `sep` is empty)."""
    bounds = text(sep)
    return _sparse([_parts(value, bounds, maxsplit) for value in input.tolist()])


def _parts(value: bytes, bounds: bytes, most: int) -> list[bytes]:
    if bounds:
        return value.split(bounds, most)
    parts = value.split(None, most)
    # Where the number of parts is limited, TensorFlow keeps what is left behind the last one, and be it nothing.
    if most >= 0 and len(parts) == most and parts:
        parts.append(b"")
    return parts


def _substr_shape(c: ShapeContext) -> list[Sizes]:
    values, pos, length = c.input(0), c.input(1), c.input(2)
    if pos is not None and length is not None and len(pos) != len(length):
        raise c.fail(f"pos and len must have the same rank, got {len(pos)} and {len(length)}")
    merge(c, pos, length)
    return [broadcast_shapes(c, values, pos)]


@op("Substr", shape=_substr_shape, runs=Runs.HOST, no_gradient="strings")
def substr(input: Any, pos: Any, len: Any, *, unit: bytes) -> Any:
    """The part of each string at `pos` (from the end if negative) of at most `len` bytes, or UTF-8 characters.

    raises InvalidArgumentError for a position outside the string
    """
    values, starts, counts = np.broadcast_arrays(np.asarray(input), pos, len)
    out = np.empty(values.shape, object)
    for number, index in enumerate(np.ndindex(values.shape)):
        value: Any = values[index]
        chars: Any = characters(value) if unit == b"UTF8_CHAR" else value
        start, count, size = int(starts[index]), int(counts[index]), chars.__len__()
        if not -size <= start <= size:
            raise InvalidArgumentError(f"pos {start} out of range for string {value!r} at index {number}")
        begin = start + size if start < 0 else start
        part = chars[begin:] if count < 0 else chars[begin : begin + count]
        out[index] = b"".join(part) if unit == b"UTF8_CHAR" else part
    return out


def characters(value: bytes) -> list[bytes]:
    """The bytes in groups that each begin a UTF-8 character; stray continuation bytes belong to the one before."""
    starts = [i for i, byte in enumerate(value) if byte & 0xC0 != 0x80]
    return [value[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]


@op("StringLength", shape=same_as(0), runs=Runs.HOST, no_gradient="an integer")
def string_length(input: Any, *, unit: bytes) -> Any:
    """The number of bytes, or of UTF-8 characters, of each string, int32."""
    if unit == b"UTF8_CHAR":
        return each(lambda s: sum(byte & 0xC0 != 0x80 for byte in s), input, np.int32)
    return each(len, input, np.int32)


def _case(change: str, values: Any, encoding: bytes) -> Any:
    if encoding not in (b"", b"utf-8"):
        raise InvalidArgumentError(f"encoding must be '' or 'utf-8', got {encoding.decode()!r}")
    if encoding:
        return each(lambda s: getattr(s.decode("utf-8", "replace"), change)().encode(), values)
    return each(lambda s: getattr(s, change)(), values)


@op("StringUpper", shape=same_as(0), runs=Runs.HOST, no_gradient="strings")
def string_upper(input: Any, *, encoding: bytes) -> Any:
    """Each string in capitals: ASCII letters alone, or all with `encoding` utf-8."""
    return _case("upper", input, encoding)


@op("StringLower", shape=same_as(0), runs=Runs.HOST, no_gradient="strings")
def string_lower(input: Any, *, encoding: bytes) -> Any:
    """Each string in small letters: ASCII letters alone, or all with `encoding` utf-8."""
    return _case("lower", input, encoding)


@op("StringStrip", shape=same_as(0), runs=Runs.HOST, no_gradient="strings")
def string_strip(input: Any) -> Any:
    """Each string without white space at its ends."""
    return each(lambda s: s.strip(_BLANK), input)


def replaced(values: Any, pattern: bytes, rewrite: bytes, everywhere: bool) -> Any:
    """Each string with what matches the pattern replaced; `\\\\1` in `rewrite` is the first group."""
    try:
        compiled = re.compile(pattern)
    except re.error as e:
        raise InvalidArgumentError(f"Invalid pattern: {pattern.decode(errors='replace')}, error: {e}") from e
    pieces = re.split(rb"\\(.)", rewrite, flags=re.S)
    if any(p.isdigit() and int(p) > compiled.groups for p in pieces[1::2]):
        return each(lambda s: s, values)

    def fill(match: re.Match[bytes]) -> bytes:
        out = [pieces[0]]
        for code, plain in zip(pieces[1::2], pieces[2::2], strict=True):
            out += [(match.group(int(code)) or b"") if code.isdigit() else code, plain]
        return b"".join(out)

    def change(value: bytes) -> bytes:
        out, copied, ended = [], 0, -1
        for match in compiled.finditer(value):
            # Nothing is found right behind a match: RE2 counts no empty match there, Python does.
            if match.end() == match.start() == ended:
                continue
            out += [value[copied : match.start()], fill(match)]
            copied = ended = match.end()
            if not everywhere:
                break
        return b"".join([*out, value[copied:]])

    return each(change, values)


def _regex_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(1), 0)
    with_rank(c, c.input(2), 0)
    return [c.input(0)]


@op("RegexReplace", shape=_regex_shape, runs=Runs.HOST, no_gradient="strings")
def regex_replace(input: Any, pattern: Any, rewrite: Any, *, replace_global: bool) -> Any:
    """Each string with all that matches the pattern, or the first, replaced.

    differs  patterns are Python's on bytes, not RE2's on UTF-8; the common part of both is large
    """
    return replaced(input, text(pattern), text(rewrite), replace_global)


@op("StaticRegexReplace", shape=same_as(0), runs=Runs.HOST, no_gradient="strings")
def static_regex_replace(input: Any, *, pattern: bytes, rewrite: bytes, replace_global: bool) -> Any:
    """RegexReplace with a pattern that never changes."""
    return replaced(input, pattern, rewrite, replace_global)


@op("ReduceJoin", shape=reduction, runs=Runs.HOST, no_gradient="strings")
def reduce_join(inputs: Any, reduction_indices: Any, *, keep_dims: bool, separator: bytes) -> Any:
    """The strings along dimensions joined, the dimension that is named first innermost."""
    inputs = np.asarray(inputs)
    axes = []
    for axis in np.asarray(reduction_indices).reshape(-1).tolist():
        if not -inputs.ndim <= axis < inputs.ndim:
            raise InvalidArgumentError(f"Invalid reduction dimension {axis} for input with {inputs.ndim} dimension(s)")
        if axis % inputs.ndim in axes:
            raise InvalidArgumentError(f"Duplicate reduction dimension {axis}")
        axes.append(axis % inputs.ndim)
    if not axes:
        return inputs
    rest = [i for i in range(inputs.ndim) if i not in axes]
    shape = [inputs.shape[i] for i in rest]
    rows = inputs.transpose([*rest, *axes[::-1]]).reshape([*shape, -1])
    out = np.empty(shape, object)
    for index in np.ndindex(*shape):
        out[index] = separator.join(rows[index].tolist())
    return out.reshape([1 if i in axes else d for i, d in enumerate(inputs.shape)]) if keep_dims else out
