"""The global step: the variable that counts training steps, found by its collection or its name."""

from __future__ import annotations

import logging
from typing import Any

from regraft.base import dtypes
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Tensor
from regraft.train import slots
from regraft.variables import Variable, VariableAggregation
from regraft.variables.ambient import default_graph
from regraft.variables.scope import get_variable

_log = logging.getLogger("regraft")

# The collection of the read that hooks share; GraphDefs and MetaGraphDefs of TensorFlow have it.
_READ = "global_step_read_op_cache"


def get_global_step(graph: Graph | None = None) -> Any:
    """The variable that counts training steps, or None: there is none, or several are in the collection.

    raises  TypeError where what is called so can't count; see `assert_global_step`
    """
    graph = graph or default_graph()
    found = graph.get_collection(GraphKeys.GLOBAL_STEP)
    if len(found) > 1:
        _log.error("Multiple tensors in global_step collection.")
        return None
    if found:
        step = found[0]
    else:
        try:
            step = graph.get_tensor_by_name("global_step:0")
        except KeyError:
            return None
    assert_global_step(step)
    return step


def create_global_step(graph: Graph | None = None) -> Any:
    """Make the global step, an int64 variable that starts at 0. ValueError when there is one."""
    graph = graph or default_graph()
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists.')
    with graph.name_scope(None):
        return get_variable(
            graph,
            GraphKeys.GLOBAL_STEP,
            shape=[],
            dtype=dtypes.int64,
            initializer=slots.zeros(graph),
            trainable=False,
            aggregation=VariableAggregation.ONLY_FIRST_REPLICA,
            collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
        )


def get_or_create_global_step(graph: Graph | None = None) -> Any:
    """The global step, made if there is none."""
    graph = graph or default_graph()
    step = get_global_step(graph)
    return create_global_step(graph) if step is None else step


def assert_global_step(global_step_tensor: Any) -> None:
    """TypeError unless the argument can count steps: an integer scalar, a variable or a tensor of one."""
    if not isinstance(global_step_tensor, (Variable, Tensor)):
        raise TypeError(f'Existing "global_step" must be a Variable or Tensor: {global_step_tensor}.')
    if not global_step_tensor.dtype.base_dtype.is_integer:
        raise TypeError(f'Existing "global_step" does not have integer type: {global_step_tensor.dtype}')
    shape = global_step_tensor.get_shape()
    if shape.ndims != 0 and shape.is_fully_defined():
        raise TypeError(f'Existing "global_step" is not scalar: {shape}')


def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The value of the global step in a session."""
    return int(sess.run(global_step_tensor))


def global_step_read(graph: Graph | None = None) -> Tensor | None:
    """The tensor that hooks fetch beside a step: the value from before the step. None where there is no global step.

    It is added once a graph, and finds the initial value while the variable has none.
    """
    graph = graph or default_graph()
    found = graph.get_collection(_READ)
    if len(found) > 1:
        raise RuntimeError(f"There are multiple items in collection {_READ}. There should be only one.")
    if not found:
        step = get_global_step(graph)
        if step is None:
            return None
        with graph.name_scope(None), graph.name_scope(step.op.name + "/"):
            value: Any = step.initialized_value() if isinstance(step, Variable) else step
            found = [value + 0]
            graph.add_to_collection(_READ, found[0])
    read: Tensor = found[0]
    return read
