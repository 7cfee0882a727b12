"""tf.logging: the logger "tensorflow", which programs know by that name; Regraft's own messages go through it too."""

from __future__ import annotations

import functools
import itertools
import logging as _logging
import sys
from collections.abc import Iterator
from logging import DEBUG, ERROR, FATAL, INFO, WARN, Logger
from typing import Any

__all__ = [
    "DEBUG",
    "ERROR",
    "FATAL",
    "INFO",
    "WARN",
    "TaskLevelStatusMessage",
    "debug",
    "error",
    "fatal",
    "flush",
    "get_logger",
    "get_verbosity",
    "info",
    "log",
    "log_every_n",
    "log_first_n",
    "log_if",
    "set_verbosity",
    "vlog",
    "warn",
    "warning",
]

_counts: dict[tuple[str, int], Iterator[int]] = {}
"""Calls so far, by the caller's file and line."""


@functools.cache
def get_logger() -> Logger:
    """The logger. Where the program has set up no logging, it writes to stderr."""
    logger = _logging.getLogger("tensorflow")
    if not _logging.getLogger().handlers and not logger.handlers:
        handler = _logging.StreamHandler(sys.stderr)
        handler.setFormatter(_logging.Formatter(_logging.BASIC_FORMAT))
        logger.addHandler(handler)
    # Verbosity and handlers that a program gives to TensorFlow's messages count for ours.
    _logging.getLogger("regraft").parent = logger
    return logger


def log(level: int, msg: Any, *args: Any, **kwargs: Any) -> None:
    get_logger().log(level, msg, *args, stacklevel=2, **kwargs)


def debug(msg: Any, *args: Any, **kwargs: Any) -> None:
    get_logger().debug(msg, *args, stacklevel=2, **kwargs)


def info(msg: Any, *args: Any, **kwargs: Any) -> None:
    get_logger().info(msg, *args, stacklevel=2, **kwargs)


def warning(msg: Any, *args: Any, **kwargs: Any) -> None:
    get_logger().warning(msg, *args, stacklevel=2, **kwargs)


warn = warning


def error(msg: Any, *args: Any, **kwargs: Any) -> None:
    get_logger().error(msg, *args, stacklevel=2, **kwargs)


def fatal(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Log at the highest level. The program goes on."""
    get_logger().fatal(msg, *args, stacklevel=2, **kwargs)


def vlog(level: int, msg: Any, *args: Any, **kwargs: Any) -> None:
    """Log with a number as the level: 0 to 50, where `DEBUG` is 10."""
    get_logger().log(level, msg, *args, stacklevel=2, **kwargs)


def TaskLevelStatusMessage(msg: Any) -> None:
    get_logger().error(msg, stacklevel=2)


def flush() -> None:
    """Hand everything to the streams."""
    for handler in get_logger().handlers:
        handler.flush()


def get_verbosity() -> int:
    """The level from which on messages are shown."""
    return get_logger().getEffectiveLevel()


def set_verbosity(v: int | str) -> None:
    """Show messages from this level on."""
    get_logger().setLevel(v)


def _count() -> int:
    """How often the line that called our caller has come this way before."""
    caller = sys._getframe(2)
    place = caller.f_code.co_filename, caller.f_lineno
    return next(_counts.setdefault(place, itertools.count()))


def log_every_n(level: int, msg: Any, n: int, *args: Any) -> None:
    """Log the first call of this line, and every n-th after it."""
    log_if(level, msg, not _count() % n, *args)


def log_first_n(level: int, msg: Any, n: int, *args: Any) -> None:
    """Log the first n calls of this line."""
    log_if(level, msg, _count() < n, *args)


def log_if(level: int, msg: Any, condition: Any, *args: Any) -> None:
    if condition:
        get_logger().log(level, msg, *args, stacklevel=2)
