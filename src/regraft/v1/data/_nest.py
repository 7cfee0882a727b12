"""Structures of dataset elements: tuples, named tuples and mappings. A list is no structure here but one tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from regraft.v1._sparse_tensor import SparseTensorValue


def is_nested(value: Any) -> bool:
    """Whether `value` is a structure of others."""
    return isinstance(value, (tuple, Mapping)) and not isinstance(value, SparseTensorValue)


def flatten(structure: Any) -> list[Any]:
    """The leaves in order, those of mappings by their sorted keys."""
    return [leaf for child in children(structure) for leaf in flatten(child)] if is_nested(structure) else [structure]


def children(structure: Any) -> list[Any]:
    """The elements of a structure."""
    return [structure[key] for key in sorted(structure)] if isinstance(structure, Mapping) else list(structure)


def pack(structure: Any, flat: Sequence[Any]) -> Any:
    """`flat` in the form of `structure`. ValueError when there are too few or too many."""
    leaves = iter(flat)
    packed = _packed(structure, leaves)
    if next(leaves, _END) is not _END:
        raise ValueError(f"{len(flat)} values are too many for a structure of {len(flatten(structure))}")
    return packed


_END = object()


def _packed(structure: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(structure, Mapping):
        values = {key: _packed(structure[key], leaves) for key in sorted(structure)}
        return type(structure)((key, values[key]) for key in structure)  # type: ignore[call-arg]  # as dict does
    if is_nested(structure):
        items = [_packed(item, leaves) for item in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else type(structure)(items)
    value = next(leaves, _END)
    if value is _END:
        raise ValueError("there are too few values for the structure")
    return value


def map_structure(function: Callable[..., Any], *structures: Any) -> Any:
    """The first structure with `function` applied to its leaves and to those of the others at the same places."""
    for other in structures[1:]:
        assert_same(structures[0], other)
    return pack(structures[0], [function(*leaves) for leaves in zip(*map(flatten, structures), strict=True)])


def assert_same(a: Any, b: Any) -> None:
    """ValueError or TypeError where two structures differ in more than their leaves."""
    if is_nested(a) != is_nested(b):
        raise ValueError(
            "The two structures don't have the same nested structure.\n\n"
            f"First structure: {a}\n\nSecond structure: {b}\n\nOne of them is a single value, the other is not."
        )
    if not is_nested(a):
        return
    if type(a) is not type(b) and not (isinstance(a, Mapping) and isinstance(b, Mapping)):
        raise TypeError(
            "The two structures don't have the same sequence type. First structure has type "
            f"{type(a)}, while second structure has type {type(b)}."
        )
    if isinstance(a, Mapping) and set(a) != set(b):
        raise ValueError(
            "The two dictionaries don't have the same set of keys. First structure has keys "
            f"{sorted(map(str, a))}, while second structure has keys {sorted(map(str, b))}."
        )
    if len(a) != len(b):
        raise ValueError(
            f"The two structures don't have the same number of elements. First structure: {a}. Second structure: {b}."
        )
    for x, y in zip(children(a), children(b), strict=True):
        assert_same(x, y)


def flatten_up_to(shallow: Any, structure: Any) -> list[Any]:
    """The parts of `structure` at the places of the leaves of `shallow`. Errors as `assert_same`."""
    if not is_nested(shallow):
        return [structure]
    if not is_nested(structure) or len(structure) != len(shallow):
        raise ValueError(
            "The two structures don't have the same nested structure: "
            f"{structure!r} does not have the form of {shallow!r}."
        )
    if isinstance(shallow, Mapping) and set(shallow) != set(structure):
        raise ValueError(f"The keys differ: {sorted(map(str, shallow))} and {sorted(map(str, structure))}.")
    pairs = zip(children(shallow), children(structure), strict=True)
    return [leaf for a, b in pairs for leaf in flatten_up_to(a, b)]
