"""Whether the static shapes that a GraphDef records are possible."""

from __future__ import annotations

from collections.abc import Iterable

from regraft.base.shapes import TensorShape
from regraft.ir.node import Operation
from regraft.opkit import registry
from regraft.opkit.shapes import ShapeContext

# Files of early releases record other shapes for these than TensorFlow infers today; it lets them pass, and so do we.
_EXEMPT = frozenset(
    {
        "RandomShuffleQueue", "PaddingFIFOQueue", "FIFOQueue", "PriorityQueue", "QueueSize", "Stack", "Barrier",
        "BarrierReadySize", "BarrierIncompleteSize", "HashTable", "MutableHashTable", "MutableHashTableOfTensors",
        "Mutex", "CuckooTable", "IndexTable", "WholeFileReader", "TextLineReader", "FixedLengthRecordReader",
        "TFRecordReader", "IdentityReader", "LMDBReader", "RefSwitch", "RefEnter", "RefNextIteration", "RefMerge",
        "RefIdentity", "ConditionalAccumulator", "SparseConditionalAccumulator", "Table",
    }
)  # fmt: skip


def check_recorded_shapes(operations: Iterable[Operation]) -> None:
    """ValueError for the first node whose `_output_shapes` contradict the shapes that follow from its op."""
    for op in operations:
        spec = registry.lookup(op.type)
        if spec is None or op.type in _EXEMPT:
            continue
        inferred = spec.shape(ShapeContext(op))
        for i, (sizes, recorded) in enumerate(zip(inferred, op.attrs["_output_shapes"], strict=False)):
            shape = TensorShape.of(None if sizes is None else tuple(sizes))
            if not shape.is_compatible_with(recorded):
                raise ValueError(
                    f"Node {op.name!r} has an _output_shapes attribute inconsistent with the GraphDef for output #{i}: "
                    f"{recorded} is recorded, but {shape} follows from its inputs"
                )
