"""Restoring holds a checkpoint once: what is read becomes the variables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from regraft.checkpoint import write_checkpoint

# How much memory a process holds in addition while it restores, at its peak, in bytes.
MEASURE = """
import sys
import regraft.v1 as tf

def status(key):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key))

prefix, size, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for n in range(count):
    tf.get_variable(f"v{n}", [size], initializer=tf.zeros_initializer(), use_resource=n % 2 == 1)
small = tf.Variable(1.0, name="small", collections=[])
saver = tf.train.Saver()
sess = tf.Session()
sess.run(small.initializer)
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak is what there is now
before = status("VmRSS")
saver.restore(sess, prefix)
print(status("VmHWM") - before)
last = sess.run([v[-1] for v in tf.global_variables()])
assert last == list(range(count)), last
"""


def measure(prefix: str, size: int, count: int) -> int:
    command = [sys.executable, "-c", MEASURE, prefix, str(size), str(count)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("megabytes", [128, pytest.param(1024, marks=pytest.mark.slow)])
def test_a_checkpoint_is_held_once(tmp_path: Path, megabytes: int) -> None:
    count = 4
    size = megabytes * (1 << 20) // 4 // count
    write_checkpoint(tmp_path / "m", {f"v{n}": np.full(size, n, np.float32) for n in range(count)})
    total = size * 4 * count
    assert 0.9 * total < measure(str(tmp_path / "m"), size, count) < 1.05 * total + (16 << 20)
