"""arg_scope: default values for the keyword arguments of several functions at once, as long as a block lasts."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from regraft.v1 import _context

__all__ = [
    "add_arg_scope",
    "arg_scope",
    "arg_scope_func_key",
    "arg_scoped_arguments",
    "current_arg_scope",
    "has_arg_scope",
]

# What a scope is: the keyword arguments by the key of the function that they are for.
Scope = dict[str, dict[str, Any]]


def current_arg_scope() -> Scope:
    """The innermost scope of this thread: keyword arguments by `arg_scope_func_key`."""
    scopes = _context.arg_scopes()
    return scopes[-1] if scopes else {}


def arg_scope_func_key(op: Any) -> str:
    """What scopes know a function by."""
    key: str = getattr(op, "_key_op", str(op))
    return key


def has_arg_scope(func: Any) -> bool:
    """Whether a function is decorated with `add_arg_scope`."""
    return hasattr(func, "_key_op")


def arg_scoped_arguments(func: Any) -> tuple[str, ...]:
    """The names of the arguments that a scope can set for a decorated function."""
    if not has_arg_scope(func):
        raise AssertionError(f"{func!r} is not decorated with @add_arg_scope")
    parameters = inspect.signature(func).parameters.values()
    return tuple(p.name for p in parameters if p.default is not p.empty and p.kind is p.POSITIONAL_OR_KEYWORD)


def add_arg_scope(func: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function, so that `arg_scope` sets its keyword arguments where a call leaves them out."""
    key = arg_scope_func_key(func)

    @functools.wraps(func)
    def scoped(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **{**current_arg_scope().get(key, {}), **kwargs})

    setattr(scoped, "_key_op", key)
    return scoped


@contextlib.contextmanager
def arg_scope(list_ops_or_scope: Any, **kwargs: Any) -> Iterator[Scope]:
    """Set keyword arguments of decorated functions inside the block; yields the scope, to be opened again later.

    list_ops_or_scope  the functions, or a scope that this function yielded earlier
    kwargs             the arguments; none with a scope
    raises             TypeError for neither; ValueError for functions that are not decorated, a scope with kwargs
    """
    scope: Scope
    if isinstance(list_ops_or_scope, dict):
        if kwargs:
            raise ValueError("When a scope is opened again, kwargs must be empty.")
        scope = dict(list_ops_or_scope)
    elif isinstance(list_ops_or_scope, (list, tuple)):
        scope = dict(current_arg_scope())
        for op in list_ops_or_scope:
            if not has_arg_scope(op):
                raise ValueError(f"{op!r} is not decorated with @add_arg_scope")
            key = arg_scope_func_key(op)
            scope[key] = {**scope.get(key, {}), **kwargs}
    else:
        raise TypeError("list_ops_or_scope must either be a list/tuple or reused scope (i.e. dict)")
    scopes = _context.arg_scopes()
    scopes.append(scope)
    try:
        yield scope
    finally:
        scopes.pop()
