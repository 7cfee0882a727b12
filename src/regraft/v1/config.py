"""tf.config: devices, and how many threads to use; other settings of TensorFlow's runtime change nothing."""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from regraft.v1 import _context
from regraft.v1._devices import LogicalDevice as LogicalDevice
from regraft.v1._devices import PhysicalDevice as PhysicalDevice
from regraft.v1._devices import logical_devices as list_logical_devices
from regraft.v1._devices import physical_devices as list_physical_devices

__all__ = [
    "LogicalDevice",
    "PhysicalDevice",
    "experimental",
    "get_soft_device_placement",
    "get_visible_devices",
    "list_logical_devices",
    "list_physical_devices",
    "optimizer",
    "set_soft_device_placement",
    "threading",
]


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices of a type, or all."""
    return list_physical_devices(device_type)


def get_soft_device_placement() -> bool:
    """True: operations run wherever they can."""
    return True


def set_soft_device_placement(enabled: bool) -> None:
    """Nothing: operations run wherever they can."""


def _ignored(name: str, *parameters: str) -> Callable[..., None]:
    def setting(*args: Any, **kwargs: Any) -> None:
        if len(args) + len(kwargs) > len(parameters):
            raise TypeError(f"{name}() takes {', '.join(parameters)}, got {len(args) + len(kwargs)} arguments")

    setting.__name__ = setting.__qualname__ = name
    setting.__doc__ = "Nothing: XLA and JAX decide it."
    return setting


def set_intra_op_parallelism_threads(num_threads: int) -> None:
    """Set how many threads share the work of an operation; 0 for as many as there are cores.

    A session that is given no ConfigProto takes it, if it is the first of the process: see `tf.Session`.
    """
    _context.use_threads("intra", operator.index(num_threads))


def get_intra_op_parallelism_threads() -> int:
    """What was set, or 0."""
    return _context.threads()[0]


def set_inter_op_parallelism_threads(num_threads: int) -> None:
    """Set how many operations run at a time, where Regraft has a choice: see `tf.Session`."""
    _context.use_threads("inter", operator.index(num_threads))


def get_inter_op_parallelism_threads() -> int:
    """What was set, or 0."""
    return _context.threads()[1]


threading = SimpleNamespace(
    set_inter_op_parallelism_threads=set_inter_op_parallelism_threads,
    set_intra_op_parallelism_threads=set_intra_op_parallelism_threads,
    get_inter_op_parallelism_threads=get_inter_op_parallelism_threads,
    get_intra_op_parallelism_threads=get_intra_op_parallelism_threads,
)
optimizer = SimpleNamespace(
    set_jit=_ignored("set_jit", "enabled"),
    get_jit=lambda: "",
    set_experimental_options=_ignored("set_experimental_options", "options"),
    get_experimental_options=dict,
)
experimental = SimpleNamespace(
    list_physical_devices=list_physical_devices,
    list_logical_devices=list_logical_devices,
    get_visible_devices=get_visible_devices,
    set_memory_growth=_ignored("set_memory_growth", "device", "enable"),
    get_memory_growth=lambda device: True,
)
