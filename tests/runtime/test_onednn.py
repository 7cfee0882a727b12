"""Programs with calls to oneDNN, which cannot be serialized: the caches, control flow, sessions at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regraft.v1 as tf
from regraft import session
from regraft.opkit import onednn
from regraft.runtime import program as programs

pytestmark = pytest.mark.skipif(not onednn._carried(), reason="this XLA carries no oneDNN, or another release's")

RNG = np.random.default_rng(3)
A = RNG.standard_normal((24, 24)).astype(np.float32) / 8
SQUARE = A.astype(np.float64) @ A


@pytest.fixture(autouse=True)
def small_products(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("_WORTH_A_PRODUCT", "_WORTH_A_CONVOLUTION", "_LONG_SUM"):
        monkeypatch.setattr(onednn, limit, 1)


def run(fetch: Any, feeds: dict[Any, Any]) -> Any:
    return session.Session(fetch.graph, "compile").run(fetch, feeds)


def close(value: Any, expected: Any) -> None:
    np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-5)


def deep(x: Any) -> Any:
    """`x`, past as many nodes as it takes for a program to be looked for on disk."""
    for _ in range(40):
        x = tf.negative(x)
    return x


@pytest.mark.parametrize("product", [False, True])
def test_a_program_with_a_call_is_not_kept(product: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGRAFT_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(programs, "_WORTH_KEEPING", 0.0)
    for _ in range(2):
        with tf.Graph().as_default():
            x = tf.placeholder(tf.float32, A.shape)
            y = deep(tf.matmul(x, x) if product else x)
            close(run(y, {x: A}), SQUARE if product else A)
    assert len(list(tmp_path.iterdir())) == (0 if product else 1)


_WITH_JAX_CACHE = """
import sys
import jax
jax.config.update("jax_compilation_cache_dir", sys.argv[1])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
import numpy as np
import regraft.v1 as tf
from regraft import session
from regraft.opkit import onednn

x = tf.placeholder(tf.float32, [256, 256])
y = tf.matmul(x, x)
compiled = session.Session(x.graph, "compile")
for _ in range(2):
    print((compiled.run(y, {x: np.full([256, 256], 0.5, np.float32)}) == 64).all())
print(onednn.traced_calls())
"""


def test_a_cache_of_jax_does_no_harm(tmp_path: Path) -> None:
    for _ in range(2):
        command = [sys.executable, "-c", _WITH_JAX_CACHE, str(tmp_path)]
        done = subprocess.run(command, env={**os.environ}, capture_output=True, text=True, check=True, timeout=120)
        assert done.stdout.split() == ["True", "True", "1"]


def test_calls_in_loops_and_branches() -> None:
    with tf.Graph().as_default():
        x, n = tf.placeholder(tf.float32, A.shape), tf.placeholder(tf.int32, [])
        power = tf.while_loop(lambda i, v: i < n, lambda i, v: (i + 1, tf.matmul(v, x)), [0, x])[1]
        out = tf.cond(n > 1, lambda: tf.matmul(power, x, transpose_b=True), lambda: -power)
        compiled = session.Session(out.graph, "compile")
        before = onednn.traced_calls()
        close(compiled.run(out, {x: A, n: 2}), SQUARE @ A @ A.T)
        close(compiled.run(out, {x: A, n: 1}), -SQUARE)
    assert onednn.traced_calls() > before


def test_convolutions_train_in_a_loop() -> None:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [2, 6, 6, 8])
        w = tf.placeholder(tf.float32, [3, 3, 8, 8])
        step = lambda i, v: (i + 1, tf.nn.conv2d(v, w, 1, "SAME"))  # noqa: E731
        y = tf.while_loop(lambda i, v: i < 3, step, [0, x])[1]
        gradient = tf.gradients(tf.reduce_sum(y), [w])[0]
        image, filters = np.ones([2, 6, 6, 8], np.float32), np.zeros([3, 3, 8, 8], np.float32)
        filters[1, 1] = np.eye(8)
        before = onednn.traced_calls()
        found = run(gradient, {x: image, w: filters})
    assert onednn.traced_calls() > before
    # Each of three steps passes the two images on; the middle of the window meets all 36 cells of each.
    close(found[1, 1], np.full([8, 8], 3 * 2 * 36))


@pytest.mark.parametrize("own_sessions", [False, True])
def test_programs_run_from_two_threads_at_once(own_sessions: bool) -> None:
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, A.shape)
        y = tf.matmul(tf.matmul(x, x), x)
        shared = session.Session(graph, "compile")
        wrong: list[float] = []

        def work(factor: float) -> None:
            mine = session.Session(graph, "compile") if own_sessions else shared
            for _ in range(200):
                error = np.abs(mine.run(y, {x: A * np.float32(factor)}) - SQUARE @ A * factor**3).max()
                if not error < 1e-4:
                    wrong.append(error)

        threads = [threading.Thread(target=work, args=(f,), daemon=True) for f in (1.0, 2.0)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(240)
        assert not any(thread.is_alive() for thread in threads)
        assert not wrong


_ONE_THREAD = """
import numpy as np
import regraft.v1 as tf
from regraft.opkit import onednn

x = tf.placeholder(tf.float32, [256, 256])
y = tf.matmul(x, x)
with tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=1)) as sess:
    sess._executor._tier = "compile"
    for _ in range(20):
        value = sess.run(y, {x: np.full([256, 256], 0.5, np.float32)})
print((value == 64).all(), onednn.traced_calls())
"""


@pytest.mark.parametrize(("setting", "calls"), [({}, "1"), ({"REGRAFT_ONEDNN": "0"}, "0")], ids=["on", "off"])
def test_one_thread_is_enough(setting: dict[str, str], calls: str) -> None:
    command = [sys.executable, "-c", _ONE_THREAD]
    done = subprocess.run(
        command, env={**os.environ, **setting}, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["True", calls]
