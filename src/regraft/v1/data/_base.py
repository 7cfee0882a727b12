"""What transformations of datasets share: arguments as tensors, and the op at the end of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.ir.node import Tensor
from regraft.v1 import _context
from regraft.v1._random import get_seed
from regraft.v1.data import _structure

if TYPE_CHECKING:
    from regraft.v1.data._dataset import Dataset

AUTOTUNE = -1
INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2


def tensor(value: Any, name: str, dtype: DType = dtypes.int64) -> Tensor:
    """An argument as a tensor."""
    return _context.builder().convert(value, dtype, name=name)


def optional(value: Any, name: str, default: Any, dtype: DType = dtypes.int64) -> Tensor:
    """An argument, or its default, as a tensor."""
    return tensor(default if value is None else value, name, dtype)


def metadata(name: str | None) -> bytes:
    """The attribute `metadata` of a dataset of this name."""
    if name is None:
        return b""
    text = name.encode()
    if len(text) > 127:
        raise ValueError(f"the name of a dataset has at most 127 bytes, got {len(text)}")
    return b"\n" + bytes([len(text)]) + text


def dataset(
    op: str, *inputs: Any, spec: Any, name: str | None = None, structure: str = "both", **attrs: Any
) -> Dataset:
    """Add a dataset's op.

    inputs     of the op; the first may be the dataset that this one is made of
    spec       the structure of its elements
    structure  whether the op says types and shapes ("both"), shapes alone ("shapes"), or nothing ("none")
    """
    from regraft.v1.data._dataset import Dataset, DatasetOfVariant

    b = _context.builder()
    if structure == "both":
        attrs["output_types"] = _structure.flat_types(spec)
    if structure != "none":
        attrs["output_shapes"] = _structure.flat_shapes(spec)
    definition = b.graph.op_def(op)
    if definition is not None and "metadata" in definition.attrs:
        attrs["metadata"] = metadata(name)
    source = inputs[0] if inputs else None
    if isinstance(source, Dataset):
        inputs = (source._variant_tensor, *inputs[1:])
    made = DatasetOfVariant(b.op(op, *inputs, **attrs), spec)
    made._nested = isinstance(source, Dataset) and source._nested
    return made


def seeds(seed: Any) -> tuple[Tensor, Tensor]:
    """The two seeds of a dataset, int64: those of a random op, but never both 0."""
    first, second = get_seed(seed)
    b = _context.builder()
    one = tensor(0 if first is None else first, "seed")
    if second is None:
        return one, tensor(0, "seed2")
    with b.graph.name_scope("seed2") as scope:
        two = b.convert(second, dtypes.int64)
        unset = b.LogicalAnd(b.Equal(one, 0), b.Equal(two, 0))
        return one, b.op("SelectV2", unset, b.constant(2**31 - 1, dtypes.int64), two, name=scope)


def determined(deterministic: bool | None) -> str:
    """The attribute `deterministic` of an op."""
    return "default" if deterministic is None else "true" if deterministic else "false"
