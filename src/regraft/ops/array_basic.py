"""Constants, placeholders, the ops that hand a tensor on, and those that check or print one."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.base.shapes import TensorShape
from regraft.ir.attr import TensorValue
from regraft.ir.node import Operation
from regraft.opkit.arrays import lax, namespace, on_host, static_shape
from regraft.opkit.builder import Builder
from regraft.opkit.registry import Control, Runs, control_op, op
from regraft.opkit.shapes import ShapeContext, Sizes, merge, no_outputs, same_as, with_rank
from regraft.opkit.summarize import summarize


def _const_shape(c: ShapeContext) -> list[Sizes]:
    return [tuple(c.attr("value").array.shape)]


@op("Const", shape=_const_shape, no_gradient="a constant")
def const(*, value: TensorValue) -> Any:
    """The tensor that the node carries."""
    return value.array


def _placeholder_shape(c: ShapeContext) -> list[Sizes]:
    # Before producer 24 an empty shape attribute could also mean that nothing is known.
    declared = TensorShape(c.attr("shape")).sizes
    return [None if declared == () and c.node.graph.producer < 24 else declared]


# Values that the caller feeds: the planner says which one is missing.
control_op("Placeholder", "PlaceholderV2", shape=_placeholder_shape, control=Control.PLACEHOLDER)


def _default_shape(c: ShapeContext) -> list[Sizes]:
    # The default must fit the declared shape, but what is fed need not have the default's.
    declared = TensorShape(c.attr("shape")).sizes
    merge(c, c.input(0), declared)
    return [declared]


@op("PlaceholderWithDefault", shape=_default_shape, pure=False)
def placeholder_with_default(input: Any) -> Any:
    """The value fed, else `input`."""
    return input


@placeholder_with_default.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [dy]


# Ops that hand their input on.


@op("Identity", shape=same_as(0), alias=True, elementwise=True, surplus="keeps")
def identity(input: Any) -> Any:
    """The input."""
    return input


@identity.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [dy]


@op("IdentityN", shape=lambda c: c.inputs)
def identity_n(input: tuple[Any, ...]) -> Any:
    """The inputs."""
    return input


@identity_n.gradient
def _(b: Builder, node: Operation, *dys: Any) -> list[Any]:
    return list(dys)


@op(
    "Snapshot",
    "Copy",
    "CopyHost",
    "GuaranteeConst",
    "DebugGradientIdentity",
    shape=same_as(0),
)
def snapshot(input: Any) -> Any:
    """The input. The watching that some of these ops do besides is left out."""
    return input


@op("DeepCopy", shape=same_as(0))
def deep_copy(x: Any) -> Any:
    """A copy of x."""
    return namespace(x).copy(x)


@op("StopGradient", shape=same_as(0), elementwise=True, no_gradient="that is what it is for")
def stop_gradient(input: Any) -> Any:
    """The input, through which no gradient flows."""
    return input


@op("PreventGradient", shape=same_as(0))
def prevent_gradient(input: Any) -> Any:
    """The input; to ask for a gradient through it is an error."""
    return input


@prevent_gradient.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    raise LookupError(f"Gradient explicitly disabled. Reason: {node.get_attr('message')!r}")


@op("NoOp", shape=no_outputs)
def no_op() -> None:
    """Nothing; control edges give it its use."""


# Checks.


def _not_finite(tensor: Any) -> tuple[bool, bool, bool]:
    wide = tensor.astype(np.float32) if tensor.dtype.itemsize < 4 else tensor
    return bool(np.isnan(wide).any()), bool(np.isneginf(wide).any()), bool(np.isposinf(wide).any())


@op("CheckNumerics", shape=same_as(0))
def check_numerics(tensor: Any, *, message: bytes) -> Any:
    """The input, if all of it is finite.

    raises   InvalidArgumentError if it holds NaN or infinity
    differs  in a compiled program nothing is checked
    """
    if on_host(tensor):
        nan, negative, positive = _not_finite(tensor)
        found = [name for name, seen in (("Inf", negative or positive), ("NaN", nan)) if seen]
        if found:
            raise InvalidArgumentError(f"{message.decode()} : Tensor had {' and '.join(found)} values")
    return tensor


@check_numerics.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.CheckNumerics(dy, message=_gradient_message(node))]


@op("CheckNumericsV2", shape=same_as(0))
def check_numerics_v2(tensor: Any, *, message: bytes) -> Any:
    """The input, if all of it is finite; the error tells the two infinities apart.

    raises   InvalidArgumentError if it holds NaN or infinity
    differs  in a compiled program nothing is checked
    """
    if on_host(tensor):
        seen = zip(("NaN", "-Inf", "+Inf"), _not_finite(tensor), strict=True)
        found = [name for name, there in ((s[0], s[1]) for s in seen) if there]
        if found:
            order = [name for name in ("-Inf", "+Inf", "NaN") if name in found]
            names = order[0] if len(order) == 1 else f"{', '.join(order[:-1])} and {order[-1]}"
            raise InvalidArgumentError(f"{message.decode()} : Tensor had {names} values")
    return tensor


@check_numerics_v2.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.CheckNumericsV2(dy, message=_gradient_message(node))]


def _gradient_message(node: Operation) -> str:
    # TensorFlow formats the attribute, which is bytes, with %s.
    return f"Not a number (NaN) or infinity (Inf) values detected in gradient. {node.get_attr('message')!s}"


def _ensured_shape(c: ShapeContext) -> list[Sizes]:
    return [merge(c, c.input(0), TensorShape(c.attr("shape")).sizes)]


@op("EnsureShape", shape=_ensured_shape)
def ensure_shape(input: Any, *, shape: TensorShape) -> Any:
    """The input, if its shape is compatible with `shape`. InvalidArgumentError if it is not."""
    if not shape.is_compatible_with(static_shape(input)):
        raise InvalidArgumentError(
            f"Shape of tensor {list(static_shape(input))} is not compatible with expected shape {shape}."
        )
    return input


@ensure_shape.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [dy]


@op("Assert", shape=no_outputs, checks=True, no_gradient="no result")
def check(condition: Any, data: tuple[Any, ...], *, summarize: int) -> None:
    """Nothing, if `condition` holds. InvalidArgumentError with `data` if it does not."""
    if np.size(condition) != 1:
        raise InvalidArgumentError(f"In[0] should be a scalar: {list(np.shape(condition))}")
    if not bool(np.all(condition)):
        raise InvalidArgumentError(f"assertion failed: {_listed(data, summarize)}")


def _listed(data: tuple[Any, ...], limit: int) -> str:
    return " ".join(f"[{summarize(d, limit)}]" for d in data)


@op("Print", shape=same_as(0), runs=Runs.HOST, pure=False)
def print_data(input: Any, data: tuple[Any, ...], *, message: bytes, first_n: int, summarize: int) -> Any:
    """The input, after `message` and `data` went to standard error.

    differs  `first_n` is not counted: 0 prints nothing, any other value prints each time
    """
    if first_n != 0:
        text = "".join(f"[{_summary(d, summarize)}]" for d in data)
        print(f"{message.decode('utf-8', 'backslashreplace')}{text}", file=sys.stderr)
    return input


def _summary(array: Any, limit: int) -> str:
    return summarize(array, limit)


@print_data.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [dy, *[None] * (len(node.inputs) - 1)]


@op("PrintV2", shape=no_outputs, runs=Runs.HOST, pure=False)
def print_line(input: Any, *, output_stream: bytes, end: bytes) -> None:
    """Print a string.

    raises   InvalidArgumentError for a stream that is neither stdout nor stderr
    differs  "log(...)" streams go to standard error, and files (`file://`) are refused
    """
    stream = output_stream.decode()
    if stream.startswith("file://"):
        raise InvalidArgumentError(f"PrintV2 to {stream!r} is not supported", hint="print to stdout or stderr")
    if stream not in ("stdout", "stderr", "log(info)", "log(warning)", "log(error)"):
        raise InvalidArgumentError(f"Unknown output stream: {stream}, or unrecognized/misspelled")
    text: bytes = np.asarray(input, object).item()
    place = sys.stdout if stream == "stdout" else sys.stderr
    print(text.decode("utf-8", "backslashreplace"), end=end.decode(), file=place)


# Bits.


def _bitcast_shape(c: ShapeContext) -> list[Sizes]:
    sizes = c.input(0)
    old, new = c.attr("T").base.size, c.attr("type").base.size
    if sizes is None or old == new:
        return [sizes]
    if new < old:
        return [(*sizes, old // new)]
    if not sizes or sizes[-1] not in (None, new // old):
        raise c.fail(f"Cannot bitcast due to shape: the last dimension must be {new // old}")
    return [sizes[:-1]]


@op("Bitcast", shape=_bitcast_shape)
def bitcast(input: Any, *, T: DType, type: DType) -> Any:
    """The same bits as another type: a last dimension appears where it is smaller, and goes where it is larger."""
    old, new = T.base.size, type.base.size
    shape = static_shape(input)
    if new > old and (not shape or shape[-1] != new // old):
        raise InvalidArgumentError(
            f"Cannot bitcast from {T.name} to {type.name}: the last dimension must be {new // old}, "
            f"shape is {list(shape)}"
        )
    if not on_host(input):
        if T.is_complex or type.is_complex:
            raise InvalidArgumentError(f"Bitcast from {T.name} to {type.name} is not supported in a compiled program")
        return lax.bitcast_convert_type(input, type.numpy)
    result = (*shape, old // new) if new < old else shape[:-1] if new > old else shape
    flat = np.ascontiguousarray(input).reshape(-1)
    return flat.view(type.numpy).reshape(result)


def _permutation_shape(c: ShapeContext) -> list[Sizes]:
    return [with_rank(c, c.input(0), 1)]


@op("InvertPermutation", shape=_permutation_shape, no_gradient="integer result")
def invert_permutation(x: Any) -> Any:
    """y with y[x[i]] = i.

    raises   InvalidArgumentError if x is no permutation of 0..n-1
    differs  a compiled program does not check
    """
    if not on_host(x):
        return namespace(x).argsort(x).astype(x.dtype)
    size = len(x)
    if size and (x.min() < 0 or x.max() >= size):
        bad = int(x[(x < 0) | (x >= size)][0])
        raise InvalidArgumentError(f"{bad} is not between 0 and {size}")
    out = np.full(size, -1, x.dtype)
    out[x] = np.arange(size, dtype=x.dtype)
    if size and out.min() < 0:
        values, counts = np.unique(x, return_counts=True)
        raise InvalidArgumentError(f"{int(values[counts > 1][0])} is duplicated in the input.")
    return out
