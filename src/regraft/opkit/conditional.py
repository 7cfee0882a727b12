"""Building a conditional of v1: two branches behind Switches, and a Merge for each result."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Operation, Tensor
from regraft.opkit import control_nodes, nest
from regraft.opkit.builder import Builder
from regraft.opkit.control_context import CondContext
from regraft.opkit.slices import IndexedSlices


def build_cond(b: Builder, pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any], strict: bool) -> Any:
    """What `true_fn()` returns where `pred` is true, else what `false_fn()` returns; call it in the name scope.

    strict   give a list of one result as a list
    returns  in the structure that both functions return: tensors, slices; a tensor for an operation
    raises   ValueError or TypeError where the results of the two do not fit each other
    """
    graph = b.graph
    when_false, when_true = control_nodes.switch(b, pred, pred)
    pivots = (b.identity(when_true, name="switch_t"), b.identity(when_false, name="switch_f"))
    pred = b.identity(pred, name="pred_id")
    for tensor in (when_false, *pivots, pred):
        graph.prevent_fetching(tensor.op)

    branches = []
    for pivot, branch, function in ((pivots[0], 1, true_fn), (pivots[1], 0, false_fn)):
        context = CondContext(graph, pred, pivot, branch)
        with context.entered():
            returned = function()
            if returned is None:
                raise ValueError(f"'{'true' if branch else 'false'}_fn' must have a return value.")
            returned = nest.map_structure(lambda v: b.convert(v) if is_variable(v) else v, returned)
            results = nest.map_structure(functools.partial(_result, b, context), returned)
            context.ExitResult(nest.flatten(results))
        branches.append((context, returned, results))
    (context, form, of_true), (other_context, other_form, of_false) = branches
    if not strict:
        form, other_form = _single(form), _single(other_form)
    of_true, of_false = _fitting(b, form, other_form, of_true, of_false)

    merges = [_merged(b, x, y) for x, y in zip(nest.flatten(of_false), nest.flatten(of_true), strict=True)]
    merges = [like_flow(leaf, tensor) for leaf, tensor in zip(nest.flatten(form), merges, strict=True)]
    if context.outer_context is None:  # those inside others are kept by the outermost
        graph.add_to_collection(GraphKeys.COND_CONTEXT, context)
        graph.add_to_collection(GraphKeys.COND_CONTEXT, other_context)
    found = nest.pack(form, merges)
    return found if strict else _single(found)


def is_variable(value: Any) -> bool:
    """Whether it is a resource variable, which has a handle as a TensorArray does."""
    return hasattr(value, "handle") and not hasattr(value, "_with_flow")


def as_flow(value: Any) -> Any:
    """The tensor that goes through control flow for a TensorArray: its flow. Other values are themselves."""
    return value.flow if hasattr(value, "_with_flow") else value


def like_flow(value: Any, tensor: Any) -> Any:
    """`tensor`, or the TensorArray `value` with that flow."""
    return value._with_flow(tensor) if hasattr(value, "_with_flow") else tensor


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


def _result(b: Builder, context: CondContext, value: Any) -> Tensor:
    if isinstance(value, Operation):
        return b.with_dependencies([value], context.pivot)
    return context.AddResult(b.convert(as_flow(value)))


def _fitting(b: Builder, form: Any, other_form: Any, of_true: Any, of_false: Any) -> tuple[Any, Any]:
    """The results of both branches, once they fit. Slices whose indices differ in type get int64 ones."""
    try:
        nest.check_same(form, other_form)
    except (TypeError, ValueError) as e:
        kind = "types" if isinstance(e, TypeError) else "values"
        raise type(e)(f"Incompatible return {kind} of 'true_fn' and 'false_fn': {e}") from e
    if nest.is_nested(of_true) and not nest.flatten(of_true):
        raise ValueError("'true_fn' and 'false_fn' must return at least one result.")
    if isinstance(of_true, IndexedSlices) and isinstance(of_false, IndexedSlices):
        kinds = (of_true.indices.dtype.base, of_false.indices.dtype.base)
        if kinds[0] is not kinds[1]:
            of_true, of_false = (
                IndexedSlices(s.values, b.cast(s.indices, dtypes.int64), s.dense_shape) for s in (of_true, of_false)
            )
    return of_true, of_false


def _merged(b: Builder, when_false: Tensor, when_true: Tensor) -> Tensor:
    if when_false.dtype.base is not when_true.dtype.base:
        raise ValueError(
            "Outputs of 'true_fn' and 'false_fn' must have the same type(s). Received "
            f"{when_true.dtype.name} from 'true_fn' and {when_false.dtype.name} from 'false_fn'."
        )
    merged: Tensor = control_nodes.merge(b, [when_false, when_true])[0]
    return merged
