"""`tensorflow.python.ops.gen_*_ops`: a function for each op, by its name in small letters.

The arguments are the op's inputs in order, then its attributes, those without a default first, then `name`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from regraft.ir import op_def
from regraft.v1.raw_ops import add_op


@cache
def _by_small_name() -> dict[str, str]:
    return {_small(name): name for name in op_def.names()}


def _small(name: str) -> str:
    """MatMul -> mat_mul, as TensorFlow's generator of functions does it."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def __getattr__(name: str) -> Callable[..., Any]:
    op_type = None if name.startswith("__") else _by_small_name().get(name.removeprefix("_"))
    definition = None if op_type is None else op_def.lookup(op_type)
    if definition is None or op_type is None:
        raise AttributeError(f"no op has the function {name!r}")
    inferred = {a for arg in definition.inputs for a in (arg.type_attr, arg.number_attr, arg.type_list_attr)}
    attrs = [attr for key, attr in definition.attrs.items() if key not in inferred]
    order = [arg.name for arg in definition.inputs]
    order += [attr.name for attr in sorted(attrs, key=lambda attr: attr.has_default)] + ["name"]

    def function(*args: Any, **kwargs: Any) -> Any:
        given = {**dict(zip(order, args, strict=False)), **kwargs}
        scope = given.pop("name", None)
        return add_op(op_type, {key: value for key, value in given.items() if value is not None}, scope)

    function.__name__ = function.__qualname__ = name
    return function
