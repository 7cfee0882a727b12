"""Einsum: sums of products of tensors whose axes have labels."""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import jnp, namespace, on_host, static_shape
from regraft.opkit.elementwise import quiet
from regraft.opkit.reduced import reduced_shape
from regraft.opkit.registry import op
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, broadcast_shapes, merge_dim

_ELLIPSIS = "..."


def _sides(equation: bytes | str) -> tuple[list[str], str]:
    """The subscripts of the inputs, and of the output."""
    text = (equation.decode() if isinstance(equation, bytes) else equation).replace(" ", "")
    inputs, arrow, output = text.partition("->")
    if not arrow:
        raise InvalidArgumentError(f"Expecting exactly one '->' in einsum equation: {text}")
    return inputs.split(","), output


def _einsum_shape(c: ShapeContext) -> list[Sizes]:
    inputs, output = _sides(c.attr("equation"))
    if len(inputs) != len(c):
        raise c.fail(f"Expected {len(c)} inputs but got: {len(inputs)}")
    dims: dict[str, Dim] = {}
    batch: Sizes = ()
    for subscripts, sizes in zip(inputs, c.inputs, strict=True):
        before, dots, after = subscripts.partition(_ELLIPSIS)
        labels = before + after
        if sizes is None:
            dims.update({label: dims.get(label) for label in labels})
            batch = None if dots else batch
            continue
        if len(sizes) < len(labels) or (not dots and len(sizes) != len(labels)):
            raise c.fail(f"Shape must be rank {len(labels)} but is rank {len(sizes)}")
        end = len(sizes) - len(after)
        for label, dim in zip(labels, sizes[: len(before)] + sizes[end:], strict=True):
            dims[label] = merge_dim(c, dims.get(label), dim)
        batch = broadcast_shapes(c, batch, sizes[len(before) : end])
    before, dots, after = output.partition(_ELLIPSIS)
    for label in before + after:
        if label not in dims:
            raise c.fail(f"Einsum output subscripts has label {label!r} that no input has")
    if not dots:
        return [tuple(dims[label] for label in before)]
    return [None if batch is None else (*(dims[s] for s in before), *batch, *(dims[s] for s in after))]


@op("Einsum", shape=_einsum_shape)
@quiet
def einsum(inputs: Any, *, equation: bytes) -> Any:
    """The tensor whose element at each setting of the output's labels is the sum of products over all other labels.

    equation  "ij,jk->ik"; "..." stands for axes that broadcast; a label that the output repeats fills its diagonal
    """
    subscripts, output = _sides(equation)
    repeated = next((s for s in output if s.isalpha() and output.count(s) > 1), None)
    if repeated is not None:
        return _on_diagonal(inputs, subscripts, output, repeated)
    dtype = inputs[0].dtype
    text = f"{','.join(subscripts)}->{output}"
    half = dtype.itemsize == 2 and dtype.kind not in "iu"
    try:
        if on_host(*inputs):
            wide = [x.astype(np.float32) for x in inputs] if half else inputs
            return np.asarray(np.einsum(text, *wide)).astype(dtype, copy=False)
        return jnp.einsum(text, *inputs, preferred_element_type=np.float32 if half else dtype).astype(dtype)
    except ValueError as e:
        shapes = ", ".join(str(list(static_shape(x))) for x in inputs)
        raise InvalidArgumentError(f"einsum equation {text!r} does not fit inputs of shapes {shapes}: {e}") from e


def _on_diagonal(inputs: Any, subscripts: list[str], output: str, repeated: str) -> Any:
    """For an output that repeats a label: the values, spread over the diagonal of the repeated axes."""
    taken = set(output).union(*subscripts)
    free = next(s for s in string.ascii_letters if s not in taken)
    found = ((x, _axis(s, repeated, len(static_shape(x)))) for x, s in zip(inputs, subscripts, strict=True))
    size = next(static_shape(x)[axis] for x, axis in found if axis >= 0)
    eye = namespace(*inputs).asarray(np.eye(size, dtype=inputs[0].dtype))
    at = output.index(repeated)
    renamed = output[:at] + free + output[at + 1 :]
    equation = f"{','.join([*subscripts, repeated + free])}->{renamed}"
    return einsum((*inputs, eye), equation=equation.encode())


