"""Saved models for tests, written once by real TensorFlow and kept in pytest's cache folder.

A kept model is good for the sources of this package and the TensorFlow that wrote it; another source, another folder.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class WrittenModel:
    """A saved model and what TensorFlow computed with it; `write` tells the names in the `.npz`."""

    folder: Path
    name: str

    @cached_property
    def prefix(self) -> str:
        """The checkpoint prefix."""
        return str(next(self.folder.glob("*.meta")).with_suffix(""))

    @property
    def meta(self) -> str:
        """The MetaGraphDef file."""
        return f"{self.prefix}.meta"

    @cached_property
    def reference(self) -> dict[str, np.ndarray]:
        """All arrays of the `.npz`."""
        with np.load(self.folder / f"{self.name}.npz") as file:
            return dict(file)

    def _group(self, kind: str) -> dict[str, np.ndarray]:
        start = f"{kind}:"
        return {key.removeprefix(start): value for key, value in self.reference.items() if key.startswith(start)}

    @property
    def feeds(self) -> dict[str, np.ndarray]:
        """Feeds of the inference run, by tensor name."""
        return self._group("feed")

    @property
    def outputs(self) -> dict[str, np.ndarray]:
        """What the inference run gave, by tensor name."""
        return self._group("out")

    @property
    def train_op(self) -> str:
        """The name of the training step's operation."""
        return str(self.reference["train_op"])

    @property
    def loss(self) -> str:
        """The name of the loss tensor."""
        return str(self.reference["loss"])

    @property
    def losses(self) -> np.ndarray:
        """The loss before each step, and after the last one on its feeds."""
        return self.reference[f"train:{self.loss}"]

    @property
    def dropout_losses(self) -> np.ndarray:
        """The same with `dropout_feeds` on top; KeyError for a model without dropout."""
        return self.reference[f"dropout:{self.loss}"]

    @property
    def dropout_feeds(self) -> dict[str, np.ndarray]:
        """What switches seeded dropout on."""
        return self._group("dropoutfeed")

    @property
    def training_feeds(self) -> list[dict[str, np.ndarray]]:
        """The feeds of each training step."""
        stacked = self._group("trainfeed")
        return [{key: value[step] for key, value in stacked.items()} for step in range(len(self.losses) - 1)]

    @property
    def variables_after(self) -> dict[str, np.ndarray]:
        """Some variables after the last step, by tensor name."""
        return self._group("var_after")


def source_hash() -> str:
    """A hash of everything that decides what is written."""
    names = importlib.metadata.packages_distributions()["tensorflow"]
    digest = hashlib.sha256(" ".join(f"{name} {importlib.metadata.version(name)}" for name in names).encode())
    for path in sorted(_HERE.glob("*.py")):
        if path.name != "fixtures.py":
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def written(cache: Path, name: str, variables: str = "ref", optimizer: str = "adam") -> WrittenModel:
    """Give a model of the catalogue from `cache`, writing it first where it is not there yet.

    Several processes may ask at once: each writes beside the place and the first rename wins.
    """
    final = cache / source_hash() / f"{name}-{variables}-{optimizer}"
    if not final.exists():
        final.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f"{final.name}.", dir=final.parent))
        command = [sys.executable, "-m", "tests.models.write", name, "--variables", variables]
        command += ["--optimizer", optimizer, "--out", str(work)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(command, cwd=_HERE.parents[1], env=environment, capture_output=True, text=True)
        if done.returncode:
            shutil.rmtree(work)
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")
        try:
            work.rename(final)
        except OSError:
            if not final.exists():
                raise
            shutil.rmtree(work)
    return WrittenModel(final, name)


@pytest.fixture(scope="session")
def written_model(request: pytest.FixtureRequest) -> Callable[..., WrittenModel]:
    """`written_model("mlp", "ref", "adam")` gives a WrittenModel."""
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("TensorFlow, which writes the models, is not installed")
    cache = Path(request.config.cache.mkdir("regraft-models"))
    return lambda name, variables="ref", optimizer="adam": written(cache, name, variables, optimizer)
