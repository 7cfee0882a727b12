"""What may be fetched: tensors, operations, names, variables, and any nesting of them in lists, tuples and dicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit.slices import IndexedSlices

Rebuild = Callable[[list[Any]], Any]


class IndexedSlicesValue(NamedTuple):
    """A fetched IndexedSlices."""

    values: Any
    indices: Any
    dense_shape: Any


# type -> function from an object to (tensors to fetch, function from their values to the result)
_EXPANSIONS: list[tuple[Any, Callable[[Any], tuple[list[Any], Rebuild]]]] = []
# type -> function from (feed key, value) to [(tensor, value), ...]
_FEED_EXPANSIONS: list[tuple[Any, Callable[[Any, Any], list[tuple[Any, Any]]]]] = []


def register_conversion(
    kind: Any,
    fetch: Callable[[Any], tuple[list[Any], Rebuild]],
    feed: Callable[[Any, Any], list[tuple[Any, Any]]] | None = None,
) -> None:
    """Make objects of type `kind` fetchable, and usable as keys of a feed_dict."""
    _EXPANSIONS.insert(0, (kind, fetch))
    if feed is not None:
        _FEED_EXPANSIONS.insert(0, (kind, feed))


def expand(graph: Graph, fetches: Any) -> tuple[list[Tensor | Operation], Rebuild]:
    """The flat graph elements to fetch, each once, and the function that puts their values into the asked-for form."""
    flat: dict[Tensor | Operation, int] = {}
    build = _expand(graph, fetches, flat)
    return list(flat), build


def _expand(graph: Graph, fetch: Any, flat: dict[Tensor | Operation, int]) -> Rebuild:
    if type(fetch) is Tensor or type(fetch) is Operation:  # most are, and what else they may be takes time to find out
        return _place(graph, fetch, flat)
    if fetch is None:
        raise TypeError(f'Argument `fetch` = {fetch!r} has invalid type "NoneType". Cannot be None')
    if isinstance(fetch, (list, tuple)):
        parts = [_expand(graph, f, flat) for f in fetch]
        if isinstance(fetch, list):
            return lambda values: [p(values) for p in parts]
        if hasattr(fetch, "_fields"):
            return lambda values: type(fetch)(*(p(values) for p in parts))
        return lambda values: tuple(p(values) for p in parts)
    if isinstance(fetch, Mapping):
        keys = list(fetch)
        items = [_expand(graph, fetch[k], flat) for k in keys]
        kind = type(fetch)
        if kind is dict:
            return lambda values: {k: p(values) for k, p in zip(keys, items, strict=True)}
        return lambda values: kind((k, p(values)) for k, p in zip(keys, items, strict=True))  # type: ignore[call-arg]  # a mapping of pairs
    if hasattr(type(fetch), "__attrs_attrs__"):
        names = [a.name for a in type(fetch).__attrs_attrs__]
        fields = [_expand(graph, getattr(fetch, n), flat) for n in names]
        return lambda values: type(fetch)(*(p(values) for p in fields))
    for kind_, function in _EXPANSIONS:
        if isinstance(fetch, kind_):
            tensors, finish = function(fetch)
            inner = [_expand(graph, t, flat) for t in tensors]
            return lambda values: finish([p(values) for p in inner])
    return _place(graph, fetch, flat)


def _place(graph: Graph, fetch: Any, flat: dict[Tensor | Operation, int]) -> Rebuild:
    return itemgetter(flat.setdefault(_element(graph, fetch), len(flat)))


def _element(graph: Graph, fetch: Any) -> Tensor | Operation:
    try:
        element = graph.as_graph_element(fetch)
    except TypeError as e:
        raise TypeError(
            f'Argument `fetch` = {fetch} has invalid type "{type(fetch).__name__}" must be a string or Tensor. ({e})'
        ) from e
    except (ValueError, KeyError) as e:
        raise ValueError(f"Argument `fetch` = {fetch} cannot be interpreted as a Tensor. ({e})") from e
    if not graph.is_fetchable(element):
        name = element.op.name if isinstance(element, Tensor) else element.name
        raise ValueError(
            f"Operation {name!r} has been marked as not fetchable: it was made inside a function or a block of code "
            "that gives its results another way."
        )
    return element


def expand_feed(key: Any, value: Any) -> Sequence[tuple[Any, Any]]:
    """One entry of a feed_dict as pairs of tensor-like key and value."""
    if type(key) is Tensor:
        return ((key, value),)
    for kind, function in _FEED_EXPANSIONS:
        if isinstance(key, kind):
            return function(key, value)
    if isinstance(key, (tuple, list)):
        if len(key) != len(value):
            raise ValueError(f"feed key {key!r} has {len(key)} tensors, its value has {len(value)} parts")
        return [pair for k, v in zip(key, value, strict=True) for pair in expand_feed(k, v)]
    return [(key, value)]


def _fetch_slices(slices: IndexedSlices) -> tuple[list[Any], Rebuild]:
    parts = [slices.values, slices.indices]
    if slices.dense_shape is not None:
        parts.append(slices.dense_shape)
    return parts, lambda v: IndexedSlicesValue(v[0], v[1], v[2] if len(v) > 2 else None)


def _feed_slices(slices: IndexedSlices, value: Any) -> list[tuple[Any, Any]]:
    keys = [slices.values, slices.indices, *([] if slices.dense_shape is None else [slices.dense_shape])]
    return list(zip(keys, value, strict=False))


register_conversion(IndexedSlices, _fetch_slices, _feed_slices)