def _axis(subscripts: str, label: str, rank: int) -> int:
    """The axis of a label, -1 where the subscripts do not have it."""
    before, _, after = subscripts.partition(_ELLIPSIS)
    if label in before:
        return before.index(label)
    return rank - len(after) + after.index(label) if label in after else -1


# The gradient: each input gets the einsum of dy with the other input, by the equation turned round. Labels that only
# the input has were summed over: the gradient repeats along them.


def _label_axis(subscripts: str, label: str) -> int:
    """The leftmost axis of a label: counted from the end where it stands behind the ellipsis."""
    before, _, after = subscripts.partition(_ELLIPSIS)
    return before.index(label) if label in before else after.index(label) - len(after)


def _ellipsis_range(subscripts: str) -> tuple[int, int | None]:
    start = subscripts.find(_ELLIPSIS)
    if start < 0:
        return 0, 0
    remaining = len(subscripts) - start - len(_ELLIPSIS)
    return start, -remaining if remaining else None


def _unreduced(b: Any, dy: Any, out: str, source: str, shape: Any, reduced: set[str]) -> Any:
    """The gradient of a sum of one tensor over the labels `reduced`."""
    labels = "".join(reduced)
    axes = [_label_axis(source, s) for s in labels]
    sizes = b.stack([shape[a] for a in axes])
    repeats = len(set(source)) + len(set(out)) < len(source) + len(out)
    kept = "".join(s for s in source if s not in reduced)
    if not repeats and kept == out:
        spread = reduced_shape(b, shape, b.convert(axes))
        return b.BroadcastTo(b.reshape(dy, spread), shape)
    whole = b.concat([sizes, b.shape(dy)], 0)
    spread = b.concat([b.ones(len(reduced), "int32"), b.shape(dy)], 0)
    dy = b.BroadcastTo(b.reshape(dy, spread), whole)
    return b.Einsum([dy], equation=f"{labels + out}->{source}")


def _by_input(b: Any, dy: Any, other: Any, shape: Any, source: str, other_source: str, out: str) -> Any:
    reduced = set(source).difference(set(out + other_source + "."))
    kept = "".join(s for s in source if s not in reduced)
    dx = b.Einsum([dy, other], equation=f"{out},{other_source}->{kept}")
    return _unreduced(b, dx, kept, source, shape, reduced) if reduced else dx


@einsum.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    sources, out = _sides(node.get_attr("equation"))
    if len(sources) == 1:
        source = sources[0]
        shape = b.shape(node.inputs[0])
        reduced = set(source).difference(set(out + _ELLIPSIS))
        if not reduced:
            return [b.Einsum([dy], equation=f"{out}->{source}")]
        return [_unreduced(b, dy, out, source, shape, reduced)]
    if _ELLIPSIS in out:
        sources = [s if _ELLIPSIS in s else s + _ELLIPSIS for s in sources]
    x, y = node.inputs
    if dy.dtype.is_complex:
        x, y = b.conj(x), b.conj(y)
    shape_x, shape_y = b.shape(x), b.shape(y)
    dx = _by_input(b, dy, y, shape_x, sources[0], sources[1], out)
    gy = _by_input(b, dy, x, shape_y, sources[1], sources[0], out)
    if _ELLIPSIS not in out:
        return dx, gy
    (x_start, x_end), (y_start, y_end) = _ellipsis_range(sources[0]), _ellipsis_range(sources[1])
    if x.shape.known and y.shape.known and x.shape[x_start:x_end].sizes == y.shape[y_start:y_end].sizes:
        return dx, gy
    axes_x, axes_y = b.BroadcastGradientArgs(shape_x[x_start:x_end], shape_y[y_start:y_end])
    dx = b.reshape(b.reduce_sum(dx, x_start + axes_x), shape_x)
    return dx, b.reshape(b.reduce_sum(gy, y_start + axes_y), shape_y)
