"""tf.config: the devices of this machine; settings of TensorFlow's runtime are accepted, and change nothing."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

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


threading = SimpleNamespace(
    set_inter_op_parallelism_threads=_ignored("set_inter_op_parallelism_threads", "num_threads"),
    set_intra_op_parallelism_threads=_ignored("set_intra_op_parallelism_threads", "num_threads"),
    get_inter_op_parallelism_threads=lambda: 0,
    get_intra_op_parallelism_threads=lambda: 0,
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
