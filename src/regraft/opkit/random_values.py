"""Random values as TensorFlow's Python functions make them: seeds, and the nodes around the op that draws."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.base.shapes import Dimension
from regraft.ir.graph import Graph
from regraft.opkit.builder import Builder

# The graph's seed where an op has one and the graph has none.
_DEFAULT_GRAPH_SEED = 87654321
_MODULUS = 2**31 - 1

_KINDS = (dtypes.half, dtypes.bfloat16, dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64)


def get_seed(graph: Graph, op_seed: int | None) -> tuple[int | None, int | None]:
    """The two seeds of a random op.

    The graph's seed with the op's, or with a count of the ops that asked for one; (None, None) when neither is set.
    """
    if graph.seed is None:
        return (None, None) if op_seed is None else (_DEFAULT_GRAPH_SEED, op_seed % _MODULUS)
    if op_seed is None:
        op_seed = graph.seeds_given
        graph.seeds_given += 1
    seeds = (graph.seed % _MODULUS, op_seed % _MODULUS)
    return (0, _MODULUS) if seeds == (0, 0) else seeds


def seeds(graph: Graph, seed: int | None) -> dict[str, Any]:
    """The attributes of a random op for `seed`."""
    first, second = get_seed(graph, seed)
    return {"seed": first, "seed2": second}


def shape_tensor(b: Builder, shape: Any) -> Any:
    """A shape argument as an integer vector; sizes may be tensors, and an empty list is one of integers."""
    if isinstance(shape, (tuple, list)):
        shape = tuple(d.value if isinstance(d, Dimension) else d for d in shape)
    return b.convert(shape, None if shape != () else dtypes.int32, name="shape")


def random_uniform(
    b: Builder, shape: Any, minval: Any, maxval: Any, dtype: Any, seed: int | None, name: str | None = None
) -> Any:
    """Values from [minval, maxval); `maxval` None is 1, for floats.

    raises  ValueError for a dtype that can't be drawn, and for integers without `maxval`
    """
    kind = as_dtype(dtype)
    if kind not in _KINDS:
        raise ValueError(f"Argument `dtype` got invalid value {kind}. Accepted dtypes are {_KINDS}.")
    if maxval is None:
        if kind.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {kind!r}")
        maxval = 1
    with b.scope(name, "random_uniform") as scope:
        sizes = shape_tensor(b, shape)
        from_zero = isinstance(minval, int) and minval == 0
        to_one = isinstance(maxval, int) and maxval == 1
        if not from_zero or not to_one or kind.is_integer:
            minval = b.convert(minval, kind, name="min")
            maxval = b.convert(maxval, kind, name="max")
        if kind.is_integer:
            return b.RandomUniformInt(sizes, minval, maxval, name=scope, **seeds(b.graph, seed))
        result = b.RandomUniform(sizes, dtype=kind, **seeds(b.graph, seed))
        if from_zero:
            return result if to_one else b.Mul(result, maxval)
        spread = maxval - minval
        return b.AddV2(result * spread, minval, name=scope)


def normal(
    b: Builder,
    op_type: str,
    shape: Any,
    mean: Any,
    stddev: Any,
    dtype: Any,
    seed: int | None,
    name: str | None = None,
) -> Any:
    """Values from a normal distribution, whole ("RandomStandardNormal") or cut off ("TruncatedNormal")."""
    kind = as_dtype(dtype)
    with b.scope(name, "truncated_normal" if op_type == "TruncatedNormal" else "random_normal") as scope:
        sizes = shape_tensor(b, shape)
        centre = b.convert(mean, kind, name="mean")
        width = b.convert(stddev, kind, name="stddev")
        drawn = b.op(op_type, sizes, dtype=kind, **seeds(b.graph, seed))
        return b.AddV2(drawn * width, centre, name=scope)


def random_normal(
    b: Builder, shape: Any, mean: Any, stddev: Any, dtype: Any, seed: int | None, name: str | None = None
) -> Any:
    """Values from a normal distribution."""
    return normal(b, "RandomStandardNormal", shape, mean, stddev, dtype, seed, name)


def truncated_normal(
    b: Builder, shape: Any, mean: Any, stddev: Any, dtype: Any, seed: int | None, name: str | None = None
) -> Any:
    """Values from a normal distribution, none more than two standard deviations from the mean."""
    return normal(b, "TruncatedNormal", shape, mean, stddev, dtype, seed, name)
