"""What a process does at the first run of a network: it loads JAX when that pays, and no sooner."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regraft.v1 as tf
from regraft import session
from regraft.opkit import platforms
from regraft.runtime import build, executor, program
from regraft.runtime.evaluate import Variables
from regraft.runtime.interpreter import Interpreter
from regraft.runtime.state import SessionState

FIRST_STEP = """
import sys
import numpy as np
import regraft.v1 as tf

x = tf.placeholder(tf.float32, [None, 8, 8, 3])
y = x
for i in range(3):
    y = tf.layers.batch_normalization(tf.layers.conv2d(y, 4, 3, padding="same"), training=True)
    y = tf.nn.max_pool2d(tf.nn.dropout(tf.nn.relu(y), rate=0.1), 2, 2, "SAME") + tf.nn.avg_pool2d(y, 2, 2, "SAME")
loss = tf.reduce_mean(tf.square(y)) + tf.reduce_mean(tf.erf(y))
train = tf.train.AdamOptimizer().minimize(loss)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run([train, loss], {x: np.ones((2, 8, 8, 3), np.float32)})
print("jax" in sys.modules)
"""


def output_of(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a fresh process prints that runs `code` with `folder` for its programs."""
    monkeypatch.setenv("REGRAFT_CACHE_DIR", str(folder))
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_first_training_step_of_a_network_loads_no_jax(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A program of somebody else's is no reason to load JAX either.
    tmp_path.joinpath("0.xla").write_bytes(b"")
    assert output_of(FIRST_STEP, tmp_path, monkeypatch) == "False"


def test_the_device_is_told_without_jax_as_jax_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    ask = "import sys; from regraft.opkit import platforms; {}; print(platforms.description(), 'jax' in sys.modules)"
    without, told = output_of(ask.format("pass"), tmp_path, monkeypatch).rsplit(" ", 1)
    by_jax, loaded = output_of(ask.format("import jax"), tmp_path, monkeypatch).rsplit(" ", 1)
    assert (told, loaded) == ("False", "True")
    assert without == by_jax


@pytest.fixture
def convolution() -> tuple[Any, Any]:
    """A network large enough to be looked for on disk, in a graph of its own."""
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [1, 6, 6, 2])
        y = tf.nn.conv2d(x, tf.ones([3, 3, 2, 2]) / 9.0, 1, "SAME")
        for _ in range(40):
            y = tf.tanh(y) * 0.5 + 1.0
        return x, y


IMAGE = np.linspace(-1, 1, 72, dtype=np.float32).reshape(1, 6, 6, 2)


def runs(sess: session.Session, net: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:
    """What each of so many runs did: "interpreted", or what was done to have a program and "called"."""
    said: list[str] = []

    def note(owner: type, name: str, word: str) -> None:
        old = getattr(owner, name)

        def noting(self: Any, *args: Any) -> Any:
            said.append(word)
            return old(self, *args)

        monkeypatch.setattr(owner, name, noting)

    note(Interpreter, "run", "interpreted")
    note(program.Program, "run", "called")
    note(program.Program, "load", "loaded")
    note(program.Program, "compile", "compiled")
    found = []
    for _ in range(times):
        said.clear()
        sess.run(net[1], {net[0]: IMAGE})
        found.append(" ".join(said))
    return found


def test_a_network_is_compiled_once_interpreting_it_has_cost_enough(
    convolution: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGRAFT_CACHE_DIR", "")
    for name in ("_COMPILE_SECONDS", "_COMPILE_SECONDS_PER_NODE", "_LOAD_SECONDS", "_CALL_SECONDS"):
        monkeypatch.setattr(executor, name, 1e-9)
    sess = session.Session(convolution[1].graph)
    assert runs(sess, convolution, monkeypatch, 3) == ["interpreted", "compiled called", "called"]


def test_where_programs_do_not_run_on_a_cpu_a_network_is_compiled_at_once(
    convolution: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGRAFT_CACHE_DIR", "")
    monkeypatch.setattr(platforms, "on_cpu", lambda: False)
    sess = session.Session(convolution[1].graph)
    assert runs(sess, convolution, monkeypatch, 1) == ["compiled called"]


@pytest.mark.parametrize(
    ("interpreting", "loaded", "first"),
    [(0.5, False, "interpreted"), (0.5, True, "loaded called"), (5.0, False, "loaded called")],
    ids=["quick to interpret", "jax is there", "slow to interpret"],
)
def test_a_program_on_disk_is_loaded_at_once_or_at_the_second_run(
    convolution: tuple[Any, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interpreting: float,
    loaded: bool,
    first: str,
) -> None:
    monkeypatch.setenv("REGRAFT_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(program, "_WORTH_KEEPING", 0.0)
    compiling = program.Program.compile
    with monkeypatch.context() as patch:
        patch.setattr(program.Program, "compile", lambda self, _: compiling(self, interpreting))
        session.Session(convolution[1].graph, "compile").run(convolution[1], {convolution[0]: IMAGE})
    monkeypatch.setattr(platforms, "loaded", lambda: loaded)
    sess = session.Session(convolution[1].graph)
    second = "loaded called" if first == "interpreted" else "called"
    assert runs(sess, convolution, monkeypatch, 2) == [first, second]


def test_the_interpreter_forgets_what_nothing_needs_any_more(convolution: tuple[Any, Any]) -> None:
    x, y = convolution
    plan = build.build_plan(y.graph, [y], [x])
    (step,) = plan.steps
    values: list[Any] = [None] * plan.size
    for number, value in (*plan.known, (plan.feeds[x], IMAGE)):
        values[number] = value
    given = {number for number, value in enumerate(values) if value is not None}
    Interpreter(SessionState()).run(step, values, Variables({}.get))
    assert {number for number, value in enumerate(values) if value is not None} == {*given, *step.outputs}
