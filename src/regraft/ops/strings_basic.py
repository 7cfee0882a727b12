"""Strings joined and matched: what a Saver's sub-graph needs."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, merge, same_as


def _joined_shape(c: ShapeContext) -> list[Sizes]:
    out: Sizes = ()
    for i in range(len(c)):
        shape = c.input(i)
        if shape is None:
            return [None]
        if shape != ():
            out = shape if out == () else merge(c, out, shape)
    return [out]


@op("StringJoin", shape=_joined_shape, runs=Runs.HOST)
def string_join(inputs: tuple[Any, ...], *, separator: bytes) -> Any:
    """The strings of all inputs, joined element by element; scalars stand for all elements."""
    shapes = {np.shape(i) for i in inputs if np.shape(i)}
    if len(shapes) > 1:
        raise InvalidArgumentError(f"Input shapes do not match: {', '.join(str(list(s)) for s in sorted(shapes))}")
    arrays = np.broadcast_arrays(*[np.asarray(i, object) for i in inputs])
    out = np.empty(arrays[0].shape, object)
    for index in np.ndindex(out.shape):
        parts: list[bytes] = [a[index] for a in arrays]  # type: ignore[misc]  # elements of object arrays
        out[index] = separator.join(parts)
    return out


def _matches(values: Any, pattern: bytes) -> Any:
    compiled = re.compile(pattern)
    values = np.asarray(values, object)
    out = np.empty(values.shape, np.bool_)
    for index in np.ndindex(values.shape):
        out[index] = compiled.fullmatch(values[index]) is not None
    return out


@op("StaticRegexFullMatch", shape=same_as(0), runs=Runs.HOST)
def static_regex_full_match(input: Any, *, pattern: bytes) -> Any:
    """Whether each string matches the pattern as a whole.

    differs  patterns are Python's, not RE2's; the common part of both is large
    """
    return _matches(input, pattern)


@op("RegexFullMatch", shape=same_as(0), runs=Runs.HOST)
def regex_full_match(input: Any, pattern: Any) -> Any:
    """Whether each string matches the pattern, a scalar, as a whole."""
    one: Any = np.asarray(pattern, object)[()]
    return _matches(input, one)
