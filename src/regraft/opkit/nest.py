"""Structures of tensors: lists, tuples, named tuples and mappings, nested as deep as one likes.

Mappings are walked in the order of their sorted keys. IndexedSlices count as the tensors that they are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from regraft.opkit.slices import IndexedSlices


def is_nested(value: Any) -> bool:
    """Whether `value` holds others: a list, tuple or mapping."""
    return isinstance(value, (list, tuple, Mapping))


def flatten(structure: Any) -> list[Any]:
    """The leaves in order; slices as their parts."""
    if is_nested(structure):
        return [leaf for child in _children(structure) for leaf in flatten(child)]
    return _parts(structure) if isinstance(structure, IndexedSlices) else [structure]


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """The structure with `function` applied to each leaf."""
    return pack(structure, [function(leaf) for leaf in flatten(structure)])


def pack(structure: Any, flat: Sequence[Any]) -> Any:
    """`flat`, which `flatten` would give, in the form of `structure`. ValueError when there are too few or too many."""
    leaves = iter(flat)
    try:
        packed = _packed(structure, leaves)
    except StopIteration:
        raise ValueError(f"{len(flat)} values do not fill a structure of {len(flatten(structure))}") from None
    if next(leaves, _END) is not _END:
        raise ValueError(f"{len(flat)} values are too many for a structure of {len(flatten(structure))}")
    return packed


_END = object()


def check_same(a: Any, b: Any) -> None:
    """ValueError where one holds other elements than the other, TypeError where they are of other types."""
    if not _nested(a) and not _nested(b):
        return
    said = f"The two structures don't have the same nested structure.\nFirst structure: {a}\nSecond structure: {b}\n"
    if _nested(a) != _nested(b):
        raise ValueError(said + "One of them is a single value, the other is not.")
    if _kind(a) is not _kind(b):
        raise TypeError(said + f"One is a {type(a).__name__}, the other a {type(b).__name__}.")
    if isinstance(a, Mapping) and set(a) != set(b):
        raise ValueError(said + f"The keys differ: {sorted(map(str, set(a) ^ set(b)))}.")
    of_a, of_b = _children(a), _children(b)
    if len(of_a) != len(of_b):
        raise ValueError(said + f"One has {len(of_a)} elements, the other {len(of_b)}.")
    for x, y in zip(of_a, of_b, strict=True):
        check_same(x, y)


def _nested(value: Any) -> bool:
    return is_nested(value) or isinstance(value, IndexedSlices)


def _kind(value: Any) -> type:
    return dict if isinstance(value, Mapping) else type(value)


def _parts(slices: IndexedSlices) -> list[Any]:
    return [t for t in (slices.values, slices.indices, slices.dense_shape) if t is not None]


def _children(structure: Any) -> list[Any]:
    if isinstance(structure, Mapping):
        return [structure[key] for key in sorted(structure)]
    return _parts(structure) if isinstance(structure, IndexedSlices) else list(structure)


def _packed(structure: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(structure, Mapping):
        values = {key: _packed(structure[key], leaves) for key in sorted(structure)}
        return type(structure)((key, values[key]) for key in structure)  # type: ignore[call-arg]  # as dict does
    if isinstance(structure, (list, tuple)):
        items = [_packed(item, leaves) for item in structure]
        if hasattr(structure, "_fields"):
            return type(structure)(*items)
        return type(structure)(items)
    if isinstance(structure, IndexedSlices):
        return IndexedSlices(*[next(leaves) for _ in _parts(structure)])
    return next(leaves)
