"""ConfigProto and tf.config.threading: what they say of threads reaches XLA, NumPy and datasets."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import regraft.v1 as tf
from regraft.opkit import threads

START = """
import os, sys
import numpy as np
import regraft.v1 as tf
from threadpoolctl import threadpool_info

def of_xla():
    names = [open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")]
    return names.count("tf_XLAEigen")

def of_blas():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

x = tf.placeholder(tf.float32, [8, 8])
y = tf.nn.conv2d(x[None, ..., None], tf.ones([3, 3, 1, 1]), 1, "SAME") + tf.matmul(x, x)
"""
FIRST_SESSION = """
session = tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=3))
"""
RUN = """
assert "jax" not in sys.modules
session._executor._tier = "compile"
session.run(y, {x: np.ones([8, 8], np.float32)})
"""
SAY = """
print(of_xla(), of_blas(), "PJRT_NPROC" in os.environ, "NPROC" in os.environ)
"""
on_linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted where Linux lists them")


def said(code: str) -> tuple[str, str]:
    """What a fresh process that runs `code` prints, and its messages."""
    environment = {n: v for n, v in os.environ.items() if n not in ("PJRT_NPROC", "NPROC")} | {"JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@on_linux
def test_the_first_session_says_how_many_threads_work_on_an_operation() -> None:
    later = "tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=1)).run(y, {x: np.ones([8, 8])})"
    assert said(START + FIRST_SESSION + RUN + SAY + later + SAY)[0] == "3 {3} False False\n" * 2


@on_linux
def test_a_process_that_used_jax_before_is_told_that_it_is_too_late() -> None:
    use = "import jax; jax.devices(); before = of_xla()"
    out, messages = said(
        START + use + FIRST_SESSION + RUN.replace("assert", "#") + "print(of_xla() == before, of_blas())"
    )
    assert out == "True {3}\n"
    assert messages.count("intra_op_parallelism_threads=3 has no effect on compiled programs: JAX was used before") == 1


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The threads (within operations, between them) that sessions ask for."""
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(threads, "settle", lambda *numbers: seen.append(numbers))
    return seen


def test_what_sessions_ask_for(asked: list[tuple[int, int]]) -> None:
    config = tf.ConfigProto(intra_op_parallelism_threads=2, inter_op_parallelism_threads=5)
    tf.Session()
    tf.Session(config=config)
    tf.InteractiveSession(config=config).close()
    tf.train.Server.create_local_server(config=config)
    assert asked == [(0, 0), (2, 5), (2, 5), (2, 5)]


def test_a_session_without_a_config_asks_for_what_was_set(asked: list[tuple[int, int]]) -> None:
    setting: Any = tf.config.threading
    try:
        setting.set_intra_op_parallelism_threads(2)
        setting.set_inter_op_parallelism_threads(3)
        assert (setting.get_intra_op_parallelism_threads(), setting.get_inter_op_parallelism_threads()) == (2, 3)
        tf.Session()
        tf.Session(config=tf.ConfigProto())
    finally:
        setting.set_intra_op_parallelism_threads(0)
        setting.set_inter_op_parallelism_threads(0)
    assert asked == [(2, 3), (0, 0)]


@pytest.mark.parametrize(("inter", "mapping"), [(1, False), (2, True)])
def test_functions_of_datasets_are_called_by_as_many_threads(
    inter: int, mapping: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_asked", (0, 0))
    monkeypatch.setattr(threads, "_settled", threads.Threads(0, inter))

    def slow(x: tf.Tensor) -> tf.Tensor:
        matrix = tf.fill([400, 400], tf.cast(x, tf.float64))
        return tf.matmul(matrix, matrix)[0, 0]

    with tf.Graph().as_default(), tf.Session() as session:
        dataset = tf.data.Dataset.range(8).map(slow, num_parallel_calls=tf.data.AUTOTUNE)
        element = tf.data.make_one_shot_iterator(dataset).get_next()
        before = set(threading.enumerate())
        assert [session.run(element) for _ in range(8)] == [400.0 * i * i for i in range(8)]
        made = set(threading.enumerate()) - before
    assert any(thread.name.startswith("regraft-map") for thread in made) == mapping
