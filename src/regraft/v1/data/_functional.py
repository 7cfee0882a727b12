"""Transformations with functions: map, filter, flat_map, interleave, scan, reduce, grouping."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from regraft.base import dtypes
from regraft.v1 import _context
from regraft.v1.data import _nest, _structure
from regraft.v1.data._base import AUTOTUNE, dataset, determined, optional, tensor
from regraft.v1.data._function import ElementFunction
from regraft.v1.data._structure import DatasetSpec, TensorSpec

if TYPE_CHECKING:
    from regraft.v1.data._dataset import Dataset

Function = Callable[..., Any]

_BOOL = TensorSpec([], dtypes.bool_)
_INT64 = TensorSpec([], dtypes.int64)


def mapped(
    source: Any,
    map_func: Function,
    num_parallel_calls: Any = None,
    deterministic: bool | None = None,
    use_inter_op_parallelism: bool = True,
    preserve_cardinality: bool | None = None,
    name: str | None = None,
) -> Dataset:
    """`Dataset.map`."""
    function = ElementFunction(map_func, "Dataset.map()", source.element_spec)
    common = {
        "f": function.ref,
        "use_inter_op_parallelism": use_inter_op_parallelism,
        "preserve_cardinality": source._nested if preserve_cardinality is None else preserve_cardinality,
        "spec": function.spec,
        "name": name,
    }
    if num_parallel_calls is None:
        return dataset("MapDataset", source, function.captured, **common)
    calls = tensor(num_parallel_calls, "num_parallel_calls")
    chosen = determined(deterministic)
    return dataset("ParallelMapDatasetV2", source, function.captured, calls, deterministic=chosen, **common)


def _predicate(function: Function, of: str, source: Any) -> ElementFunction:
    found = ElementFunction(function, of, source.element_spec)
    if not _structure.compatible(found.spec, _BOOL):
        raise ValueError(
            "Invalid `predicate`. `predicate` must return a `tf.bool` scalar tensor, but its return type is "
            f"{found.spec}."
        )
    return found


def filtered(source: Any, predicate: Function, name: str | None = None) -> Dataset:
    """`Dataset.filter`."""
    function = _predicate(predicate, "Dataset.filter()", source)
    return dataset(
        "FilterDataset",
        source,
        function.captured,
        predicate=function.ref,
        spec=source.element_spec,
        name=name,
    )


def taken_while(source: Any, predicate: Function, name: str | None = None) -> Dataset:
    """`Dataset.take_while`."""
    function = _predicate(predicate, "Dataset.take_while()", source)
    return dataset(
        "TakeWhileDataset",
        source,
        function.captured,
        predicate=function.ref,
        spec=source.element_spec,
        name=name,
    )


def _of_datasets(function: Function, of: str, spec: Any, argument: str = "map_func") -> tuple[ElementFunction, Any]:
    """A function that returns a dataset, and the structure of that one's elements."""
    found = ElementFunction(function, of, spec)
    if not isinstance(found.spec, DatasetSpec):
        raise TypeError(f"The `{argument}` argument must return a `Dataset` object. Got {type(found.spec).__name__!r}.")
    return found, found.spec.element_spec


def flat_mapped(source: Any, map_func: Function, name: str | None = None) -> Dataset:
    """`Dataset.flat_map`."""
    function, spec = _of_datasets(map_func, "Dataset.flat_map()", source.element_spec)
    return dataset("FlatMapDataset", source, function.captured, f=function.ref, spec=spec, name=name)


def interleaved(
    source: Any,
    map_func: Function,
    cycle_length: Any = None,
    block_length: Any = None,
    num_parallel_calls: Any = None,
    deterministic: bool | None = None,
    name: str | None = None,
) -> Dataset:
    """`Dataset.interleave`."""
    function, spec = _of_datasets(map_func, "Dataset.interleave()", source.element_spec)
    cycle = tensor(AUTOTUNE if cycle_length is None else cycle_length, "cycle_length")
    block = tensor(1 if block_length is None else block_length, "block_length")
    inputs = [source, function.captured, cycle, block]
    if num_parallel_calls is None:
        return dataset("InterleaveDataset", *inputs, f=function.ref, spec=spec, name=name)
    inputs.append(tensor(AUTOTUNE, "buffer_output_elements"))
    inputs.append(tensor(AUTOTUNE, "prefetch_input_elements"))
    inputs.append(tensor(num_parallel_calls, "num_parallel_calls"))
    return dataset(
        "ParallelInterleaveDatasetV4",
        *inputs,
        f=function.ref,
        deterministic=determined(deterministic),
        spec=spec,
        name=name,
    )


