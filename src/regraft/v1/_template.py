"""tf.make_template: a function that makes its variables in its first call, and uses them again in all others."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from regraft.ir.graph_keys import GraphKeys
from regraft.v1 import _context
from regraft.v1._variable_scope import variable_scope
from regraft.variables import scope as scopes

_log = logging.getLogger("regraft")


class Template:
    """A function with a variable scope of its own; see `make_template`."""

    def __init__(
        self,
        name: str,
        func: Callable[..., Any],
        create_scope_now: bool = False,
        unique_name: str | None = None,
        custom_getter: Any = None,
    ) -> None:
        if name is None:
            raise ValueError("name cannot be None.")
        self._name = name
        self._func = func
        self._unique_name = unique_name
        self._custom_getter = custom_getter
        self._scope: Any = None
        self._called = False
        if create_scope_now:
            graph = _context.get_default_graph()
            with scopes.variable_scope(
                graph, unique_name, name, custom_getter=custom_getter, auxiliary_name_scope=False
            ) as scope:
                self._scope = scope

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function in the scope. ValueError for a trainable variable that a later call makes anew."""
        if self._scope is not None:
            with variable_scope(self._scope, reuse=self._called):
                return self._result(args, kwargs)
        with variable_scope(self._unique_name, self._name, custom_getter=self._custom_getter) as scope:
            self._scope = scope
            return self._result(args, kwargs)

    def _result(self, args: Any, kwargs: Any) -> Any:
        if not self._called:
            result = self._func(*args, **kwargs)
            self._called = True
            return result
        graph = _context.get_default_graph()
        trainable = graph.get_collection_ref(GraphKeys.TRAINABLE_VARIABLES)
        every = graph.get_collection_ref(GraphKeys.GLOBAL_VARIABLES)
        before = len(trainable), len(every)
        result = self._func(*args, **kwargs)
        if len(trainable) != before[0]:
            raise ValueError(
                "Trainable variable created when calling a template after the first time, perhaps you used tf.Variable "
                f"when you meant tf.get_variable: {[v.name for v in trainable[before[0] :]]}"
            )
        if len(every) != before[1]:
            names = [v.name for v in every[before[1] :]]
            _log.info("New variables created when calling a template after the first time: %s", names)
        return result

    @property
    def name(self) -> str:
        return self._name

    @property
    def func(self) -> Callable[..., Any]:
        return self._func

    @property
    def variable_scope(self) -> Any:
        """The scope of its variables; None before the first call, unless it was made at once."""
        return self._scope

    var_scope = variable_scope

    @property
    def variable_scope_name(self) -> str | None:
        """The name of the scope with a slash behind it."""
        if self._scope is None:
            return None
        name: str = self._scope.name
        return name if not name or name.endswith("/") else f"{name}/"

    def _collected(self, key: str) -> list[Any]:
        return _context.get_default_graph().get_collection(key, self.variable_scope_name) if self._called else []

    @property
    def trainable_variables(self) -> list[Any]:
        return self._collected(GraphKeys.TRAINABLE_VARIABLES)

    @property
    def global_variables(self) -> list[Any]:
        return self._collected(GraphKeys.GLOBAL_VARIABLES)

    @property
    def local_variables(self) -> list[Any]:
        return self._collected(GraphKeys.LOCAL_VARIABLES)

    @property
    def variables(self) -> list[Any]:
        """Global and local ones."""
        return self.global_variables + self.local_variables

    @property
    def non_trainable_variables(self) -> list[Any]:
        trainable = {id(v) for v in self.trainable_variables}
        return [v for v in self.global_variables if id(v) not in trainable]

    weights = variables
    trainable_weights = trainable_variables
    non_trainable_weights = non_trainable_variables


def make_template(
    name_: str,
    func_: Callable[..., Any],
    create_scope_now_: bool = False,
    unique_name_: str | None = None,
    custom_getter_: Any = None,
    **kwargs: Any,
) -> Template:
    """Make `func_` share the variables that it makes with `get_variable` among all its calls.

    name_              the variable scope, made unique
    create_scope_now_  make the scope here, not in the first call
    unique_name_       the variable scope as it is, in place of `name_`
    custom_getter_     what makes the variables
    kwargs             arguments that each call of `func_` gets
    """
    function = functools.partial(func_, **kwargs) if kwargs else func_
    return Template(name_, function, create_scope_now_, unique_name_, custom_getter_)
