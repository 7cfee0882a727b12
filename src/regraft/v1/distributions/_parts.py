"""What several distributions share: seeds, one more dimension, logits and probabilities."""

from __future__ import annotations

import hashlib
from typing import Any

from regraft.base import dtypes
from regraft.v1 import _context
from regraft.v1._array import shape
from regraft.v1._checks import (
    assert_equal,
    assert_greater_equal,
    assert_less_equal,
    assert_near,
    assert_non_negative,
    assert_rank_at_least,
)
from regraft.v1._graph import name_scope
from regraft.v1._graph_control import with_dependencies
from regraft.v1._math import cast, sigmoid
from regraft.v1._nn_basic import softmax
from regraft.v1._opening import opened
from regraft.v1._reduction import reduce_sum


def given(local_names: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a constructor, from its `locals()`."""
    return {k: v for k, v in local_names.items() if k not in ("self", "__class__")}


def new_seed(seed: int | None, salt: str) -> int | None:
    """Another seed that follows from this one."""
    if seed is None:
        return None
    return int(hashlib.md5(f"{seed}{salt}".encode()).hexdigest()[:8], 16) & 0x7FFFFFFF


def expanded(x: Any) -> Any:
    """`x` with one dimension more at the end."""
    return x[..., None]


def logits_and_probs(logits: Any, probs: Any, validate_args: bool, name: str, classes: bool = False) -> tuple[Any, Any]:
    """Both from either. ValueError for both or none; TypeError for integers.

    classes  whether the last dimension is that of classes
    """
    with name_scope(name, values=[probs, logits]):
        if (probs is None) == (logits is None):
            raise ValueError("Must pass probs or logits, but not both.")
        b = _context.builder()
        if probs is None:
            logits = b.convert(logits, name="logits")
            if not logits.dtype.is_floating:
                raise TypeError("logits must having floating type.")
            if not classes:
                return logits, sigmoid(logits, name="probs")
            logits = checked_classes(logits) if validate_args else logits
            return logits, softmax(logits, name="probs")
        probs = b.convert(probs, name="probs")
        if not probs.dtype.is_floating:
            raise TypeError("probs must having floating type.")
        if validate_args:
            probs = _checked(b, probs, classes)
        with name_scope("logits"):
            if classes:
                return b.Log(probs), probs
            return b.Log(probs) - b.Log1p(-1.0 * probs), probs


def _checked(b: Any, probs: Any, classes: bool) -> Any:
    with name_scope("validate_probs"):
        one = b.constant(1.0, probs.dtype.base)
        checks = [assert_non_negative(probs)]
        if classes:
            probs = checked_classes(probs)
            checks.append(assert_near(reduce_sum(probs, -1), one, message="probs does not sum to 1."))
        else:
            checks.append(assert_less_equal(probs, one, message="probs has components greater than 1."))
        return with_dependencies(checks, probs)


def checked_event(x: Any, largest: int, kind: str) -> Any:
    """`x` behind checks for whole numbers from 0 to `largest`, which `kind` can hold."""
    with opened(None, "embed_check_casting_closed", x) as (b, _):
        x = b.convert(x, name="x")
        checks = [assert_non_negative(x, message="Elements must be non-negative.")]
        if x.dtype.is_floating:
            with opened(None, "assert_integer_form", x):
                whole = cast(cast(x, kind), x.dtype)
                message = f"Elements must be {kind}-equivalent."
                checks.append(assert_equal(x, whole, message=message, name="assert_integer_form"))
        elif x.dtype.is_integer and x.dtype.base.max > largest:
            checks.append(assert_less_equal(x, largest, message=f"Elements cannot exceed {largest}."))
        return with_dependencies(checks, x)


def checked_classes(x: Any) -> Any:
    """Parameters of classes: at least two. ValueError where there are known to be fewer."""
    with opened(None, "embed_check_categorical_event_shape", x) as (b, _):
        x = b.convert(x, name="categorical_param")
        known = x.shape.with_rank_at_least(1)
        count = known.as_list()[-1] if known.rank is not None else None
        few = "A categorical-distribution parameter must have at least 2 events."
        if count is not None:
            if count < 2:
                raise ValueError(few)
            return x
        most = {dtypes.half: 2**11, dtypes.float32: 2**24, dtypes.float64: 2**53}[x.dtype.base]
        size = shape(x, name="x_shape")[-1]
        checks = [
            assert_rank_at_least(x, 1, message="A categorical-distribution parameter must have at least 1 dimension."),
            assert_greater_equal(shape(x)[-1], 2, message=few),
            assert_less_equal(
                size,
                most,
                message=f"Number of classes exceeds `dtype` precision, i.e., {x.dtype.base.name} dtype cannot exceed "
                f"{most} shape.",
            ),
        ]
        return with_dependencies(checks, x)
