"""Where the programs that are traced now will run."""

from __future__ import annotations

from regraft.opkit.arrays import jax


def on_cpu() -> bool:
    """Whether programs traced now run on a CPU."""
    device = jax.config.jax_default_device
    if device is None:
        return bool(jax.default_backend() == "cpu")
    return str(getattr(device, "platform", device)) == "cpu"
