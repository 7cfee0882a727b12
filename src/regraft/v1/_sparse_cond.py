"""A conditional between sparse tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.v1._control_flow import cond
from regraft.v1._sparse_tensor import SparseTensor, parts

__all__: list[str] = []


def cond_of(example: Any, pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """`tf.cond` whose branches give sparse tensors where `example` is one, else tensors."""
    if not isinstance(example, SparseTensor):
        return cond(pred, true_fn, false_fn)
    return SparseTensor(*cond(pred, lambda: parts(true_fn()), lambda: parts(false_fn())))
