"""The switches between the behaviour of TensorFlow 1 and of TensorFlow 2. Regraft is TensorFlow 1."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from regraft.base.errors import UnimplementedError
from regraft.v1 import _context

__all__ = [
    "control_flow_v2_enabled",
    "disable_control_flow_v2",
    "disable_tensor_equality",
    "disable_v2_tensorshape",
    "enable_control_flow_v2",
    "enable_tensor_equality",
    "enable_v2_behavior",
    "enable_v2_tensorshape",
    "executing_eagerly_outside_functions",
    "init_scope",
]


def enable_v2_behavior() -> None:
    """UnimplementedError: programs of TensorFlow 2 do not run here."""
    raise UnimplementedError("Regraft has the behaviour of TensorFlow 1", hint="build a graph, and run it in a session")


def disable_control_flow_v2() -> None:
    """Nothing: conditionals and loops are made of Switch, Merge, Enter, Exit as it is."""


def enable_control_flow_v2() -> None:
    """UnimplementedError: graphs with If and While ops are read and run, but not built."""
    raise UnimplementedError("conditionals and loops are built of Switch, Merge, Enter and Exit alone")


def control_flow_v2_enabled() -> bool:
    return False


def disable_tensor_equality() -> None:
    """Nothing: two tensors are equal when they are the same object."""


def enable_tensor_equality() -> None:
    """UnimplementedError: `==` of tensors tells whether they are the same object, as in TensorFlow 1."""
    raise UnimplementedError("`==` of tensors tells whether they are the same object", hint="call tf.equal")


def disable_v2_tensorshape() -> None:
    """Nothing: the items of a TensorShape are Dimensions."""


def enable_v2_tensorshape() -> None:
    """UnimplementedError: the items of a TensorShape are Dimensions, as in TensorFlow 1."""
    raise UnimplementedError("the items of a TensorShape are Dimensions", hint="use `shape.as_list()`")


def executing_eagerly_outside_functions() -> bool:
    """Whether `enable_eager_execution` was called."""
    return _context.executing_eagerly()


@contextlib.contextmanager
def init_scope() -> Iterator[None]:
    """Leave conditionals, loops and control dependencies; operations made inside stand at the root of the graph."""
    graph = _context.get_default_graph()
    scope = graph.get_name_scope()
    with graph.control_dependencies(None), graph.name_scope(f"{scope}/" if scope else None):
        yield
