"""The devices of this machine, as `device_lib.list_local_devices` and `tf.config` list them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True)
class DeviceAttributes:
    """A device: "/device:GPU:0", its type, the bytes of its memory (0 where JAX does not say), and a description."""

    name: str
    device_type: str
    memory_limit: int = 0
    incarnation: int = 0
    physical_device_desc: str = ""


class PhysicalDevice(NamedTuple):
    name: str
    device_type: str


class LogicalDevice(NamedTuple):
    name: str
    device_type: str


def list_local_devices(session_config: Any = None) -> list[DeviceAttributes]:
    """The CPU, and the accelerators that JAX has."""
    from regraft.opkit.arrays import jax

    found = [DeviceAttributes("/device:CPU:0", "CPU")]
    counts: dict[str, int] = {}
    for device in jax.local_devices():
        kind = device.platform.upper()
        if kind != "CPU":
            index = counts[kind] = counts.get(kind, -1) + 1
            stats = device.memory_stats() or {}
            description = f"device: {index}, name: {device.device_kind}"
            limit = int(stats.get("bytes_limit", 0))
            found.append(DeviceAttributes(f"/device:{kind}:{index}", kind, limit, 0, description))
    return found


def physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices of a type ("CPU", "GPU", "TPU"), or all."""
    return [
        PhysicalDevice(f"/physical_{d.name[1:]}", d.device_type)
        for d in list_local_devices()
        if device_type in (None, d.device_type)
    ]


def logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """The devices of a type ("CPU", "GPU", "TPU"), or all, under the names that nodes are placed by."""
    return [LogicalDevice(d.name, d.device_type) for d in list_local_devices() if device_type in (None, d.device_type)]
