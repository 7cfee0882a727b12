"""What handles stand for that live for one run: TensorArrays and stacks.

A handle is a Python object that kernels change, in the interpreter and while a program is traced. Its contents are
NumPy arrays in the interpreter; in a trace they are traced arrays, which the tracer carries through loops and
conditionals (`leaves`, `restore`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from regraft.base.dtypes import DType

# Room for the elements of a stack or growing TensorArray of which nothing is known.
_GUESS = 32


class Untraceable(Exception):
    """What is to be traced has no form as a compiled program; the message says why. The interpreter runs it."""


class RunObject:
    """Base of what a handle stands for."""


class TracedObject(RunObject):
    """An object whose contents are traced.

    parent   the object that it belongs to (the TensorArray of a gradient), or None
    version  counts the changes of the contents
    """

    parent: TracedObject | None = None
    version: int = 0

    def leaves(self) -> tuple[Any, ...]:
        """The arrays that make up the contents; none as long as their shapes are not known."""
        raise NotImplementedError

    def restore(self, leaves: tuple[Any, ...]) -> None:
        """Set the contents to what `leaves` gave or `zeros` made."""
        raise NotImplementedError

    def zeros(self, like: tuple[Any, ...]) -> tuple[Any, ...]:
        """Contents of an object without entries, in the shapes of the leaves `like`."""
        raise NotImplementedError

    def excess(self) -> tuple[str, Any] | None:
        """(key, how many elements it should have had room for, 0 if there was enough); None if it can't run out."""
        return None

    def forget(self, known: Any) -> None:
        """Drop the objects that belong to this one and are not in `known`: they came from trying out shapes."""


class Objects:
    """Makes the objects of one run or one trace; a kernel with `objects=True` gets it as the argument `objects`.

    node   the node whose kernel runs, which names the objects that it makes
    sizes  by that name, how many elements the largest of its objects had
    """

    def __init__(self, tensor_array: Callable[..., RunObject], stack: Callable[..., RunObject]) -> None:
        self._tensor_array = tensor_array
        self._stack = stack
        self.node = ""
        self.sizes: dict[str, int] = {}

    def tensor_array(self, dtype: DType, size: Any, **options: Any) -> Any:
        """A TensorArray; see `opkit.tensor_arrays`."""
        return self._tensor_array(self, dtype, size, **options)

    def stack(self, dtype: DType, max_size: Any, name: str) -> Any:
        """A stack; see `opkit.stacks`."""
        return self._stack(self, dtype, max_size, name)

    def note(self, key: str, size: int) -> None:
        """Remember how large an object has become."""
        if size > self.sizes.get(key, 0):
            self.sizes[key] = size


class TracedObjects(Objects):
    """The objects of a trace.

    live  every object that has been made
    """

    def __init__(
        self,
        tensor_array: Callable[..., RunObject],
        stack: Callable[..., RunObject],
        sizes: Mapping[str, int],
    ) -> None:
        super().__init__(tensor_array, stack)
        self._given = sizes
        self.live: list[TracedObject] = []

    def tensor_array(self, dtype: DType, size: Any, **options: Any) -> Any:
        made = super().tensor_array(dtype, size, **options)
        self.live.append(made)
        return made

    def stack(self, dtype: DType, max_size: Any, name: str) -> Any:
        made = super().stack(dtype, max_size, name)
        self.live.append(made)
        return made

    def capacity(self, key: str, least: int) -> int:
        """How many elements an object gets room for: what an earlier run needed, or as many as a TensorArray has."""
        known = self._given.get(key)
        if known is None:
            known = max((getattr(o, "fixed_size", 0) for o in self.live), default=0) or _GUESS
        return max(known, least, 1)
