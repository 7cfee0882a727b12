"""What the components of elements are: tensors, sparse tensors, datasets; and how each is carried by plain tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.base.shapes import TensorShape
from regraft.ir.node import Tensor
from regraft.v1 import _context, _function
from regraft.v1._sparse_tensor import SparseTensor, SparseTensorValue, as_sparse
from regraft.v1.data import _nest


class TensorSpec(_function.TensorSpec):
    """A component that is one tensor: what is known of its shape and dtype, and how it is carried."""

    @property
    def classes(self) -> Any:
        """What the component's value is in Python, for `output_classes`."""
        return Tensor

    @property
    def types(self) -> Any:
        return self.dtype

    @property
    def shapes(self) -> Any:
        return self.shape

    @property
    def flat(self) -> tuple[DType, TensorShape]:
        """The type of the tensor that carries the component."""
        return self.dtype, self.shape

    def pack(self, value: Any) -> Tensor:
        """The tensor that carries a value."""
        return _context.builder().convert(value, self.dtype)

    def pack_batch(self, value: Any) -> Tensor:
        """The tensor whose rows carry the rows of a value. ValueError for a scalar."""
        tensor = self.pack(value)
        if tensor.shape.rank == 0:
            raise ValueError(f"Unbatching a tensor is only supported for rank >= 1, got shape {tensor.shape}")
        return tensor

    def unpack(self, tensor: Tensor) -> Any:
        """The value that a tensor carries."""
        tensor.set_shape(self.shape)
        return tensor

    def batch(self, size: int | None) -> Any:
        """The component of a batch of elements."""
        return self.of_shape(TensorShape([size]).concatenate(self.shape))

    def unbatch(self) -> Any:
        """The component of a row of the element. ValueError for a scalar."""
        if self.shape.rank == 0:
            raise ValueError("Unbatching a tensor is only supported for rank >= 1")
        return self.of_shape(self.shape[1:] if self.shape.rank is not None else self.shape)

    def of_shape(self, shape: TensorShape) -> Any:
        return type(self)(shape, self.dtype)

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a value of the one may be a value of the other."""
        return type(self) is type(other) and self.dtype is other.dtype and self.shape.is_compatible_with(other.shape)

    def common(self, other: Any) -> Any:
        """What holds for values of both. TypeError where they have nothing in common."""
        if type(self) is not type(other) or self.dtype is not other.dtype:
            raise TypeError(f"No common supertype of {self} and {other}.")
        return self.of_shape(self.shape.most_specific_compatible_shape(other.shape))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), self.dtype, self.shape.sizes))


class SparseTensorSpec(TensorSpec):
    """A component that is a sparse tensor: carried by a row of three variants."""

    @property
    def classes(self) -> Any:
        return SparseTensor

    @property
    def flat(self) -> tuple[DType, TensorShape]:
        return dtypes.variant, TensorShape(None)

    def _packed(self, op: str, value: Any) -> Tensor:
        sparse = as_sparse(value)
        tensor: Tensor = _context.builder().op(
            op, sparse.indices, sparse.values, sparse.dense_shape, out_type=dtypes.variant
        )
        return tensor

    def pack(self, value: Any) -> Tensor:
        return self._packed("SerializeSparse", value)

    def pack_batch(self, value: Any) -> Tensor:
        return self._packed("SerializeManySparse", value)

    def unpack(self, tensor: Tensor) -> Any:
        indices, values, shape = _context.builder().op("DeserializeSparse", tensor, dtype=self.dtype)
        indices.set_shape([None, self.shape.rank])
        return SparseTensor(indices, values, self._known(shape))

    def _known(self, shape: Tensor) -> Tensor:
        """The dense shape with the sizes that are known as constants."""
        b, sizes = _context.builder(), self.shape.sizes
        if sizes is None or all(size is None for size in sizes):
            shape.set_shape([self.shape.rank])
            return shape
        if None not in sizes:
            return b.convert(sizes, dtypes.int64, name="shape")
        pieces = list(b.op("Unpack", shape, num=len(sizes), name="unstack"))
        for i, size in enumerate(sizes):
            if size is not None:
                pieces[i] = b.constant(size, dtypes.int64)
        return b.stack(pieces)


class DatasetSpec:
    """A component that is a dataset of elements of a structure."""

    def __init__(self, element_spec: Any, batched: TensorShape | None = None) -> None:
        self.element_spec = element_spec
        self.shape = TensorShape([]) if batched is None else batched

    @property
    def classes(self) -> Any:
        return self

    types = shapes = classes

    @property
    def flat(self) -> tuple[DType, TensorShape]:
        return dtypes.variant, self.shape

    def pack(self, value: Any) -> Tensor:
        tensor: Tensor = value._variant_tensor
        return tensor

    pack_batch = pack

    def unpack(self, tensor: Tensor) -> Any:
        from regraft.v1.data._dataset import DatasetOfVariant

        found = DatasetOfVariant(tensor, self.element_spec)
        found._nested = True
        return found

    def batch(self, size: int | None) -> DatasetSpec:
        return DatasetSpec(self.element_spec, TensorShape([size]).concatenate(self.shape))

    def unbatch(self) -> DatasetSpec:
        return DatasetSpec(self.element_spec, self.shape[1:])

    def is_compatible_with(self, other: Any) -> bool:
        return isinstance(other, DatasetSpec) and compatible(self.element_spec, other.element_spec)

    def common(self, other: Any) -> DatasetSpec:
        if not isinstance(other, DatasetSpec):
            raise TypeError(f"No common supertype of {self} and {other}.")
        merged = _nest.map_structure(lambda a, b: a.common(b), self.element_spec, other.element_spec)
        return DatasetSpec(merged, self.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatasetSpec) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(tuple(_nest.flatten(self.element_spec)))

    def __repr__(self) -> str:
        return f"DatasetSpec({self.element_spec!r}, {self.shape})"


def spec_of(value: Any) -> Any:
    """The spec of one component. TypeError for what is none, and becomes none."""
    if hasattr(value, "_variant_tensor"):
        return DatasetSpec(value.element_spec)
    if isinstance(value, (SparseTensor, SparseTensorValue)):
        sparse = value if isinstance(value, SparseTensor) else SparseTensor.from_value(value)
        return SparseTensorSpec(sparse.get_shape(), sparse.dtype)
    known = _tensor_spec(value)
    if known is not None:
        return known
    if value is None:
        raise TypeError(f"Could not build a `TypeSpec` for {value!r} with type {type(value).__name__}.")
    tensor = _context.builder().convert(value)
    return TensorSpec(tensor.shape, tensor.dtype.base)


def _tensor_spec(value: Any) -> TensorSpec | None:
    """The spec of a tensor, or of a list of tensors that will be one; None where it takes a constant to know."""
    if isinstance(value, Tensor):
        return TensorSpec(value.shape, value.dtype.base)
    if not isinstance(value, list) or not value:
        return None
    parts = [_tensor_spec(part) for part in value]
    merged = parts[0]
    for part in parts:
        if merged is None or part is None or part.dtype is not merged.dtype:
            return None
        merged = merged.common(part)
    return None if merged is None else merged.batch(len(value))


def normalize(element: Any) -> Any:
    """An element whose components are tensors, sparse tensors and datasets."""
    b = _context.builder()
    found: list[Any] = []
    with b.graph.name_scope("normalize_element"):
        for i, value in enumerate(_nest.flatten(element)):
            if isinstance(value, SparseTensorValue):
                found.append(SparseTensor.from_value(value))
            elif isinstance(value, SparseTensor) or hasattr(value, "_variant_tensor"):
                found.append(value)
            else:
                found.append(b.convert(value, name=f"component_{i}"))
    return _nest.pack(element, found)


def spec_of_element(element: Any) -> Any:
    """The structure of an element: its specs in its form."""
    return _nest.map_structure(spec_of, element)


def to_tensors(spec: Any, element: Any) -> list[Tensor]:
    """The tensors that carry an element."""
    _nest.assert_same(spec, element)
    return [s.pack(v) for s, v in zip(_nest.flatten(spec), _nest.flatten(element), strict=True)]


def from_tensors(spec: Any, tensors: Sequence[Tensor]) -> Any:
    """The element that these tensors carry."""
    return _nest.pack(spec, [s.unpack(t) for s, t in zip(_nest.flatten(spec), tensors, strict=True)])


def flat_types(spec: Any) -> list[DType]:
    return [s.flat[0] for s in _nest.flatten(spec)]


def flat_shapes(spec: Any) -> list[TensorShape]:
    return [s.flat[1] for s in _nest.flatten(spec)]


def types_of(spec: Any) -> Any:
    """The dtypes of the components, as `output_types` gives them."""
    return _nest.map_structure(lambda s: s.types, spec)


def shapes_of(spec: Any) -> Any:
    """The shapes of the components, as `output_shapes` gives them."""
    return _nest.map_structure(lambda s: s.shapes, spec)


def classes_of(spec: Any) -> Any:
    """The classes of the components, as `output_classes` gives them."""
    return _nest.map_structure(lambda s: s.classes, spec)


def component(spec: Any) -> Any:
    """What a program gives as the spec of a component. TypeError for what is none."""
    if isinstance(spec, (TensorSpec, DatasetSpec)):
        return spec
    if not isinstance(spec, _function.TensorSpec):
        raise TypeError(f"The structure of elements must hold tf.TensorSpec, found {type(spec)}.")
    return TensorSpec(spec.shape, spec.dtype)


def from_legacy(types: Any, shapes: Any = None, classes: Any = None) -> Any:
    """The structure that types, shapes (unknown without them) and classes (tensors without them) describe."""
    types = _nest.map_structure(lambda t: t if isinstance(t, DatasetSpec) else as_dtype(t), types)
    flat = _nest.flatten(types)
    known = [None] * len(flat) if shapes is None else _nest.flatten_up_to(types, shapes)
    kinds = [Tensor] * len(flat) if classes is None else _nest.flatten_up_to(types, classes)
    found: list[Any] = []
    for dtype, shape, kind in zip(flat, known, kinds, strict=True):
        if isinstance(kind, (DatasetSpec, TensorSpec)):
            found.append(kind)
        elif issubclass(kind, SparseTensor):
            found.append(SparseTensorSpec(shape, dtype))
        elif issubclass(kind, Tensor):
            found.append(TensorSpec(shape, dtype))
        else:
            raise TypeError(f"Could not build a structure for output class {kind.__name__}.")
    return _nest.pack(types, found)


class Structured:
    """What holds elements of one structure, and tells it."""

    _element_spec: Any

    @property
    def element_spec(self) -> Any:
        """The structure of the elements."""
        return self._element_spec

    @property
    def output_types(self) -> Any:
        """The dtypes of the components, in the elements' structure."""
        return types_of(self._element_spec)

    @property
    def output_shapes(self) -> Any:
        """The static shapes of the components, in the elements' structure."""
        return shapes_of(self._element_spec)

    @property
    def output_classes(self) -> Any:
        """The classes of the components, in the elements' structure."""
        return classes_of(self._element_spec)


def compatible(a: Any, b: Any) -> bool:
    """Whether an element of the one structure may be an element of the other."""
    try:
        _nest.assert_same(a, b)
    except (TypeError, ValueError):
        return False
    return all(x.is_compatible_with(y) for x, y in zip(_nest.flatten(a), _nest.flatten(b), strict=True))
