"""The machine that measures, and how busy others keep it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import resource
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.models import ROOT

_PACKAGES = ("regraft", "tensorflow-cpu", "tensorflow", "jax", "jaxlib", "numpy", "protobuf", "openvino")


def describe() -> dict[str, Any]:
    """Processor, memory, system and versions; nothing that names the machine or its user."""
    return {
        "cpu": _cpu_name(),
        "cores": cores(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: version for name in _PACKAGES if (version := _version(name))},
        "commit": _commit(),
    }


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()

    try:
        changed = " and uncommitted changes" if git("status", "--porcelain", "--", "src", "bench") else ""
        return git("rev-parse", "--short=12", "HEAD") + changed
    except (OSError, subprocess.CalledProcessError):
        return None


def sources() -> str:
    """A hash of which files of Regraft's there are and when they changed: it must not move while measuring."""
    files = sorted((ROOT / "src").rglob("*.py"))
    lines = [f"{path.relative_to(ROOT)} {path.stat().st_mtime_ns}" for path in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def load() -> list[float]:
    """Load averages over 1, 5 and 15 minutes. A benchmark raises them itself; `Busy` tells its part from others'."""
    return [round(value, 2) for value in os.getloadavg()]


@dataclass(frozen=True)
class Busy:
    """Processor seconds at a moment: of the whole machine, and of this process with the children it waited for."""

    clock: float
    everyone: float | None
    ours: float

    @staticmethod
    def now() -> Busy:
        """Take the counters; `everyone` is None where the system does not tell."""
        ours = 0.0
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
            usage = resource.getrusage(who)
            ours += usage.ru_utime + usage.ru_stime
        try:
            with open("/proc/stat") as file:
                user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
        except OSError:
            return Busy(time.monotonic(), None, ours)
        everyone = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        return Busy(time.monotonic(), everyone, ours)

    def others_since(self, before: Busy) -> float | None:
        """Cores that others kept busy on average since `before`, 0.0 on a quiet machine."""
        if self.everyone is None or before.everyone is None:
            return None
        spent = self.everyone - before.everyone - (self.ours - before.ours)
        return round(max(0.0, spent) / max(self.clock - before.clock, 1e-9), 2)
