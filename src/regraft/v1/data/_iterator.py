"""Iterators over datasets, and optionals."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Operation, Tensor
from regraft.v1 import _context
from regraft.v1.data import _nest, _structure

GLOBAL_ITERATORS = "iterators"


class Iterator(_structure.Structured):
    """A place in a dataset, which moves on with each run of what `get_next` gives.

    Made by a dataset (`make_initializable_iterator`, `make_one_shot_iterator`), or by `from_structure` and
    `from_string_handle`.
    """

    def __init__(
        self,
        iterator_resource: Tensor,
        initializer: Operation | None,
        output_types: Any,
        output_shapes: Any,
        output_classes: Any,
    ) -> None:
        self._iterator_resource = iterator_resource
        self._initializer = initializer
        self._element_spec = _structure.from_legacy(output_types, output_shapes, output_classes)
        b = _context.builder()
        self._string_handle: Tensor = b.op("IteratorToStringHandle", iterator_resource)
        b.graph.add_to_collection(GLOBAL_ITERATORS, iterator_resource)

    @staticmethod
    def from_structure(
        output_types: Any, output_shapes: Any = None, shared_name: str | None = None, output_classes: Any = None
    ) -> Iterator:
        """An iterator over any dataset of this structure, which `make_initializer` chooses."""
        spec = _structure.from_legacy(output_types, output_shapes, output_classes)
        resource = _context.builder().op("IteratorV2", container="", shared_name=shared_name or "", **_flat(spec))
        return of_spec(resource, None, spec)

    @staticmethod
    def from_string_handle(
        string_handle: Any, output_types: Any, output_shapes: Any = None, output_classes: Any = None
    ) -> Iterator:
        """The iterator that a string stands for, which a run may feed (see `string_handle`)."""
        spec = _structure.from_legacy(output_types, output_shapes, output_classes)
        b = _context.builder()
        handle = b.convert(string_handle, dtypes.string)
        return of_spec(b.op("IteratorFromStringHandleV2", handle, **_flat(spec)), None, spec)

    @property
    def initializer(self) -> Operation:
        """The operation that begins it at the first element. ValueError for one that needs none."""
        if self._initializer is None:
            raise ValueError(
                "The iterator does not have an initializer. This means it was likely created using "
                "`tf.data.Dataset.make_one_shot_iterator()`. For an initializable iterator, use "
                "`tf.data.Dataset.make_initializable_iterator()` instead."
            )
        return self._initializer

    def make_initializer(self, dataset: Any, name: str | None = None) -> Operation:
        """An operation that begins it over `dataset`. TypeError where that one's elements are of another structure."""
        b = _context.builder()
        with b.graph.name_scope(name or "make_initializer") as scope:
            _check(self._element_spec, dataset.element_spec)
            with b.graph.colocate_with(self._iterator_resource.op):
                return b.operation("MakeIterator", dataset._variant_tensor, self._iterator_resource, name=scope)

    def get_next(self, name: str | None = None) -> Any:
        """The next element, in the dataset's structure; a run of it raises OutOfRangeError behind the last one."""
        b = _context.builder()
        with b.graph.colocate_with(self._iterator_resource.op):
            node = b.operation("IteratorGetNext", self._iterator_resource, name=name, **_flat(self._element_spec))
            return _structure.from_tensors(self._element_spec, node.outputs)

    def get_next_as_optional(self) -> Optional:
        """The next element as an optional, which has no value behind the last one."""
        b = _context.builder()
        with b.graph.colocate_with(self._iterator_resource.op):
            tensor = b.op("IteratorGetNextAsOptional", self._iterator_resource, **_flat(self._element_spec))
        return Optional(tensor, self._element_spec)

    def string_handle(self, name: str | None = None) -> Tensor:
        """The iterator as a string; its value can be fed to what `from_string_handle` was given."""
        if name is None:
            return self._string_handle
        tensor: Tensor = _context.builder().op("IteratorToStringHandle", self._iterator_resource, name=name)
        return tensor


def of_spec(resource: Tensor, initializer: Operation | None, spec: Any) -> Iterator:
    """The iterator of a handle."""
    return Iterator(
        resource, initializer, _structure.types_of(spec), _structure.shapes_of(spec), _structure.classes_of(spec)
    )


def _flat(spec: Any) -> dict[str, Any]:
    return {"output_types": _structure.flat_types(spec), "output_shapes": _structure.flat_shapes(spec)}


def _check(mine: Any, given: Any) -> None:
    """TypeError where elements of a dataset do not fit an iterator."""
    _nest.assert_same(mine, given)
    for a, b in zip(_nest.flatten(mine), _nest.flatten(given), strict=True):
        if a.classes is not b.classes and a.classes != b.classes:
            raise TypeError(f"Expected output classes {a.classes!r} but got dataset with output classes {b.classes!r}.")
        if a.types is not b.types and a.types != b.types:
            raise TypeError(f"Expected output types {a.types!r} but got dataset with output types {b.types!r}.")
        if hasattr(a.shapes, "is_compatible_with") and not a.shapes.is_compatible_with(b.shapes):
            raise TypeError(
                f"Expected output shapes compatible with {a.shapes!r} but got dataset with output shapes {b.shapes!r}."
            )


class Optional:
    """An element that may be absent."""

    def __init__(self, variant_tensor: Tensor, element_spec: Any) -> None:
        self._optional_tensor = variant_tensor
        self._element_spec = element_spec

    @staticmethod
    def empty(element_spec: Any) -> Optional:
        """No element of this structure."""
        return Optional(_context.builder().op("OptionalNone"), element_spec)

    none_from_structure = empty

    @staticmethod
    def from_value(value: Any) -> Optional:
        """An element that is there."""
        b = _context.builder()
        with b.graph.name_scope("optional") as scope:
            with b.graph.name_scope("value"):
                spec = _structure.spec_of_element(value)
                tensors = _structure.to_tensors(spec, value)
            return Optional(b.op("OptionalFromValue", tensors, name=scope), spec)

    def has_value(self, name: str | None = None) -> Tensor:
        """Whether there is an element, a scalar bool."""
        b = _context.builder()
        with b.graph.colocate_with(self._optional_tensor.op):
            tensor: Tensor = b.op("OptionalHasValue", self._optional_tensor, name=name)
        return tensor

    def get_value(self, name: str | None = None) -> Any:
        """The element; a run of it raises InvalidArgumentError if there is none."""
        b = _context.builder()
        with b.graph.name_scope(name or "OptionalGetValue") as scope:
            with b.graph.colocate_with(self._optional_tensor.op):
                node = b.operation("OptionalGetValue", self._optional_tensor, name=scope, **_flat(self._element_spec))
            return _structure.from_tensors(self._element_spec, node.outputs)

    @property
    def element_spec(self) -> Any:
        return self._element_spec

    value_structure = element_spec
