"""tf.flags: absl's flags, which TensorFlow's are, with the older names of arguments and parsing on first use.

What is not defined here is absl's own, by the same name.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

from absl import flags as _absl

_absl.disclaim_key_flags()  # flags belong to the module that asks for them, not to this one

_OLDER = {"flag_name": "name", "default_value": "default", "docstring": "help"}


def _with_older_names(define: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(define)
    def defined(*args: Any, **kwargs: Any) -> Any:
        return define(*args, **{_OLDER.get(key, key): value for key, value in kwargs.items()})

    return defined


DEFINE_string = _with_older_names(_absl.DEFINE_string)
DEFINE_boolean = _with_older_names(_absl.DEFINE_boolean)
DEFINE_bool = DEFINE_boolean
DEFINE_float = _with_older_names(_absl.DEFINE_float)
DEFINE_integer = _with_older_names(_absl.DEFINE_integer)


class _Flags:
    """`absl.flags.FLAGS`; the command line is parsed when the first value is asked for."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        flags = _absl.FLAGS
        if name == "_parse_flags":
            return functools.partial(flags, sys.argv, True)
        try:
            # absl's own attributes, `FLAGS.__flags` of old programs among them, need no parsing.
            return object.__getattribute__(flags, name)
        except AttributeError:
            if not flags.is_parsed():
                flags(sys.argv)
            return flags.__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_absl.FLAGS, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_absl.FLAGS, name)

    def __getitem__(self, name: str) -> Any:
        return _absl.FLAGS[name]

    def __setitem__(self, name: str, flag: Any) -> None:
        _absl.FLAGS[name] = flag

    def __contains__(self, name: str) -> bool:
        return name in _absl.FLAGS

    def __iter__(self) -> Iterator[str]:
        return iter(_absl.FLAGS)

    def __len__(self) -> int:
        return len(_absl.FLAGS)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _absl.FLAGS(*args, **kwargs)

    def __dir__(self) -> list[str]:
        return dir(_absl.FLAGS)

    def __str__(self) -> str:
        return str(_absl.FLAGS)


FLAGS = _Flags()


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_absl, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_absl.__all__})
