"""tf.Variable, the collections of variables, their initializers, and assignment."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft import variables as _kinds
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Operation, Tensor
from regraft.opkit.builder import Builder
from regraft.v1 import _context
from regraft.v1._graph import name_scope
from regraft.variables import RefVariable, ResourceVariable, SaveSliceInfo, variable_from_proto
from regraft.variables.scope import get_variable_scope

__all__ = [
    "Variable",
    "VariableAggregation",
    "VariableSynchronization",
    "all_variables",
    "assign",
    "assign_add",
    "assign_sub",
    "disable_resource_variables",
    "enable_resource_variables",
    "global_variables",
    "global_variables_initializer",
    "initialize_all_tables",
    "initialize_all_variables",
    "initialize_local_variables",
    "initialize_variables",
    "is_variable_initialized",
    "local_variables",
    "local_variables_initializer",
    "model_variables",
    "moving_average_variables",
    "report_uninitialized_variables",
    "resource_variables_enabled",
    "tables_initializer",
    "trainable_variables",
    "variables_initializer",
]

VariableSynchronization = _kinds.VariableSynchronization
VariableAggregation = _kinds.VariableAggregation


def enable_resource_variables() -> None:
    """Make new variables resource variables unless they or their scope say otherwise."""
    _context.use_resource_variables(True)


def disable_resource_variables() -> None:
    """Make new variables reference variables unless they or their scope say otherwise: how TensorFlow 1 starts."""
    _context.use_resource_variables(False)


def resource_variables_enabled() -> bool:
    return _context.resource_variables()


class _Kinds(type):
    """Calling `Variable` makes a variable of the kind that is wanted; any kind is an instance of it."""

    def __call__(
        cls,
        initial_value: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        expected_shape: Any = None,
        import_scope: str | None = None,
        constraint: Any = None,
        use_resource: bool | None = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
        shape: Any = None,
    ) -> Any:
        graph = _context.get_default_graph()
        if variable_def is not None:
            if initial_value is not None:
                raise ValueError("variable_def and initial_value are mutually exclusive.")
            return variable_from_proto(graph, variable_def, import_scope=import_scope)
        if use_resource is None:
            use_resource = get_variable_scope(graph).use_resource
        if use_resource is None:
            use_resource = _context.resource_variables()
        return _kinds.make_variable(
            graph,
            initial_value,
            use_resource,
            trainable=trainable,
            collections=collections,
            validate_shape=validate_shape,
            caching_device=caching_device,
            name=name,
            dtype=dtype,
            constraint=constraint,
            synchronization=synchronization,
            aggregation=aggregation,
            shape=shape,
        )

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _kinds.Variable)


class Variable(metaclass=_Kinds):
    """A value that stays from run to run; see `regraft.variables`. Calling it makes one of either kind."""

    SaveSliceInfo = SaveSliceInfo

    @staticmethod
    def from_proto(variable_def: Any, import_scope: str | None = None) -> Any:
        return variable_from_proto(_context.get_default_graph(), variable_def, import_scope=import_scope)


def global_variables(scope: str | None = None) -> list[Any]:
    return _context.get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


def local_variables(scope: str | None = None) -> list[Any]:
    return _context.get_default_graph().get_collection(GraphKeys.LOCAL_VARIABLES, scope)


def model_variables(scope: str | None = None) -> list[Any]:
    return _context.get_default_graph().get_collection(GraphKeys.MODEL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Any]:
    return _context.get_default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def moving_average_variables(scope: str | None = None) -> list[Any]:
    return _context.get_default_graph().get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


def all_variables() -> list[Any]:
    return global_variables()


def variables_initializer(var_list: Any, name: str = "init") -> Operation:
    """An operation that initializes the variables."""
    b = _context.builder()
    return b.group(*[v.initializer for v in var_list], name=name) if var_list else b.no_op(name=name)


def global_variables_initializer() -> Operation:
    """An operation that initializes all global variables."""
    return variables_initializer(global_variables())


def local_variables_initializer() -> Operation:
    """An operation that initializes all local variables."""
    return variables_initializer(local_variables())


def tables_initializer(name: str = "init_all_tables") -> Operation:
    """An operation that initializes all lookup tables."""
    found = _context.get_default_graph().get_collection(GraphKeys.TABLE_INITIALIZERS)
    b = _context.builder()
    return b.group(*found, name=name) if found else b.no_op(name=name)


initialize_variables = variables_initializer
initialize_all_variables = global_variables_initializer
initialize_local_variables = local_variables_initializer
initialize_all_tables = tables_initializer


def is_variable_initialized(ref: Any, name: str | None = None) -> Tensor:
    """Whether a variable has a value."""
    element = ref._ref() if isinstance(ref, RefVariable) else ref
    if isinstance(element, Tensor) and element.dtype.is_ref:
        tensor: Tensor = Builder(element.graph).op("IsVariableInitialized", element, name=name)
        return tensor
    found: Tensor = ref.is_initialized(name=name)
    return found


def report_uninitialized_variables(var_list: Any = None, name: str = "report_uninitialized_variables") -> Tensor:
    """A 1-D tensor of the names of those variables (all global and local ones) that have no value."""
    if var_list is None:
        var_list = global_variables() + local_variables()
        if not var_list:
            var_list = [
                op.outputs[0]
                for op in _context.get_default_graph().get_operations()
                if op.type in ("Variable", "VariableV2", "AutoReloadVariable")
            ]
    with name_scope(name):
        b = _context.builder()
        initialized = [is_variable_initialized(v) for v in var_list]
        with b.graph.device("/cpu:0"):
            if not var_list:
                return b.constant(np.array([], object), dtype="string")
            from regraft.v1._indexing import boolean_mask

            mask = b.op("LogicalNot", b.stack(initialized))
            found: Tensor = boolean_mask(b.constant([v.op.name for v in var_list]), mask)
            return found


def _ref_of(ref: Any) -> Tensor | None:
    """The reference that is assigned to, or None for a resource variable."""
    if isinstance(ref, ResourceVariable):
        return None
    element = ref._ref() if isinstance(ref, RefVariable) else ref
    if isinstance(element, Tensor) and element.dtype.is_ref:
        return element
    raise TypeError(f"{ref!r} can't be assigned to: it is no variable")


def assign(
    ref: Any, value: Any, validate_shape: bool | None = None, use_locking: bool | None = None, name: str | None = None
) -> Any:
    """Replace a variable's value; returns the reference, which reads as the new value."""
    target = _ref_of(ref)
    if target is None:
        return ref.assign(value, name=name)
    return Builder(target.graph).op(
        "Assign",
        target,
        value,
        use_locking=True if use_locking is None else use_locking,
        validate_shape=True if validate_shape is None else validate_shape,
        name=name,
    )


def assign_add(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Any:
    """Add to a variable's value."""
    target = _ref_of(ref)
    if target is None:
        return ref.assign_add(value)
    return Builder(target.graph).op("AssignAdd", target, value, use_locking=bool(use_locking), name=name)


def assign_sub(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Any:
    """Subtract from a variable's value."""
    target = _ref_of(ref)
    if target is None:
        return ref.assign_sub(value)
    return Builder(target.graph).op("AssignSub", target, value, use_locking=bool(use_locking), name=name)
