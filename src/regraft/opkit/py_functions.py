"""The Python functions behind PyFunc nodes, by the token that a node carries.

A function lives as long as the graph that its node was made in. Tokens are unique over all processes, so that a node
of a file never meets a function that somebody happened to make in this process; `bind_py_func` gives it one.
"""

from __future__ import annotations

import itertools
import secrets
import weakref
from collections.abc import Callable
from typing import Any

from regraft.base.errors import InvalidArgumentError
from regraft.ir.graph import Graph
from regraft.ir.node import Operation

PY_FUNC_OPS = ("PyFunc", "PyFuncStateless", "EagerPyFunc")

Function = Callable[..., Any]


class _Held:
    """A function, held by a graph."""

    def __init__(self, function: Function) -> None:
        self.function = function


_HELD: weakref.WeakValueDictionary[str, _Held] = weakref.WeakValueDictionary()
_BOUND: dict[str, Function] = {}
_KEPT: weakref.WeakKeyDictionary[Graph, list[_Held]] = weakref.WeakKeyDictionary()
_NUMBERS = itertools.count()
_PROCESS = secrets.token_hex(6)


def hold(graph: Graph, function: Function) -> bytes:
    """A new token for a function, which lives as long as the graph (the outermost one around it)."""
    while hasattr(graph, "outer"):
        graph = graph.outer
    token = f"pyfunc_{next(_NUMBERS)}_{_PROCESS}"
    held = _Held(function)
    _HELD[token] = held
    _KEPT.setdefault(graph, []).append(held)
    return token.encode()


def bind_py_func(token_or_node: str | bytes | Operation, function: Function) -> None:
    """Let a PyFunc node that came out of a file call this function.

    token_or_node  the node, whose token is replaced by a new one; or a token, for all nodes of this process that have
                   it (`operation.get_attr("token")`)
    function       called with the node's inputs as NumPy arrays (scalars as NumPy scalars, strings as bytes); returns
                   an array, or a tuple or list with one for each output, of the node's dtypes

    raises         TypeError for what is no function; ValueError for an operation that calls none
    """
    if not callable(function):
        raise TypeError(f"a PyFunc node needs a function to call, got {function!r}")
    if not isinstance(token_or_node, Operation):
        _BOUND[token_or_node.decode() if isinstance(token_or_node, bytes) else token_or_node] = function
        return
    if token_or_node.type not in PY_FUNC_OPS:
        raise ValueError(f"operation {token_or_node.name!r} is a {token_or_node.type}, which calls no Python function")
    token_or_node._set_attr("token", hold(token_or_node.graph, function))


def function_of(token: bytes) -> Function:
    """The function behind a token. InvalidArgumentError where there is none."""
    name = token.decode()
    if name in _BOUND:
        return _BOUND[name]
    held = _HELD.get(name)
    if held is None:
        raise InvalidArgumentError(
            f"callback {name} is not found: the Python function of this node is not in the file, and none is bound",
            hint=f"bind one with regraft.bind_py_func({name!r}, function), or with the node in place of the token",
        )
    return held.function