def parallel_interleaved(
    source: Any,
    map_func: Function,
    cycle_length: Any,
    block_length: Any = 1,
    sloppy: bool | None = False,
    buffer_output_elements: Any = None,
    prefetch_input_elements: Any = None,
    name: str | None = None,
) -> Dataset:
    """`tf.data.experimental.parallel_interleave`."""
    function, spec = _of_datasets(map_func, "tf.data.experimental.parallel_interleave()", source.element_spec)
    cycle = tensor(cycle_length, "cycle_length")
    block = tensor(block_length, "block_length")
    output = optional(buffer_output_elements, "buffer_output_elements", 2 * block_length)
    ahead = optional(prefetch_input_elements, "prefetch_input_elements", 2 * cycle_length)
    return dataset(
        "LegacyParallelInterleaveDatasetV2",
        source,
        function.captured,
        cycle,
        block,
        output,
        ahead,
        f=function.ref,
        deterministic=determined(None if sloppy is None else not sloppy),
        spec=spec,
        name=name,
    )


def state_function(
    function: Function, of: str, state: Any, spec: Any, split: Callable[[Any], Any]
) -> tuple[ElementFunction, Any]:
    """A function (state, element) whose new state is of the structure of the old one, as far as that is known.

    split  from what the function returns to the new state
    """
    while True:
        found = ElementFunction(function, of, (state, spec))
        new = split(found.spec)
        try:
            _nest.assert_same(state, new)
        except (TypeError, ValueError) as e:
            raise TypeError(f"The new state must have the structure of the initial state. Expected {state}.") from e
        for old_part, new_part in zip(_nest.flatten(state), _nest.flatten(new), strict=True):
            if old_part.classes is not new_part.classes:
                raise TypeError(
                    "The element classes for the new state must match the initial state. Expected "
                    f"{old_part.classes}, got {new_part.classes}."
                )
            if old_part.types is not new_part.types:
                raise TypeError(
                    "The element types for the new state must match the initial state. Expected "
                    f"{old_part.types}, got {new_part.types}."
                )
        weaker = _nest.map_structure(lambda a, b: a.common(b), state, new)
        if _structure.shapes_of(weaker) == _structure.shapes_of(state):
            return found, state
        state = weaker


def scanned(source: Any, initial_state: Any, scan_func: Function, name: str | None = None) -> Dataset:
    """`Dataset.scan`."""
    state = _structure.normalize(initial_state)

    def new_state(result: Any) -> Any:
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError(
                "Invalid `scan_func`. `scan_func` should return a pair consisting of new state and the output value "
                f"but its return type is {result}."
            )
        return result[0]

    function, spec = state_function(
        scan_func, "Dataset.scan()", _structure.spec_of_element(state), source.element_spec, new_state
    )
    return dataset(
        "ScanDataset",
        source,
        _structure.to_tensors(spec, state),
        function.captured,
        f=function.ref,
        preserve_cardinality=True,
        spec=function.spec[1],
        name=name,
    )


def reduced(source: Any, initial_state: Any, reduce_func: Function, name: str | None = None) -> Any:
    """`Dataset.reduce`."""
    from regraft.v1.data._base import metadata

    b = _context.builder()
    with b.graph.name_scope("initial_state"):
        state = _structure.normalize(initial_state)
    function, spec = state_function(
        reduce_func, "reduce()", _structure.spec_of_element(state), source.element_spec, lambda result: result
    )
    operation = b.operation(
        "ReduceDataset",
        source._variant_tensor,
        _structure.to_tensors(spec, state),
        function.captured,
        f=function.ref,
        output_types=_structure.flat_types(spec),
        output_shapes=_structure.flat_shapes(spec),
        metadata=metadata(name),
    )
    return _structure.from_tensors(spec, operation.outputs)


def grouped_by_window(
    source: Any,
    key_func: Function,
    reduce_func: Function,
    window_size: Any = None,
    window_size_func: Function | None = None,
    name: str | None = None,
) -> Dataset:
    """`Dataset.group_by_window`."""
    if (window_size is None) == (window_size_func is None):
        raise ValueError("Either the `window_size` argument or the `window_size_func` argument must be specified.")
    of = "Dataset.group_by_window()"

    def constant_window_func(key: Any) -> Any:
        return _context.builder().convert(window_size, dtypes.int64)

    def key_func_wrapper(*args: Any) -> Any:
        return _context.builder().convert(key_func(*args), dtypes.int64)

    sizes = constant_window_func if window_size_func is None else window_size_func

    def window_size_func_wrapper(key: Any) -> Any:
        return _context.builder().convert(sizes(key), dtypes.int64)

    key = ElementFunction(key_func_wrapper, of, source.element_spec)
    if not _structure.compatible(key.spec, _INT64):
        raise ValueError(
            "Invalid `key_func`. `key_func` must return a single `tf.int64` scalar tensor but its return type is "
            f"{key.spec}."
        )
    reduce, spec = _of_datasets(reduce_func, of, (_INT64, DatasetSpec(source.element_spec)), "reduce_func")
    size = ElementFunction(window_size_func_wrapper, of, _INT64)
    if not _structure.compatible(size.spec, _INT64):
        raise ValueError(
            "Invalid `window_size_func`. `window_size_func` must return a single `tf.int64` scalar tensor but its "
            f"return type is {size.spec}."
        )
    return dataset(
        "GroupByWindowDataset",
        source,
        key.captured,
        reduce.captured,
        size.captured,
        key_func=key.ref,
        reduce_func=reduce.ref,
        window_size_func=size.ref,
        spec=spec,
        name=name,
    )
