"""Datasets of Python generators."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.base.shapes import TensorShape
from regraft.v1 import _context
from regraft.v1.data import _nest, _structure
from regraft.v1.data._base import dataset
from regraft.v1.data._dataset import Dataset
from regraft.v1.data._function import ElementFunction

_OF = "Dataset.from_generator()"


class _Running:
    """The generators of one dataset that are under way, by number."""

    def __init__(self, generator: Callable[..., Any]) -> None:
        self._generator = generator
        self._lock = threading.Lock()
        self._begun = 0
        self._arguments: dict[int, tuple[Any, ...]] = {}
        self._iterators: dict[int, Iterator[Any]] = {}

    def begin(self, *args: Any) -> Any:
        with self._lock:
            number = self._begun
            self._begun += 1
        self._arguments[number] = args
        return np.array(number, np.int64)

    def next(self, number: Any) -> Any:
        key = int(number)
        if key not in self._iterators:
            self._iterators[key] = iter(self._generator(*self._arguments.pop(key)))
        return next(self._iterators[key])

    def end(self, number: Any) -> Any:
        self._arguments.pop(int(number), None)
        self._iterators.pop(int(number), None)
        return np.array(0, np.int64)


def generated(
    generator: Callable[..., Any],
    output_types: Any,
    output_shapes: Any,
    args: Any,
    output_signature: Any,
    name: str | None,
) -> Dataset:
    """`Dataset.from_generator`."""
    from regraft.v1._py_func import numpy_function

    if not callable(generator):
        raise TypeError("`generator` must be a Python callable.")
    spec = _spec(output_types, output_shapes, output_signature)
    b = _context.builder()
    given = tuple(b.convert(value, name=f"args_{i}") for i, value in enumerate(args or ()))
    state = _Running(generator)
    types, shapes = _structure.flat_types(spec), _structure.flat_shapes(spec)

    def generator_py_func(number: Any) -> Any:
        values = state.next(number)
        try:
            flat = _nest.flatten_up_to(spec, values)
        except (TypeError, ValueError) as e:
            raise TypeError(
                "`generator` yielded an element that did not match the expected structure. The expected structure was "
                f"{_structure.types_of(spec)}, but the yielded element was {values}."
            ) from e
        parts = zip(flat, types, shapes, strict=True)
        return [_array(value, dtype, shape) for value, dtype, shape in parts]

    def get_iterator_id_fn(unused: Any) -> Any:
        return numpy_function(state.begin, given, dtypes.int64)

    def generator_next_fn(number: Any) -> Any:
        tensors = numpy_function(generator_py_func, [number], types)
        tensors = tensors if isinstance(tensors, (list, tuple)) else [tensors]
        return _structure.from_tensors(spec, tensors)

    def finalize_fn(number: Any) -> Any:
        return numpy_function(state.end, [number], dtypes.int64)

    def flat_map_fn(dummy: Any) -> Dataset:
        init = ElementFunction(get_iterator_id_fn, _OF, _structure.spec_of_element(dummy))
        following = ElementFunction(generator_next_fn, _OF, init.spec)
        finalize = ElementFunction(finalize_fn, _OF, init.spec)
        return dataset(
            "GeneratorDataset",
            [dummy, *init.captured],
            following.captured,
            finalize.captured,
            init_func=init.ref,
            next_func=following.ref,
            finalize_func=finalize.ref,
            spec=spec,
            name=name,
        )

    return Dataset.from_tensors(0, name=name).flat_map(flat_map_fn, name=name)


def _spec(output_types: Any, output_shapes: Any, output_signature: Any) -> Any:
    if output_signature is not None:
        if output_types is not None or output_shapes is not None:
            raise TypeError("`output_types` and `output_shapes` can not be used together with `output_signature`.")
        return _nest.map_structure(_structure.component, output_signature)
    if output_types is None:
        raise TypeError(
            "To specify the output signature you need to provide either the `output_signature` argument or the "
            "`output_types` argument."
        )
    return _structure.from_legacy(output_types, output_shapes)


def _array(value: Any, dtype: DType, shape: TensorShape) -> Any:
    """What a generator yielded as an array. TypeError where it does not fit."""
    try:
        array = _texts(value) if dtype is dtypes.string else np.asarray(value, dtype.numpy)
    except (TypeError, ValueError) as e:
        raise TypeError(
            "`generator` yielded an element that could not be converted to the expected type. The expected type was "
            f"{dtype.name}, but the yielded element was {value}."
        ) from e
    if not shape.is_compatible_with(array.shape):
        raise TypeError(
            f"`generator` yielded an element of shape {array.shape} where an element of shape {shape} was expected."
        )
    return array


def _texts(value: Any) -> Any:
    array = np.asarray(value, object)
    out = np.empty(array.shape, object)
    for index in np.ndindex(array.shape):
        item = array[index]
        out[index] = item.encode() if isinstance(item, str) else bytes(item)
    return out
