"""One measurement, in this process.

    python -m bench.worker MODULE TASK STARTED_NS MODEL_FOLDER SCRATCH PARAMETERS

Nothing is loaded before the library but what the interpreter needs to get here. Leaves `outcome.json` and
`arrays.npz` in the folder SCRATCH.
"""

import importlib
import sys
import time


def main() -> None:
    """Measure and write down."""
    module, task, started, model, scratch, parameters = sys.argv[1:]
    entered = time.monotonic_ns()
    tf = importlib.import_module(module)
    imported = time.monotonic_ns()

    from bench.memory import peak_memory

    loaded = peak_memory()

    import json
    from pathlib import Path

    import numpy as np

    from bench.models import Written
    from bench.tasks import Job, tasks_of

    given = json.loads(parameters)
    job = Job(tf, Written(Path(model)), given, Path(scratch), int(started), entered, imported, loaded)
    outcome = tasks_of(module)[task](job)
    np.savez(job.scratch / "arrays.npz", **dict(outcome.arrays))
    device = sys.modules["jax"].devices()[0] if "jax" in sys.modules else None
    written = {
        "seconds": outcome.seconds,
        "peak": outcome.peak,
        "phases": dict(outcome.phases),
        "facts": dict(outcome.facts),
        "device": device.platform if device else "cpu",
        "device_kind": device.device_kind if device else "cpu",
        "device_peak": (device.memory_stats() or {}).get("peak_bytes_in_use", 0) if device else 0,
    }
    (job.scratch / "outcome.json").write_text(json.dumps(written))


if __name__ == "__main__":
    main()
