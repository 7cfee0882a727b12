"""What TensorFlow's own code is decorated with, for scripts that carry parts of it: here it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Decorator = Callable[[Any], Any]


def _unchanged(*args: Any, **kwargs: Any) -> Decorator:
    return lambda decorated: decorated


deprecated = deprecated_alias = deprecated_args = deprecated_arg_values = deprecated_endpoints = _unchanged
tf_export = keras_export = estimator_export = _unchanged


def deprecated_argument_lookup(new_name: str, new_value: Any, old_name: str, old_value: Any) -> Any:
    """The value of an argument that has an older name too. ValueError when both are given."""
    from regraft.v1._opening import renamed

    return renamed(new_name, new_value, old_name, old_value)
