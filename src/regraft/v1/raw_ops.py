"""Every op as a function of keyword arguments: `raw_ops.MatMul(a=x, b=y, transpose_b=True, name="logits")`.

The functions are made from the ops' signatures when they are asked for. The arguments are the op's inputs and
attributes by their own names; attributes that have a default, or that follow from the inputs, may be left out.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from functools import cache
from typing import Any

from regraft.ir import op_def
from regraft.ir.op_def import OpDef
from regraft.opkit.builder import Builder
from regraft.v1._graph import graph_of


def _definition(name: str) -> OpDef:
    definition = op_def.lookup(name)
    if definition is None:
        raise AttributeError(f"module 'regraft.v1.raw_ops' has no op {name!r}")
    return definition


@cache
def _result_type(name: str) -> Any:
    fields = [arg.name for arg in _definition(name).outputs]
    return namedtuple(name, fields)


def add_op(op_type: str, arguments: dict[str, Any], name: str | None = None) -> Any:
    """Add an op to the graph of its inputs, or to the default graph.

    returns  the tensor (or list of tensors) of the only output, a named tuple where there are several, the Operation
             where there is none
    raises   TypeError for arguments that the op does not have, or that it needs and did not get
    """
    definition = _definition(op_type)
    given = dict(arguments)
    missing = [arg.name for arg in definition.inputs if arg.name not in given]
    if missing:
        raise TypeError(f"{op_type}() missing required arguments: {', '.join(map(repr, missing))}")
    inputs = [given.pop(arg.name) for arg in definition.inputs]
    unknown = [key for key in given if key not in definition.attrs]
    if unknown:
        raise TypeError(f"{op_type}() got unexpected keyword arguments: {', '.join(map(repr, unknown))}")
    result = Builder(graph_of(inputs)).op(op_type, *inputs, name=name, **given)
    return _result_type(op_type)(*result) if isinstance(result, tuple) else result


@cache
def _function(op_type: str) -> Callable[..., Any]:
    definition = _definition(op_type)

    def function(*, name: str | None = None, **arguments: Any) -> Any:
        return add_op(op_type, arguments, name)

    inputs = [arg.name for arg in definition.inputs]
    function.__name__ = function.__qualname__ = op_type
    function.__doc__ = (
        f"Add a {op_type!r} op. Inputs: {', '.join(inputs) or 'none'}. "
        f"Attributes: {', '.join(definition.attrs) or 'none'}."
    )
    return function


def __getattr__(name: str) -> Callable[..., Any]:
    if name.startswith("__"):
        raise AttributeError(name)
    return _function(name)


def __dir__() -> list[str]:
    return sorted(name for name in op_def.names() if not name.startswith("_"))
