"""What both kinds of variables do with their constructor's arguments."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from regraft.base.dtypes import DType, as_dtype
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Tensor
from regraft.variables.policy import VariableAggregation, VariableSynchronization
from regraft.variables.variable import Variable


@dataclass
class Arguments:
    """The arguments that need no graph, checked."""

    initial_value: Any
    collections: list[Any]
    dtype: DType | None

    @property
    def from_function(self) -> bool:
        return callable(self.initial_value)


def take(
    variable: Variable,
    initial_value: Any,
    trainable: bool | None,
    collections: Any,
    dtype: Any,
    constraint: Callable[..., Any] | None,
    synchronization: Any,
    aggregation: Any,
) -> Arguments:
    """Check the arguments, and keep on the variable those that stay with it.

    raises  ValueError where one does not fit
    """
    if initial_value is None:
        raise ValueError("initial_value must be specified.")
    if collections is None:
        collections = [GraphKeys.GLOBAL_VARIABLES]
    if not isinstance(collections, (list, tuple, set)):
        raise ValueError(
            f"collections argument to Variable constructor must be a list, tuple, or set. Got {collections} of type "
            f"{type(collections)}"
        )
    if constraint is not None and not callable(constraint):
        raise ValueError("The `constraint` argument must be a callable.")
    variable._synchronization = _member(VariableSynchronization, synchronization, "AUTO", "synchronization")
    variable._aggregation = _member(VariableAggregation, aggregation, "NONE", "aggregation")
    if trainable is None:
        trainable = variable._synchronization is not VariableSynchronization.ON_READ
    variable._trainable = bool(trainable)
    variable._constraint = constraint
    collections = list(collections)
    if trainable and GraphKeys.TRAINABLE_VARIABLES not in collections:
        collections.append(GraphKeys.TRAINABLE_VARIABLES)
    return Arguments(initial_value, collections, None if dtype is None else as_dtype(dtype).base)


def _member(kind: Any, value: Any, default: str, what: str) -> Any:
    """The member of our enumeration; a member of another program's counts by its name. ValueError for what is none."""
    name = default if value is None else getattr(value, "name", None)
    if name not in kind.__members__:
        raise ValueError(f"Invalid variable {what} mode: {value}. It is one of {', '.join(kind.__members__)}")
    return kind[name]


@contextlib.contextmanager
def outside_control_flow(graph: Graph) -> Iterator[None]:
    """Leave control dependencies and control flow, so that the variable can be initialized by itself."""
    with graph.control_dependencies(None):
        yield


def check_initial_value(value: Tensor, name: str) -> None:
    """ValueError if an initial value comes from inside a loop or conditional, which an initializer can't run."""
    if value.op.control_flow_context is not None:
        raise ValueError(
            f"Initializer for variable {name} is from inside a control-flow construct, such as a loop or conditional. "
            "When creating a variable inside a loop or conditional, use a lambda as the initializer."
        )
