"""tf.nest and tf.contrib.framework.nest: structures of lists, tuples, named tuples and mappings.

Mappings are walked in the order of their sorted keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from regraft.opkit import nest as _nest
from regraft.opkit.slices import IndexedSlices

__all__ = [
    "assert_same_structure",
    "assert_shallow_structure",
    "flatten",
    "flatten_dict_items",
    "flatten_up_to",
    "get_traverse_shallow_structure",
    "is_nested",
    "is_sequence",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "yield_flattened_up_to",
]


def is_nested(seq: Any) -> bool:
    """Whether it is a list, tuple or mapping."""
    return _nest.is_nested(seq)


is_sequence = is_nested


def _children(structure: Any) -> list[Any]:
    if isinstance(structure, Mapping):
        return [structure[key] for key in sorted(structure)]
    return list(structure)


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves in order.

    expand_composites  IndexedSlices count as the tensors that they are made of
    """
    if _nest.is_nested(structure):
        return [leaf for child in _children(structure) for leaf in flatten(child, expand_composites)]
    return _nest.flatten(structure) if expand_composites else [structure]


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """The leaves `flat_sequence` in the form of `structure`.

    raises  TypeError where `flat_sequence` is no list, ValueError where it holds too few or too many
    """
    if not _nest.is_nested(flat_sequence):
        raise TypeError(f"Attempted to pack value:\n  {flat_sequence}\ninto a structure, but found no sequence.")
    flat = flatten(flat_sequence, expand_composites)
    count = len(flatten(structure, expand_composites))
    if not _nest.is_nested(structure) and not (expand_composites and isinstance(structure, IndexedSlices)):
        if len(flat) != 1:
            raise ValueError(f"The target structure is of type {type(structure)}, and {len(flat)} values are given")
        return flat[0]
    if count != len(flat):
        raise ValueError(
            f"Could not pack sequence. Structure had {count} atoms, but flat_sequence had {len(flat)} items. "
            f"Structure: {structure}, flat_sequence: {flat}."
        )
    return _filled(structure, iter(flat), expand_composites)


def _filled(structure: Any, leaves: Iterator[Any], expand_composites: bool) -> Any:
    if isinstance(structure, Mapping):
        values = {key: _filled(structure[key], leaves, expand_composites) for key in sorted(structure)}
        return type(structure)((key, values[key]) for key in structure)  # type: ignore[call-arg]  # as dict does
    if isinstance(structure, (list, tuple)):
        items = [_filled(item, leaves, expand_composites) for item in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else type(structure)(items)
    if expand_composites and isinstance(structure, IndexedSlices):
        return _nest.pack(structure, [next(leaves) for _ in _nest.flatten(structure)])
    return next(leaves)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """ValueError where one holds other elements than the other, TypeError where they are of other types."""
    if check_types:
        _nest.check_same(nest1, nest2)
        return
    said = f"The two structures don't have the same nested structure.\n\nFirst: {nest1}\n\nSecond: {nest2}"
    if _nest.is_nested(nest1) != _nest.is_nested(nest2):
        raise ValueError(said)
    if not _nest.is_nested(nest1):
        return
    ours, theirs = _children(nest1), _children(nest2)
    if len(ours) != len(theirs):
        raise ValueError(said)
    for one, other in zip(ours, theirs, strict=True):
        assert_same_structure(one, other, False, expand_composites)


def map_structure(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """`func` of the leaves at each place of the structures, in the form of the first.

    check_types        the structures are of the same types, and not of the same form alone
    expand_composites  see `flatten`
    raises             TypeError for no function, ValueError for no structure; see `assert_same_structure`
    """
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func}")
    if not structure:
        raise ValueError("Must provide at least one structure")
    check_types = kwargs.pop("check_types", True)
    expand = kwargs.pop("expand_composites", False)
    if kwargs:
        raise ValueError(f"Only valid keyword arguments are `check_types` and `expand_composites`, not: {kwargs}")
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types, expand)
    rows = zip(*[flatten(s, expand) for s in structure], strict=True)
    return pack_sequence_as(structure[0], [func(*row) for row in rows], expand)


# Structures whose leaves are structures


