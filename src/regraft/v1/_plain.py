"""The functions of TensorFlow's API that add one op and nothing else, made from a table of their signatures.

`plain_api.tsv` holds a line a function: its names ("matrix_inverse linalg.inv"), the op, and its parameters in order
("input; adjoint=False"), which are the op's inputs and attributes. `name=None` is always the last parameter.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from regraft.v1.raw_ops import add_op

_KIND = inspect.Parameter.POSITIONAL_OR_KEYWORD


@cache
def _table() -> dict[str, str]:
    """Line by public name."""
    lines = Path(__file__).with_name("plain_api.tsv").read_text("utf-8").splitlines()
    return {name: line for line in lines for name in line.split("\t", 1)[0].split(" ")}


@cache
def _of_line(line: str) -> Callable[..., Any]:
    names, op_type, parameters = (*line.split("\t"), "")[:3]
    return plain(op_type, parameters, names.split(" ")[0].rpartition(".")[2])


def plain(op_type: str, parameters: str, name: str) -> Callable[..., Any]:
    """The function `name` that adds an `op_type` op.

    parameters  "x; y; message=''": inputs and attributes of the op in the order in which the function takes them
    """
    parts = [part.partition("=") for part in parameters.split("; ")] if parameters else []
    defaults = {key: ast.literal_eval(value) for key, equals, value in parts if equals}
    order = [*(key for key, _, _ in parts), "name"]
    required = [key for key in order if key not in defaults and key != "name"]

    def function(*args: Any, **kwargs: Any) -> Any:
        if len(args) > len(order):
            raise TypeError(f"{name}() takes at most {len(order)} arguments, got {len(args)}")
        given = dict(zip(order, args, strict=False))
        for key, value in kwargs.items():
            if key not in order:
                raise TypeError(f"{name}() got an unexpected keyword argument {key!r}")
            if key in given:
                raise TypeError(f"{name}() got multiple values for argument {key!r}")
            given[key] = value
        missing = [key for key in required if key not in given]
        if missing:
            raise TypeError(f"{name}() missing required arguments: {', '.join(map(repr, missing))}")
        scope = given.pop("name", None)
        return add_op(op_type, {**defaults, **given}, scope)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Add a {op_type!r} op."
    setattr(
        function,
        "__signature__",
        inspect.Signature(
            [inspect.Parameter(key, _KIND, default=defaults.get(key, inspect.Parameter.empty)) for key in order[:-1]]
            + [inspect.Parameter("name", _KIND, default=None)]
        ),
    )
    return function


def function(public_name: str) -> Callable[..., Any]:
    """The function of a public name, "exp" or "linalg.inv". AttributeError when the table has none."""
    line = _table().get(public_name)
    if line is None:
        module, _, name = public_name.rpartition(".")
        raise AttributeError(f"module 'regraft.v1{module and '.'}{module}' has no attribute {name!r}")
    return _of_line(line)


def names(module: str = "") -> list[str]:
    """The names that the table has for a module: "" for the top level, else "linalg" and the like."""
    prefix = module and module + "."
    found = [name.removeprefix(prefix) for name in _table() if name.startswith(prefix)]
    return sorted(name for name in found if "." not in name)


def attribute_of(module: str) -> Callable[[str], Callable[..., Any]]:
    """A `__getattr__` for the module of this name under `regraft.v1`."""

    def get(name: str) -> Callable[..., Any]:
        return function(f"{module}.{name}" if module else name)

    return get
