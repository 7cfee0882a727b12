"""One step of a network over sequences of several lengths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.opkit import nest
from regraft.v1._control_flow import cond
from regraft.v1._graph import colocate_with
from regraft.v1._indexing import where
from regraft.v1._tensor_array import TensorArray


def one_dtype(dtype: Any, state: Any) -> Any:
    """The dtype that is given, else that of the state. ValueError where that has none or several."""
    if dtype is not None:
        return dtype
    kinds = [tensor.dtype for tensor in nest.flatten(state)]
    if not kinds:
        raise ValueError(f"Unable to infer dtype from argument state={state}.")
    if any(kind != kinds[0] for kind in kinds):
        raise ValueError(
            f"Argument state={state} has tensors of different inferred dtypes. Unable to infer a single "
            f"representative dtype. Dtypes received: {kinds}"
        )
    return kinds[0]


def where_not_scalar(finished: Any, old: Any, new: Any) -> Any:
    """`old` in the rows where `finished` is true, else `new`; scalars and TensorArrays are always new."""
    if isinstance(old, TensorArray) or old.shape.rank == 0:
        return new
    with colocate_with(new):
        return where(finished, old, new)


def step(
    time: Any,
    lengths: Any,
    shortest: Any,
    longest: Any,
    zero_output: Any,
    state: Any,
    call: Callable[[], Any],
    skip_conditionals: bool = False,
) -> tuple[Any, Any]:
    """(output, state) of `call()`, but zeros and the old state for sequences that are over.

    skip_conditionals  whether the cell is called even where all sequences are over
    """
    zeros, old = nest.flatten(zero_output), nest.flatten(state)
    over = time >= lengths

    def called() -> list[Any]:
        output, new = call()
        nest.check_same(zero_output, output)
        nest.check_same(state, new)
        return [*nest.flatten(output), *nest.flatten(new)]

    def chosen(new: list[Any]) -> list[Any]:
        return [where_not_scalar(over, o, n) for o, n in zip([*zeros, *old], new, strict=True)]

    if skip_conditionals:
        results = chosen(called())
    else:

        def unless_all_run() -> Any:
            new = called()
            return cond(time < shortest, lambda: new, lambda: chosen(new))

        results = cond(time >= longest, lambda: [*zeros, *old], unless_all_run)
    for result, before in zip(results, [*zeros, *old], strict=True):
        if not isinstance(result, TensorArray):
            result.set_shape(before.shape)
    return nest.pack(zero_output, results[: len(zeros)]), nest.pack(state, results[len(zeros) :])
