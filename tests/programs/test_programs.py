"""Programs as users of TensorFlow 1 wrote them run unmodified: under TensorFlow, and under `regraft run`.

What a program prints as `loss ...` is the same in both, from the same seeds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import oracle

pytestmark = pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed")

HERE = Path(__file__).parent
DIGITS = HERE.parents[1] / "src/regraft/demo/data/digits.npz"
PROGRAMS = (
    "mnist_softmax",
    "cnn_queues",
    "char_rnn",
    "dcgan",
    "word2vec",
    "dqn",
    "vae",
    "seq2seq_attention",
    "linear_features",
    "finetune",
)


def _run(*command: str) -> str:
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_USE_LEGACY_KERAS": "1",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def _losses(printed: str) -> np.ndarray:
    return np.array([float(line.split()[1]) for line in printed.splitlines() if line.startswith("loss ")])


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what each program printed under TensorFlow."""
    folder = tmp_path_factory.mktemp("tensorflow")
    programs = [str(HERE / f"{name}.py") for name in PROGRAMS]
    _run(sys.executable, str(HERE / "run_with_tensorflow.py"), str(folder), *programs, "--", str(DIGITS))
    return folder


@pytest.mark.parametrize("name", PROGRAMS)
def test_runs_unmodified_with_the_same_losses(name: str, theirs: Path) -> None:
    wanted = _losses((theirs / f"{name}.txt").read_text())
    regraft = str(Path(sys.executable).with_name("regraft"))
    got = _losses(_run(regraft, "run", str(HERE / f"{name}.py"), str(DIGITS)))
    assert len(wanted) >= 12
    np.testing.assert_allclose(got, wanted, rtol=1e-4)


def test_every_program_is_listed() -> None:
    own = {"__init__", "run_with_tensorflow", Path(__file__).stem}
    assert {path.stem for path in HERE.glob("*.py")} - own == set(PROGRAMS)
