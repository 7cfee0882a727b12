"""Variable scopes: the prefix of the names that get_variable gives, and the defaults of its arguments."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.opkit.builder import Builder
from regraft.variables.store import AUTO_REUSE, VariableStore, variable_store

__all__ = ["AUTO_REUSE", "VariableScope", "get_variable", "get_variable_scope", "variable_scope"]

_KEY = ("__varscope",)


class VariableScope:
    """Defaults for get_variable, below one prefix.

    reuse  True: only find variables; None or False: only make them; AUTO_REUSE: find or make
    """

    def __init__(
        self,
        reuse: Any,
        name: str = "",
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        name_scope: str = "",
        dtype: Any = dtypes.float32,
        use_resource: bool | None = None,
        constraint: Any = None,
        graph: Graph | None = None,
    ) -> None:
        self.name = name
        self.original_name_scope = name_scope
        self.reuse = reuse
        self.initializer = initializer
        self.regularizer = regularizer
        self.caching_device = caching_device
        self.partitioner = partitioner
        self.custom_getter = custom_getter
        self.dtype = dtype
        self.use_resource = use_resource
        self.constraint = constraint
        self._graph = graph

    @property
    def _name_scope(self) -> str:
        return self.original_name_scope

    def reuse_variables(self) -> None:
        """Only find variables from now on."""
        self.reuse = True

    def set_initializer(self, initializer: Any) -> None:
        self.initializer = initializer

    def set_dtype(self, dtype: Any) -> None:
        self.dtype = dtype

    def set_use_resource(self, use_resource: bool | None) -> None:
        self.use_resource = use_resource

    def set_regularizer(self, regularizer: Any) -> None:
        self.regularizer = regularizer

    def set_caching_device(self, caching_device: Any) -> None:
        self.caching_device = caching_device

    def set_partitioner(self, partitioner: Any) -> None:
        self.partitioner = partitioner

    def set_custom_getter(self, custom_getter: Any) -> None:
        self.custom_getter = custom_getter

    def get_collection(self, name: Any) -> list[Any]:
        """The items of a collection whose names begin with this scope."""
        assert self._graph is not None
        return self._graph.get_collection(name, self.name + "/" if self.name else "")

    def trainable_variables(self) -> list[Any]:
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def global_variables(self) -> list[Any]:
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def local_variables(self) -> list[Any]:
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)

    def get_variable(
        self,
        var_store: VariableStore,
        name: str,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        reuse: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        custom_getter: Any = None,
        constraint: Any = None,
        synchronization: Any = None,
        aggregation: Any = None,
    ) -> Any:
        """The variable `name` below this scope, found or made; what is None takes this scope's default."""
        graph = var_store.graph
        full_name = f"{self.name}/{name}" if self.name else name
        with graph.name_scope(None):
            if dtype is not None and initializer is not None and not callable(initializer):
                found = Builder(graph).convert(initializer).dtype.base
                if found is not as_dtype(dtype).base:
                    raise ValueError(f"Initializer type '{found}' and explicit dtype '{as_dtype(dtype)}' don't match.")

            def default(value: Any, otherwise: Any) -> Any:
                return otherwise if value is None else value

            return var_store.get_variable(
                full_name,
                default(custom_getter, self.custom_getter),
                shape=shape,
                dtype=default(dtype, self.dtype),
                initializer=default(initializer, self.initializer),
                regularizer=default(regularizer, self.regularizer),
                reuse=default(reuse, self.reuse),
                trainable=trainable,
                collections=collections,
                caching_device=default(caching_device, self.caching_device),
                partitioner=default(partitioner, self.partitioner),
                validate_shape=validate_shape,
                use_resource=default(use_resource, self.use_resource),
                constraint=default(constraint, self.constraint),
                synchronization=synchronization,
                aggregation=aggregation,
            )


