"""Functions of strings that are more than one op, or that choose between ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.ir.node import Tensor
from regraft.v1._array import rank
from regraft.v1._opening import on, opened, renamed
from regraft.v1._reduction import range as range_
from regraft.v1._sparse_tensor import SparseTensor

__all__ = [
    "format",
    "join",
    "length",
    "reduce_join",
    "regex_full_match",
    "regex_replace",
    "split",
    "string_split",
    "substr",
    "to_hash_bucket",
    "to_number",
    "unsorted_segment_join",
]


def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Any:
    """Whether each whole string matches the pattern, a string or a scalar tensor."""
    if isinstance(pattern, (str, bytes)):
        return on(input).StaticRegexFullMatch(input, pattern=pattern, name=name)
    return on(input, pattern).RegexFullMatch(input, pattern, name=name)


def regex_replace(input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None) -> Any:
    r"""Each string with all that matches the pattern, or the first, replaced; `\1` is the first group."""
    if isinstance(pattern, (str, bytes)) and isinstance(rewrite, (str, bytes)):
        return on(input).StaticRegexReplace(
            input, pattern=pattern, rewrite=rewrite, replace_global=replace_global, name=name
        )
    return on(input, pattern, rewrite).RegexReplace(input, pattern, rewrite, replace_global=replace_global, name=name)


def format(template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None) -> Any:
    """The template with a text of each tensor at its placeholders. ValueError if their numbers differ."""
    inputs = [inputs] if isinstance(inputs, Tensor) else inputs
    if template.count(placeholder) != len(inputs):
        raise ValueError(
            f"The template expects {template.count(placeholder)} tensors, but the inputs only has {len(inputs)}. "
            "Please ensure the number of placeholders in template matches inputs length."
        )
    return on(inputs).StringFormat(inputs, template=template, placeholder=placeholder, summarize=summarize, name=name)


def string_split(
    source: Any,
    sep: Any = None,
    skip_empty: bool = True,
    delimiter: Any = None,
    result_type: str = "SparseTensor",
    name: str | None = None,
) -> SparseTensor:
    """The parts of each string of a vector between any characters of `sep`, as a sparse matrix.

    skip_empty  leave out parts of no characters
    raises      NotImplementedError for ragged results
    """
    with opened(name, "StringSplit", source) as (b, _):
        sep = renamed("sep", sep, "delimiter", delimiter)
        sep = b.convert(" " if sep is None else sep, dtypes.string)
        source = b.convert(source, dtypes.string)
        return _parts(b.StringSplit(source, sep, skip_empty=skip_empty), result_type)


def split(
    input: Any = None,
    sep: Any = None,
    maxsplit: int = -1,
    result_type: str = "SparseTensor",
    source: Any = None,
    name: str | None = None,
) -> SparseTensor:
    """The parts of each string of a vector as Python's `split` makes them, as a sparse matrix.

    raises  NotImplementedError for ragged results; ValueError for an input that is no vector
    """
    input = renamed("input", input, "source", source)
    with opened(name, "StringSplit", input) as (b, _):
        input = b.convert(input, dtypes.string, name="input")
        if input.shape.rank == 0:
            input = b.expand_dims(input, 0)
        sep = b.convert("" if sep is None else sep, dtypes.string)
        return _parts(b.StringSplitV2(input, sep, maxsplit=maxsplit), result_type)


def _parts(found: Any, result_type: str) -> SparseTensor:
    if result_type == "RaggedTensor":
        raise NotImplementedError("ragged tensors are not supported: ask for result_type='SparseTensor'")
    if result_type != "SparseTensor":
        raise ValueError("result_type must be 'RaggedTensor' or 'SparseTensor'.")
    return SparseTensor(*found)


def reduce_join(
    inputs: Any,
    axis: Any = None,
    keep_dims: bool | None = None,
    separator: str = "",
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: bool | None = None,
) -> Any:
    """The strings along axes joined; by default all of them, in row-major order."""
    keepdims = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    with opened(None, "ReduceJoin", inputs, axis) as (b, _):
        inputs = b.convert(inputs)
        if axis is None:
            known = inputs.shape.rank
            if known is not None:
                axis = b.constant(np.arange(known - 1, -1, -1), dtypes.int32)
            else:
                axis = range_(rank(inputs) - 1, -1, -1)
        return b.ReduceJoin(inputs, axis, keep_dims=keepdims, separator=separator, name=name)


def join(inputs: Any, separator: str = "", name: str | None = None) -> Any:
    """The strings of several tensors of one shape (or scalars) joined, element by element."""
    return on(inputs).StringJoin(inputs, separator=separator, name=name)


def length(input: Any, name: str | None = None, unit: str = "BYTE") -> Any:
    """The number of bytes, or of characters (`unit` "UTF8_CHAR"), of each string, int32."""
    return on(input).StringLength(input, unit=unit, name=name)


def substr(input: Any, pos: Any, len: Any, name: str | None = None, unit: str = "BYTE") -> Any:
    """The part of each string at `pos` of at most `len` bytes (or characters, `unit` "UTF8_CHAR")."""
    return on(input, pos, len).Substr(input, pos, len, unit=unit, name=name)


def to_number(
    string_tensor: Any = None, out_type: Any = dtypes.float32, name: str | None = None, input: Any = None
) -> Any:
    """The number that each string is the text of."""
    string_tensor = renamed("input", input, "string_tensor", string_tensor)
    return on(string_tensor).StringToNumber(string_tensor, out_type=out_type, name=name)


def to_hash_bucket(
    string_tensor: Any = None, num_buckets: int | None = None, name: str | None = None, input: Any = None
) -> Any:
    """The hash of each string modulo `num_buckets`, int64."""
    string_tensor = renamed("input", input, "string_tensor", string_tensor)
    return on(string_tensor).StringToHashBucket(string_tensor, num_buckets=num_buckets, name=name)


def unsorted_segment_join(
    inputs: Any, segment_ids: Any, num_segments: Any, separator: str = "", name: str | None = None
) -> Any:
    """The strings of each segment joined."""
    return on(inputs, segment_ids, num_segments).UnsortedSegmentJoin(
        inputs, segment_ids, num_segments, separator=separator, name=name
    )
