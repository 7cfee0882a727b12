"""tf.py_func and its kin: Python functions in a graph."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from regraft.base.dtypes import as_dtype
from regraft.opkit.py_functions import hold
from regraft.v1 import _context


def _added(op_type: str, func: Any, inp: Any, Tout: Any, name: str | None) -> Any:
    if not callable(func):
        raise ValueError(f"Expected func to be callable. Received func={func} of type {type(func)}.")
    several = isinstance(Tout, (list, tuple))
    types = tuple(map(as_dtype, Tout if several else (Tout,)))
    b = _context.builder()
    op = b.operation(op_type, list(inp), name=name, token=hold(b.graph, func), Tout=types)
    if not several:
        return op.outputs[0]
    return op.outputs or op


def py_func(func: Any, inp: Any, Tout: Any, stateful: bool = True, name: str | None = None) -> Any:
    """Call a Python function when the graph runs.

    func      gets the values of `inp` as NumPy arrays (scalars as NumPy scalars, strings as bytes); returns an array,
              or a tuple or list with one for each output
    Tout      the dtype of the result, or a list of them; what `func` returns must be of these dtypes
    stateful  whether calls with equal inputs may differ

    returns   a tensor, or a list of them, or the Operation where `Tout` is an empty list
    """
    return _added("PyFunc" if stateful else "PyFuncStateless", func, inp, Tout, name)


def numpy_function(
    func: Any = None, inp: Any = None, Tout: Any = None, stateful: bool = True, name: str | None = None
) -> Any:
    """`py_func`; without a function a decorator, which makes of one a function of tensors."""
    if func is None:
        return _decorator(lambda f, args: py_func(f, args, Tout, stateful, name))
    return py_func(func, inp, Tout, stateful, name)


def py_function(func: Any = None, inp: Any = None, Tout: Any = None, name: str | None = None) -> Any:
    """As `py_func`, but what the function gets has `.numpy()`, and what it returns is cast to `Tout`.

    differs  the function gets arrays, not eager tensors: what it does with TensorFlow's own functions is no part of the
             call, and there is no gradient through it
    """
    if func is None:
        return _decorator(lambda f, args: py_function(f, args, Tout, name))
    return _added("EagerPyFunc", func, inp, Tout, name)


def _decorator(call: Callable[[Any, list[Any]], Any]) -> Callable[[Any], Callable[..., Any]]:
    def decorate(function: Any) -> Callable[..., Any]:
        @functools.wraps(function)
        def called(*args: Any) -> Any:
            return call(function, list(args))

        return called

    return decorate