class _Stack(threading.local):
    """The current scope of each thread, and how often each scope name was opened."""

    def __init__(self, graph: Graph) -> None:
        self.current = VariableScope(False, graph=graph)
        self.counts: dict[str, int] = {}

    def open(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    def close_below(self, name: str) -> None:
        for key in self.counts:
            if key.startswith(name + "/"):
                self.counts[key] = 0

    def unique(self, prefix: str) -> str:
        """`prefix`, with a number behind it where a scope of that name was opened here already."""
        name = f"{self.current.name}/{prefix}" if self.current.name else prefix
        if not self.counts.get(name, 0):
            return prefix
        number = 1
        while self.counts.get(f"{name}_{number}", 0):
            number += 1
        return f"{prefix}_{number}"


def _stack(graph: Graph) -> _Stack:
    found = graph.get_collection_ref(_KEY)
    if not found:
        found.append(_Stack(graph))
    stack: _Stack = found[0]
    return stack


def get_variable_scope(graph: Graph) -> VariableScope:
    """The current variable scope of the calling thread."""
    return _stack(graph).current


def get_variable(graph: Graph, name: str, shape: Any = None, **arguments: Any) -> Any:
    """`VariableScope.get_variable` of the current scope."""
    return get_variable_scope(graph).get_variable(variable_store(graph), name, shape, **arguments)


_SETTINGS = (
    "initializer",
    "regularizer",
    "caching_device",
    "partitioner",
    "dtype",
    "use_resource",
    "custom_getter",
    "constraint",
)


@contextlib.contextmanager
def variable_scope(
    graph: Graph,
    name_or_scope: Any,
    default_name: str | None = None,
    reuse: Any = None,
    auxiliary_name_scope: bool = True,
    **settings: Any,
) -> Iterator[VariableScope]:
    """Open a variable scope, and a name scope of its name.

    name_or_scope         a name below the current scope, or a VariableScope to open again
    default_name          a name, made unique, where `name_or_scope` is None
    auxiliary_name_scope  False to stay in the current name scope
    settings              initializer, regularizer, caching_device, partitioner, custom_getter, dtype, use_resource,
                          constraint: what get_variable takes from here on where it is not told

    raises  TypeError, ValueError for arguments that do not fit
    """
    if default_name is None and name_or_scope is None:
        raise TypeError("If default_name is None then name_or_scope is required")
    if reuse is False:
        reuse = None
    if reuse not in (True, None, AUTO_REUSE):
        raise ValueError("The reuse parameter must be True or False or None.")
    if not isinstance(auxiliary_name_scope, bool):
        raise TypeError(f"The auxiliary_name_scope must be `True` or `False`, while get {auxiliary_name_scope}")
    if name_or_scope is not None and not isinstance(name_or_scope, (VariableScope, str)):
        raise TypeError("VariableScope: name_or_scope must be a string or VariableScope.")
    if name_or_scope is None and reuse:
        raise ValueError("reuse=True cannot be used without a name_or_scope")
    with contextlib.ExitStack() as stack:
        entered: str | None = None
        if name_or_scope is None:
            wanted = default_name or ""
        else:
            wanted = name_or_scope if isinstance(name_or_scope, str) else name_or_scope.name.split("/")[-1]
        if not auxiliary_name_scope:
            here = graph.get_name_scope()
            entered = stack.enter_context(graph.name_scope(here + "/" if here else ""))
        elif wanted:
            entered = stack.enter_context(graph.name_scope(wanted))
        if isinstance(name_or_scope, VariableScope):
            yield stack.enter_context(_again(graph, name_or_scope, reuse, settings))
        else:
            name = _stack(graph).unique(wanted) if name_or_scope is None else wanted
            yield stack.enter_context(_below(graph, name, reuse, entered, settings))


def _derived(source: VariableScope, graph: Graph, reuse: Any, name: str, name_scope: str) -> VariableScope:
    return VariableScope(
        reuse,
        name=name,
        initializer=source.initializer,
        regularizer=source.regularizer,
        caching_device=source.caching_device,
        partitioner=source.partitioner,
        custom_getter=source.custom_getter,
        name_scope=name_scope,
        dtype=source.dtype,
        use_resource=source.use_resource,
        graph=graph,
    )


def _apply(scope: VariableScope, outer: VariableScope, settings: dict[str, Any]) -> None:
    for key in settings:
        if key not in _SETTINGS:
            raise TypeError(f"variable_scope() got an unexpected keyword argument {key!r}")
    for key, value in settings.items():
        if value is None:
            continue
        if key == "custom_getter" and outer.custom_getter is not None:
            value = _chained(value, outer.custom_getter)
        setattr(scope, key, value)


def _chained(getter: Any, outer: Any) -> Any:
    def chained(inner: Any = None, *args: Any, **kwargs: Any) -> Any:
        inner = kwargs.pop("getter", inner)
        return getter(functools.partial(outer, inner), *args, **kwargs)

    return chained


@contextlib.contextmanager
def _current(stack: _Stack, scope: VariableScope) -> Iterator[VariableScope]:
    before = stack.current
    stack.open(scope.name)
    stack.current = scope
    try:
        yield scope
    finally:
        nested = stack.current is scope
        stack.current = before
        if not nested:
            raise RuntimeError("Improper nesting of variable_scope.")


@contextlib.contextmanager
def _again(graph: Graph, source: VariableScope, reuse: Any, settings: dict[str, Any]) -> Iterator[VariableScope]:
    stack = _stack(graph)
    scope = _derived(source, graph, reuse or source.reuse, source.name, source.original_name_scope)
    _apply(scope, source, settings)
    counts: dict[str, int] | None = None
    try:
        with _current(stack, scope):
            counts = dict(stack.counts)
            yield scope
    finally:
        if counts is not None:
            stack.counts = counts


@contextlib.contextmanager
def _below(
    graph: Graph, name: str, reuse: Any, name_scope: str | None, settings: dict[str, Any]
) -> Iterator[VariableScope]:
    stack = _stack(graph)
    outer = stack.current
    full = f"{outer.name}/{name}" if outer.name else name
    scope = _derived(outer, graph, reuse or outer.reuse, full, name if name_scope is None else name_scope)
    _apply(scope, outer, settings)
    try:
        with _current(stack, scope):
            yield scope
    finally:
        stack.close_below(full)