def assert_shallow_structure(shallow_tree: Any, input_tree: Any, check_types: bool = True) -> None:
    """Check that `input_tree` has the form of `shallow_tree` as far as that goes: ValueError and TypeError else."""
    if not _nest.is_nested(shallow_tree):
        return
    if not _nest.is_nested(input_tree):
        raise TypeError(f"If shallow structure is a sequence, input must also be a sequence. Input: {input_tree}")
    if check_types and not isinstance(input_tree, type(shallow_tree)) and not isinstance(shallow_tree, Mapping):
        raise TypeError(
            f"The two structures don't have the same sequence type: {type(shallow_tree)}, {type(input_tree)}"
        )
    if len(shallow_tree) != len(input_tree):
        raise ValueError(
            f"The two structures don't have the same sequence length: {len(shallow_tree)}, {len(input_tree)}"
        )
    if isinstance(shallow_tree, Mapping) and set(shallow_tree) != set(input_tree):
        raise ValueError(f"The two structures don't have the same keys: {set(shallow_tree) ^ set(input_tree)}")
    for shallow, deep in zip(_children(shallow_tree), _children(input_tree), strict=True):
        assert_shallow_structure(shallow, deep, check_types)


def yield_flattened_up_to(shallow_tree: Any, input_tree: Any) -> Iterator[Any]:
    """The parts of `input_tree` where `shallow_tree` has leaves."""
    if not _nest.is_nested(shallow_tree):
        yield input_tree
        return
    for shallow, deep in zip(_children(shallow_tree), _children(input_tree), strict=True):
        yield from yield_flattened_up_to(shallow, deep)


def flatten_up_to(shallow_tree: Any, input_tree: Any, check_types: bool = True) -> list[Any]:
    """`yield_flattened_up_to`, checked and as a list."""
    assert_shallow_structure(shallow_tree, input_tree, check_types)
    return list(yield_flattened_up_to(shallow_tree, input_tree))


def map_structure_up_to(shallow_tree: Any, func: Callable[..., Any], *inputs: Any, **kwargs: Any) -> Any:
    """`func` of the parts of the inputs where `shallow_tree` has leaves, in its form."""
    if not inputs:
        raise ValueError("Cannot map over no sequences")
    check_types = kwargs.pop("check_types", True)
    columns = [flatten_up_to(shallow_tree, tree, check_types) for tree in inputs]
    return fill(shallow_tree, [func(*row) for row in zip(*columns, strict=True)])


def fill(structure: Any, values: list[Any]) -> Any:
    """`values`, which may be structures themselves, at the places of `structure`."""
    return _filled(structure, iter(values), False)


def get_traverse_shallow_structure(traverse_fn: Callable[[Any], Any], structure: Any) -> Any:
    """A structure of bools: how deep to go into `structure`.

    traverse_fn  says of a part whether to go into it: a bool, or one for each of its direct elements
    raises       TypeError where it says anything else
    """
    go = traverse_fn(structure)
    if not _nest.is_nested(structure):
        if not isinstance(go, bool):
            raise TypeError(f"traverse_fn returned: {go} for a non-sequence: {structure}")
        return go
    if go is False:
        return False
    children = _children(structure)
    if go is not True:
        assert_shallow_structure(go, structure)
    choices = [True] * len(children) if go is True else _children(go)
    if not all(isinstance(choice, bool) for choice in choices):
        raise TypeError(f"traverse_fn returned: {go}, which is no structure of bools of depth 1")
    parts = [
        choice and get_traverse_shallow_structure(traverse_fn, child)
        for choice, child in zip(choices, children, strict=True)
    ]
    return _like(structure, parts)


def _like(structure: Any, parts: list[Any]) -> Any:
    """`parts` as the direct elements of a structure like this one."""
    if isinstance(structure, Mapping):
        return type(structure)(zip(sorted(structure), parts, strict=True))  # type: ignore[call-arg]  # as dict does
    return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)


def flatten_dict_items(dictionary: Any) -> dict[Any, Any]:
    """The mapping with keys and values that are structures of one form taken apart.

    raises  TypeError for no mapping; ValueError where a key and its value differ in form, or a key comes twice
    """
    if not isinstance(dictionary, Mapping):
        raise TypeError("input must be a dictionary")
    found: dict[Any, Any] = {}
    for key, value in dictionary.items():
        if _nest.is_nested(key):
            keys, values = flatten(key), flatten(value)
            if len(keys) != len(values):
                raise ValueError(f"Could not flatten dictionary. Key had {len(keys)} elements, value had {len(values)}")
        else:
            keys, values = [key], [value]
        for k, v in zip(keys, values, strict=True):
            if k in found:
                raise ValueError(f"Could not flatten dictionary: key {k} is not unique.")
            found[k] = v
    return found
