"""The op families. Importing this package registers every op: each module of the package is a family."""

from __future__ import annotations

import importlib
import pkgutil

from regraft.base.shapes import UNKNOWN, TensorShape
from regraft.ir import shape_inference
from regraft.ir.node import Operation
from regraft.opkit import registry
from regraft.opkit.shapes import ShapeContext

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def infer_shapes(op: Operation) -> list[TensorShape]:
    """The static shapes of an operation's outputs: by its op's rule, merged with those its file recorded.

    raises ValueError where the input shapes can never fit
    """
    spec = registry.lookup(op.type)
    count = len(op.output_types)
    if spec is None or op.graph.op_def(op.type) is None:
        shapes = [UNKNOWN] * count
    else:
        found = spec.shape(ShapeContext(op))
        shapes = [TensorShape.of(None if s is None else tuple(s)) for s in found]
    recorded = op.attrs.get("_output_shapes")
    if recorded is not None and len(recorded) == count:
        shapes = [s.merge_with(r) if s.is_compatible_with(r) else s for s, r in zip(shapes, recorded, strict=True)]
    return shapes


shape_inference.register(infer_shapes)
