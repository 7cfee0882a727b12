"""tf.contrib.staging: areas into which one step puts what the next one takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from regraft.base.dtypes import DType, as_dtype
from regraft.base.shapes import TensorShape
from regraft.ir.node import Operation, Tensor
from regraft.v1 import _context
from regraft.v1._graph import colocate_with, name_scope, no_op
from regraft.v1._opening import opened

__all__ = ["StagingArea"]


class StagingArea:
    """Keeps elements between steps, first in first out. An element is one tensor or several, its components.

    dtypes        of the components
    shapes        of the components; None where they are not known
    names         of the components: elements are then mappings; or None
    shared_name   areas of one shared name are one
    capacity      how many elements there is room for; 0 for no limit
    memory_limit  how many bytes; 0 for no limit
    raises        ValueError for lists that do not fit each other
    """

    def __init__(
        self,
        dtypes: Sequence[Any],
        shapes: Sequence[Any] | None = None,
        names: Sequence[str] | None = None,
        shared_name: str | None = None,
        capacity: int = 0,
        memory_limit: int = 0,
    ) -> None:
        if shared_name is None:
            shared_name = _context.get_default_graph().unique_name(type(self).__name__)
        elif not isinstance(shared_name, str):
            raise ValueError(f"shared_name must be a string, got {shared_name}")
        for what, given in (("shapes", shapes), ("names", names)):
            if given is not None and len(given) != len(dtypes):
                raise ValueError(f"StagingArea {what} must be the same length as dtypes")
        self._name = shared_name
        self._dtypes = [as_dtype(d) for d in dtypes]
        self._shapes = [TensorShape(None)] * len(dtypes) if shapes is None else [TensorShape(s) for s in shapes]
        self._names = names
        self._capacity = capacity
        self._memory_limit = memory_limit
        with name_scope(f"{self._name}_root"):
            self._place = no_op()

    @property
    def name(self) -> str:
        return self._name

    @property
    def dtypes(self) -> list[DType]:
        return self._dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        return self._shapes

    @property
    def names(self) -> Sequence[str] | None:
        return self._names

    @property
    def capacity(self) -> int:
        return self._capacity

    @property
    def memory_limit(self) -> int:
        return self._memory_limit

    def put(self, values: Any, name: str | None = None) -> Operation:
        """Put an element in: a tensor, a list of them, or a mapping by names. It waits while the area is full."""
        given = list(values.values()) if isinstance(values, Mapping) else values
        given = list(given) if isinstance(given, (list, tuple)) else [given]
        with opened(name, f"{self._name}_put", *given) as (b, scope):
            tensors = self._checked(values if isinstance(values, Mapping) else given)
            with colocate_with(self._place):
                return b.operation("Stage", tensors, name=scope, **self._attrs())

    def get(self, name: str | None = None) -> Any:
        """Take the oldest element out. It waits while there is none."""
        return self._taken("Unstage", name or f"{self._name}_get")

    def peek(self, index: Any, name: str | None = None) -> Any:
        """The element at `index`, which stays. It waits until there are so many."""
        return self._taken("StagePeek", name or f"{self._name}_peek", index)

    def size(self, name: str | None = None) -> Any:
        """How many elements there are, int32."""
        return self._add("StageSize", name or f"{self._name}_size")

    def clear(self, name: str | None = None) -> Operation:
        """Throw all elements away."""
        found: Operation = self._add("StageClear", name or f"{self._name}_clear")
        return found

    def _attrs(self) -> dict[str, Any]:
        return {"capacity": self._capacity, "memory_limit": self._memory_limit, "shared_name": self._name}

    def _add(self, op_type: str, name: str, *inputs: Any) -> Any:
        return _context.builder().op(op_type, *inputs, dtypes=self._dtypes, name=name, **self._attrs())

    def _taken(self, op_type: str, name: str, *inputs: Any) -> Any:
        with colocate_with(self._place):
            tensors = self._add(op_type, name, *inputs)
        # TensorFlow adds an operation to learn which device is asked for here, and a copy where it is another one.
        if no_op().device != self._place.device:
            tensors = [_context.builder().Identity(t) for t in tensors]
        for tensor, shape in zip(tensors, self._shapes, strict=True):
            tensor.set_shape(shape)
        return dict(zip(self._names, tensors, strict=True)) if self._names else tensors

    def _checked(self, values: Any) -> list[Tensor]:
        if isinstance(values, Mapping):
            if not self._names:
                raise ValueError("Staging areas must have names to enqueue a dictionary")
            if not set(values) <= set(self._names):
                raise ValueError(
                    f"Keys in dictionary to put do not match names of staging area. Dictionary: {sorted(values)}"
                    f"Queue: {sorted(self._names)}"
                )
            numbered = [(i, values[name]) for i, name in enumerate(self._names) if name in values]
        elif self._names:
            raise ValueError("You must enqueue a dictionary in a staging area with names")
        else:
            numbered = list(enumerate(values))
        if len(numbered) > len(self._dtypes):
            raise ValueError(f"Unexpected number of inputs {len(numbered)} vs {len(self._dtypes)}")
        for i, value in numbered:
            if value.dtype != self._dtypes[i]:
                raise ValueError(
                    f"Datatypes do not match. Received val.dtype {value.dtype} and dtype {self._dtypes[i]}"
                )
            value.shape.assert_is_compatible_with(self._shapes[i])
        b = _context.builder()
        return [b.convert(value, self._dtypes[i], name=f"component_{i}") for i, value in numbered]
