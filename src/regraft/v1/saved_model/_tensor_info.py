"""tf.saved_model.utils: tensors as a signature names them."""

from __future__ import annotations

from typing import Any

from regraft import proto
from regraft.base.dtypes import as_dtype
from regraft.base.names import prepend_scope
from regraft.ir.graph import Graph
from regraft.serde.attr import shape_to_proto
from regraft.v1 import _context
from regraft.v1._sparse_tensor import SparseTensor

__all__ = ["build_tensor_info", "get_tensor_from_tensor_info"]


def build_tensor_info(tensor: Any) -> Any:
    """The TensorInfo of a tensor, a variable or a SparseTensor: its name (or three), dtype and static shape."""
    info = proto.TensorInfo(dtype=as_dtype(tensor.dtype).enum)
    shape_to_proto(tensor.get_shape(), info.tensor_shape)
    if isinstance(tensor, SparseTensor):
        info.coo_sparse.values_tensor_name = tensor.values.name
        info.coo_sparse.indices_tensor_name = tensor.indices.name
        info.coo_sparse.dense_shape_tensor_name = tensor.dense_shape.name
    else:
        info.name = tensor.name
    return info


def get_tensor_from_tensor_info(tensor_info: Any, graph: Graph | None = None, import_scope: str | None = None) -> Any:
    """The tensor, or SparseTensor, of a graph (the default one) that a TensorInfo names.

    import_scope  the scope that the graph was imported into

    raises  KeyError for a name that the graph does not have; ValueError for a TensorInfo that names nothing
    """
    graph = graph or _context.get_default_graph()

    def found(name: str) -> Any:
        return graph.get_tensor_by_name(prepend_scope(name, import_scope) if import_scope else name)

    kind = tensor_info.WhichOneof("encoding")
    if kind == "name":
        return found(tensor_info.name)
    if kind == "coo_sparse":
        parts = tensor_info.coo_sparse
        names = (parts.indices_tensor_name, parts.values_tensor_name, parts.dense_shape_tensor_name)
        return SparseTensor(*map(found, names))
    raise ValueError(
        f"a TensorInfo must name a tensor or the parts of a sparse one, but this one has {kind or 'nothing'}"
    )
