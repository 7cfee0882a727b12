"""The user's own example: one process trains and saves, another opens the files and goes on, in all four pairings."""

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
MODULES = ("tensorflow", "regraft")


def run(script: str, *args: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [sys.executable, str(HERE / script), *args], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]


def losses(folder: Path, name: str) -> np.ndarray:
    with np.load(folder / f"{name}.npz") as file:
        return np.asarray(file["losses"])


@pytest.fixture(scope="module", params=["ref", "resource"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder that each writer filled."""
    folders = {module: tmp_path_factory.mktemp(f"{module}-{request.param}") for module in MODULES}
    for module, folder in folders.items():
        options = ("--steps", "200", "--every", "50", "--variables", request.param)
        run("user_example_write.py", module, str(folder), *options)
    return folders


def test_writers_agree(written: dict[str, Path]) -> None:
    got = losses(written["regraft"], "write-regraft")
    np.testing.assert_allclose(got, losses(written["tensorflow"], "write-tensorflow"), rtol=1e-4)


@pytest.mark.parametrize("writer", MODULES)
def test_readers_agree(written: dict[str, Path], writer: str) -> None:
    for reader in MODULES:
        run("user_example_resume.py", reader, str(written[writer]), "--step", "200")
    wanted = losses(written[writer], "resume-tensorflow")
    assert len(wanted) == 20
    np.testing.assert_allclose(losses(written[writer], "resume-regraft"), wanted, rtol=1e-4)


@pytest.mark.slow
def test_ten_thousand_steps(tmp_path: Path) -> None:
    for module in MODULES:
        run("user_example_write.py", module, str(tmp_path / module))
    for module in MODULES:
        run("user_example_resume.py", module, str(tmp_path / module))
    pairs = [losses(tmp_path / module, f"resume-{module}") for module in MODULES]
    np.testing.assert_allclose(pairs[1], pairs[0], rtol=1e-4)
