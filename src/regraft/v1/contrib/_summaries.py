"""Summaries of tensors, activations and collections."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.ir.graph_keys import GraphKeys
from regraft.v1 import _context, summary
from regraft.v1._math import cast, to_float
from regraft.v1._opening import on
from regraft.v1._reduction import reduce_mean

__all__ = [
    "summarize_activation",
    "summarize_activations",
    "summarize_biases",
    "summarize_collection",
    "summarize_tensor",
    "summarize_tensors",
    "summarize_variables",
    "summarize_weights",
]


def _share(inputs: Any, op_type: str, bound: float, tag: str) -> None:
    """The share of inputs beyond a bound."""
    b = on(inputs)
    summary.scalar(tag, reduce_mean(to_float(b.op(op_type, inputs, cast(bound, inputs.dtype)))))


def summarize_activation(op: Any) -> Any:
    """A histogram of the activation; for some functions also which share of the inputs they cut off."""
    kind, name = op.op.type, op.op.name
    if kind in ("Relu", "Softplus", "Relu6"):
        _share(op.op.inputs[0], "Less", 0.0, f"{name}/zeros")
    if kind == "Relu6":
        _share(op.op.inputs[0], "Greater", 6.0, f"{name}/sixes")
    return summary.histogram(f"{name}/activation", op)


def summarize_tensor(tensor: Any, tag: str | None = None) -> Any:
    """A scalar summary of a scalar, a histogram of anything else, None for strings and booleans."""
    if tensor.dtype.base in (dtypes.string, dtypes.bool_):
        return None
    tag = tag or f"{tensor.op.name}_summary"
    return summary.scalar(tag, tensor) if tensor.get_shape().ndims == 0 else summary.histogram(tag, tensor)


def summarize_tensors(tensors: Any, summarizer: Callable[[Any], Any] = summarize_tensor) -> list[Any]:
    """The summaries of all."""
    return [summarizer(tensor) for tensor in tensors]


def summarize_collection(
    collection: str, name_filter: str | None = None, summarizer: Callable[[Any], Any] = summarize_tensor
) -> list[Any]:
    """The summaries of those items of a collection whose names match a pattern."""
    items = _context.get_default_graph().get_collection(collection)
    found = [item for item in items if name_filter is None or re.match(name_filter, item.op.name)]
    return summarize_tensors(found, summarizer)


summarize_variables = functools.partial(summarize_collection, GraphKeys.GLOBAL_VARIABLES)
summarize_weights = functools.partial(summarize_collection, GraphKeys.WEIGHTS)
summarize_biases = functools.partial(summarize_collection, GraphKeys.BIASES)


def summarize_activations(
    name_filter: str | None = None, summarizer: Callable[[Any], Any] = summarize_activation
) -> list[Any]:
    """The summaries of the collection ACTIVATIONS."""
    return summarize_collection(GraphKeys.ACTIVATIONS, name_filter, summarizer)
