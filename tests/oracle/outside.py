"""TensorFlow in a process of its own, for what must not share one: global switches, fresh counters, crashes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

_ROOT = Path(__file__).parents[2]

_PRELUDE = """\
import sys
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)
with np.load(sys.argv[1], allow_pickle=True) as _file:
    globals().update(_file)
result = {}
"""
_EPILOGUE = """
np.savez(sys.argv[2], **{key: np.asarray(value) for key, value in result.items()})
"""


def run_tf(code: str, *, cwd: Path | None = None, timeout: float = 300.0, **arrays: Any) -> dict[str, np.ndarray]:
    """Run `code` in a new Python and return what it put into the dictionary `result`, as arrays.

    code    sees `tf` (`tensorflow.compat.v1`, graph mode), `np`, and `arrays` by name; it may be indented
    cwd     where it runs; the repository by default, so that `tests.` can be imported in either case
    raises  RuntimeError with the tail of stderr when the code fails, subprocess.TimeoutExpired when it takes too long
    """
    environment = {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "-1",
        **os.environ,
        "PYTHONPATH": str(_ROOT),
    }
    with tempfile.TemporaryDirectory() as folder:
        script, given, answer = (Path(folder) / name for name in ("question.py", "given.npz", "answer.npz"))
        script.write_text(_PRELUDE + textwrap.dedent(code) + _EPILOGUE)
        np.savez(given, **{key: np.asarray(value) for key, value in arrays.items()})
        command = [sys.executable, str(script), str(given), str(answer)]
        done = subprocess.run(
            command, cwd=cwd or _ROOT, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode:
            raise RuntimeError(f"the code for TensorFlow failed ({done.returncode}):\n{done.stderr[-4000:]}")
        with np.load(answer, allow_pickle=True) as file:
            return dict(file)
