"""Checks of numbers that are finite or grow, and second derivatives."""

from __future__ import annotations

from typing import Any

from regraft.base.dtypes import float16, float32, float64, int32
from regraft.ir.node import Operation, Tensor
from regraft.v1 import _context
from regraft.v1._opening import opened, renamed

__all__ = [
    "add_check_numerics_ops",
    "assert_all_finite",
    "hessians",
    "is_non_decreasing",
    "is_strictly_increasing",
    "verify_tensor_all_finite",
]


def verify_tensor_all_finite(
    t: Any = None, msg: str | None = None, name: str | None = None, x: Any = None, message: str | None = None
) -> Tensor:
    """`x`, whose computation fails with InvalidArgumentError and `message` where an element is NaN or infinite.

    `t` and `msg` are the older names of `x` and `message`.
    """
    from regraft.v1._graph_control import with_dependencies

    x, message = renamed("x", x, "t", t), renamed("message", message, "msg", msg)
    with opened(name, "VerifyFinite", x) as (b, _):
        x = b.convert(x, name="x")
        with b.graph.colocate_with(x):
            checked = b.CheckNumerics(x, message=message)
            tensor: Tensor = with_dependencies([checked], x)
    return tensor


assert_all_finite = verify_tensor_all_finite


def add_check_numerics_ops() -> Operation:
    """An operation that checks every float tensor of the default graph, in the order in which they were made.

    raises  ValueError where there are conditionals or loops
    """
    if _context.executing_eagerly():
        raise RuntimeError("add_check_numerics_ops() is not compatible with eager execution.")
    b = _context.builder()
    last: list[Any] = []
    for op in b.graph.get_operations():
        for output in op.outputs:
            if output.dtype not in (float16, float32, float64):
                continue
            if op.control_flow_context is not None:
                raise ValueError(
                    "`tf.add_check_numerics_ops() is not compatible with TensorFlow control flow operations such as "
                    f"`tf.cond()` or `tf.while_loop()`: {op.name!r} stands in one."
                )
            with b.graph.control_dependencies(last):
                last = [b.CheckNumerics(output, message=f"{op.name}:{output.value_index}")]
    return b.group(*last)


def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Whether no element of `x`, read row by row, is smaller than the one before it."""
    return _all_pairs(x, "greater_equal", name, "is_non_decreasing")


def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Whether each element of `x`, read row by row, is larger than the one before it."""
    return _all_pairs(x, "greater", name, "is_strictly_increasing")


def _all_pairs(x: Any, comparison: str, name: str | None, default: str) -> Tensor:
    import regraft.v1 as tf

    with opened(name, default, x):
        x = tf.reshape(x, [-1])
        if not tf.debugging.is_numeric_tensor(x):
            raise TypeError(f"Expected x to be numeric, instead found: {x}")
        short = tf.less(tf.size(x), 2)
        length = tf.shape(x) - 1
        compare, ends = getattr(tf, comparison), [1]
        pairs = tf.cond(
            short,
            lambda: tf.convert_to_tensor([], dtype=tf.bool),
            lambda: compare(tf.strided_slice(x, [1], ends + length), tf.strided_slice(x, [0], length)),
        )
        result: Tensor = tf.reduce_all(pairs)
    return result


def hessians(
    ys: Any,
    xs: Any,
    name: str = "hessians",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: int | None = None,
) -> list[Tensor]:
    """The second derivatives of the sum of `ys`, of each x by itself: tensors of shape(x) + shape(x)."""
    import regraft.v1 as tf

    xs = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    first = tf.gradients(
        ys,
        xs,
        colocate_gradients_with_ops=colocate_gradients_with_ops,
        gate_gradients=gate_gradients,
        aggregation_method=aggregation_method,
    )
    found = []
    for gradient, x in zip(first, xs, strict=True):
        flat = tf.reshape(gradient, [-1])
        count = tf.size(x)
        begin = [tf.constant(0, int32), tf.TensorArray(x.dtype, count)]

        def row(j: Any, rows: Any, flat: Any = flat, x: Any = x) -> Any:
            return j + 1, rows.write(j, tf.gradients(flat[j], x)[0])

        _, rows = tf.while_loop(lambda j, _, count=count: j < count, row, begin)
        shape = tf.shape(x)
        found.append(tf.reshape(rows.stack(), tf.concat((shape, shape), 0)))
    return found
