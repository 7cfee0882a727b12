"""tf.DeviceSpec: the parts of a device's name."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from regraft.base import devices

_PARTS = tuple(field.name for field in fields(devices.DeviceSpec))


class DeviceSpec:
    """A device, or a part of one, as TensorFlow 1 has it: what is None is left open, and everything can be changed."""

    __slots__ = ("_spec",)

    def __init__(
        self,
        job: str | None = None,
        replica: int | None = None,
        task: int | None = None,
        device_type: str | None = None,
        device_index: int | None = None,
    ) -> None:
        if device_type is not None and device_type.lower() in ("cpu", "gpu"):
            device_type = device_type.upper()
        self._spec = devices.DeviceSpec(
            None if job is None else str(job),
            None if replica is None else int(replica),
            None if task is None else int(task),
            device_type,
            None if device_index is None else int(device_index),
        )

    @staticmethod
    def from_string(spec: str) -> DeviceSpec:
        """Parse `/job:worker/task:1/device:GPU:0` and the like. ValueError names the part that is no device."""
        return DeviceSpec().parse_from_string(spec)

    def parse_from_string(self, spec: str) -> DeviceSpec:
        """Take over the parts of a device string, in place."""
        self._spec = devices.DeviceSpec.from_string(spec)
        return self

    def to_string(self) -> str:
        return self._spec.to_string()

    def merge_from(self, dev: DeviceSpec) -> None:
        """Put every part that `dev` names in place of one's own."""
        self._spec = self._spec.make_merged_spec(dev._spec)

    def make_merged_spec(self, dev: DeviceSpec) -> DeviceSpec:
        """This spec with every part that `dev` names in place of its own, as a new one."""
        merged = DeviceSpec()
        merged._spec = self._spec.make_merged_spec(dev._spec)
        return merged

    def replace(self, **kwargs: Any) -> DeviceSpec:
        """A new spec with these parts changed."""
        return DeviceSpec(**{**{part: getattr(self, part) for part in _PARTS}, **kwargs})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeviceSpec) and self._spec == other._spec

    def __hash__(self) -> int:
        return hash(self._spec)

    def __repr__(self) -> str:
        return f"<DeviceSpec {self.to_string()!r}>"


def _part(name: str) -> property:
    def read(self: DeviceSpec) -> Any:
        return getattr(self._spec, name)

    def write(self: DeviceSpec, value: Any) -> None:
        self._spec = replace(self._spec, **{name: value})

    return property(read, write)


for _name in _PARTS:
    setattr(DeviceSpec, _name, _part(_name))
