"""Device strings: `/job:worker/replica:0/task:3/device:GPU:0` and the older `/gpu:0`, parsed, merged and written."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_PART = re.compile(r"^(?:job:(?P<job>[^/]+)|replica:(?P<replica>\d+|\*)|task:(?P<task>\d+|\*)"
                   r"|(?:device:(?=.)|(?=(?i:(?:xla_)?(?:cpu|gpu|tpu))(?:$|:)))"
                   r"(?P<type>[A-Za-z_][A-Za-z_0-9]*)(?::(?P<index>\d+|\*))?)$")  # fmt: skip


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """A device, or a part of one: None stands for what is left open."""

    job: str | None = None
    replica: int | None = None
    task: int | None = None
    device_type: str | None = None
    device_index: int | None = None

    @staticmethod
    def from_string(text: str) -> DeviceSpec:
        """Parse a device string. ValueError names the part that is no device."""
        spec = DeviceSpec()
        for part in text.split("/"):
            if not part:
                continue
            match = _PART.match(part)
            if match is None:
                raise ValueError(f"Unknown attribute {part!r} is encountered while parsing the device spec: {text!r}.")
            found = match.groupdict()
            number = {
                k: int(v) if v and v != "*" else None for k, v in found.items() if k in ("replica", "task", "index")
            }
            if found["job"]:
                spec = replace(spec, job=found["job"])
            elif found["replica"]:
                spec = replace(spec, replica=number["replica"])
            elif found["task"]:
                spec = replace(spec, task=number["task"])
            else:
                kind = found["type"].upper() if found["type"].lower() in ("cpu", "gpu", "tpu") else found["type"]
                spec = replace(spec, device_type=kind, device_index=number["index"])
        return spec

    def make_merged_spec(self, over: DeviceSpec) -> DeviceSpec:
        """This spec with every part that `over` names put in place of its own."""
        return DeviceSpec(
            over.job if over.job is not None else self.job,
            over.replica if over.replica is not None else self.replica,
            over.task if over.task is not None else self.task,
            over.device_type if over.device_type is not None else self.device_type,
            over.device_index if over.device_index is not None else self.device_index,
        )

    def to_string(self) -> str:
        parts = []
        if self.job is not None:
            parts.append(f"/job:{self.job}")
        if self.replica is not None:
            parts.append(f"/replica:{self.replica}")
        if self.task is not None:
            parts.append(f"/task:{self.task}")
        if self.device_type is not None:
            index = "*" if self.device_index is None else str(self.device_index)
            parts.append(f"/device:{self.device_type}:{index}")
        return "".join(parts)


def canonical(text: str) -> str:
    """A device string in its full spelling (`/gpu:0` becomes `/device:GPU:0`); an empty string stays empty."""
    return DeviceSpec.from_string(text).to_string() if text else ""


def merge(under: str, over: str) -> str:
    """The parts of `over`, and those of `under` that `over` leaves open."""
    if not under or not over:
        return canonical(under or over)
    return DeviceSpec.from_string(under).make_merged_spec(DeviceSpec.from_string(over)).to_string()
