"""Iterators over datasets."""

from __future__ import annotations

import secrets
from typing import Any

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError, OutOfRangeError
from regraft.base.shapes import TensorShape
from regraft.ir.attr import FunctionRef
from regraft.opkit.datasets import Dataset, Run, string
from regraft.opkit.iterators import (
    KIND,
    IteratorResource,
    check_structure,
    from_string,
    iterator_of,
    to_string,
)
from regraft.opkit.registry import Runs, op
from regraft.opkit.resources import ResourceHandle, made, shared
from regraft.opkit.shapes import ShapeContext, Sizes, no_outputs, scalar
from regraft.opkit.tensor_lists import Optional

Types = tuple[DType, ...]
Shapes = tuple[TensorShape, ...]

_HANDLE = "a handle"


@op("Iterator", "IteratorV2", shape=scalar, runs=Runs.HOST, session=True, no_gradient=_HANDLE)
def iterator(
    *, shared_name: bytes, container: bytes, output_types: Types, output_shapes: Shapes, session: Any, node: str
) -> Any:
    """The handle of an iterator that MakeIterator begins."""
    name = shared(container, shared_name, node)
    return made(session, KIND, name, lambda: IteratorResource(output_types, output_shapes))


@op("OneShotIterator", shape=scalar, runs=Runs.HOST, session=True, no_gradient=_HANDLE)
def one_shot_iterator(
    *,
    dataset_factory: FunctionRef,
    container: bytes,
    shared_name: bytes,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """The handle of an iterator over the dataset that a function makes: it is begun once in a session."""
    session = functions.session
    name = shared(container, shared_name, functions.node)
    if (KIND, name) in session.resources:
        return ResourceHandle(KIND, name)
    run = Run(functions)
    (dataset,) = functions.bind(dataset_factory)(run.scope)
    begun = IteratorResource(output_types, output_shapes)
    begun.begin(_dataset(dataset), run)
    return made(session, KIND, name, lambda: begun)


def _anonymous(session: Any, node: str, types: Types, shapes: Shapes) -> ResourceHandle:
    return made(session, KIND, f"{node}/{secrets.token_hex(8)}", lambda: IteratorResource(types, shapes))


@op("AnonymousIterator", "AnonymousIteratorV3", shape=scalar, runs=Runs.HOST, session=True, no_gradient=_HANDLE)
def anonymous_iterator(*, output_types: Types, output_shapes: Shapes, session: Any, node: str) -> Any:
    """The handle of a new iterator with each run."""
    return _anonymous(session, node, output_types, output_shapes)


@op("AnonymousIteratorV2", shape=scalar, runs=Runs.HOST, session=True, no_gradient=_HANDLE)
def anonymous_iterator_v2(*, output_types: Types, output_shapes: Shapes, session: Any, node: str) -> Any:
    """The handle of a new iterator with each run, and what DeleteIterator takes beside it."""
    handle = _anonymous(session, node, output_types, output_shapes)
    return handle, handle


@op("DeleteIterator", shape=no_outputs, runs=Runs.HOST, session=True)
def delete_iterator(handle: Any, deleter: Any, *, session: Any) -> None:
    """Close an iterator."""
    iterator_of(session, handle).close_session()
    del session.resources[handle.kind, handle.name]


def _dataset(value: Any) -> Dataset:
    if not isinstance(value, Dataset):
        raise InvalidArgumentError(f"expected a dataset, got {type(value).__name__}")
    return value


@op("MakeIterator", shape=no_outputs, runs=Runs.HOST, session=True, blocking=True)
def make_iterator(dataset: Any, iterator: Any, *, functions: Any) -> None:
    """Begin an iterator at the first element of a dataset. InvalidArgumentError where their elements differ."""
    iterator_of(functions.session, iterator).begin(_dataset(dataset), Run(functions))


def _components(c: ShapeContext) -> list[Sizes]:
    return [TensorShape(shape).sizes for shape in c.attr("output_shapes", ())]


@op(
    "IteratorGetNext",
    "IteratorGetNextSync",
    shape=_components,
    runs=Runs.HOST,
    session=True,
    blocking=True,
    no_gradient="an element of a dataset",
)
def iterator_get_next(iterator: Any, *, output_types: Types, session: Any) -> Any:
    """The next element.

    raises  OutOfRangeError at the end; FailedPreconditionError if the iterator was not begun
    """
    element = iterator_of(session, iterator).next()
    if len(element) != len(output_types):
        raise InvalidArgumentError(f"the iterator has {len(element)} components, the node {len(output_types)}")
    return element


@op("IteratorGetNextAsOptional", shape=scalar, runs=Runs.HOST, session=True, blocking=True)
def iterator_get_next_as_optional(iterator: Any, *, session: Any) -> Any:
    """The next element as an optional, which is empty at the end."""
    try:
        return Optional(iterator_of(session, iterator).next())
    except OutOfRangeError:
        return Optional()


@op("IteratorToStringHandle", shape=scalar, runs=Runs.HOST, session=True, no_gradient=_HANDLE)
def iterator_to_string_handle(resource_handle: Any, *, session: Any) -> Any:
    """The handle as a string that can be fed."""
    iterator_of(session, resource_handle)
    return string(to_string(resource_handle))


@op(
    "IteratorFromStringHandle",
    "IteratorFromStringHandleV2",
    shape=scalar,
    runs=Runs.HOST,
    session=True,
    no_gradient=_HANDLE,
)
def iterator_from_string_handle(string_handle: Any, *, output_types: Types, output_shapes: Shapes, session: Any) -> Any:
    """The handle that a string stands for. InvalidArgumentError where its elements are not those of the node."""
    handle = from_string(string_handle)
    resource = iterator_of(session, handle)
    check_structure(output_types, output_shapes, resource.types, resource.shapes)
    return handle


@op("IteratorGetDevice", "ExperimentalIteratorGetDevice", shape=scalar, runs=Runs.HOST, session=True)
def iterator_get_device(resource: Any, *, session: Any) -> Any:
    """The device that the iterator is on: always the first CPU."""
    iterator_of(session, resource)
    return string(b"/job:localhost/replica:0/task:0/device:CPU:0")
