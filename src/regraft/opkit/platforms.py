"""Where programs will run, found out without loading JAX where that can be."""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import metadata, util

from regraft.opkit.arrays import jax


def on_cpu() -> bool:
    """Whether programs traced now run on a CPU. JAX is loaded only where its plugins might run them elsewhere."""
    if not loaded() and _cpu_alone():
        return True
    device = jax.config.jax_default_device
    if device is None:
        return bool(jax.default_backend() == "cpu")
    return str(getattr(device, "platform", device)) == "cpu"


def loaded() -> bool:
    """Whether JAX is there already."""
    return "jax" in sys.modules


@cache
def description() -> tuple[str, ...]:
    """JAX's version, and the platform, kind and number of its devices."""
    if not loaded() and _cpu_alone() and not any(os.environ.get(n) for n in ("XLA_FLAGS", "JAX_NUM_CPU_DEVICES")):
        try:
            return (metadata.version("jax"), "cpu", "cpu", "1")
        except metadata.PackageNotFoundError:
            pass
    device = jax.devices()[0]
    return (jax.__version__, device.platform, device.device_kind, str(jax.device_count()))


@cache
def _cpu_alone() -> bool:
    platforms = os.environ.get("JAX_PLATFORMS")
    if platforms:
        return platforms == "cpu"
    return util.find_spec("jax_plugins") is None and util.find_spec("libtpu") is None
