"""The graphs that are measured: which there are at each scale, and where their files lie. No TensorFlow here.

`bench.write_model` writes the files, in a process of its own, with real TensorFlow.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / "bench" / ".cache"


@dataclass(frozen=True)
class Spec:
    """One graph.

    kind       model: `tests.models.<module>` with `config`, trained for one step by `optimizer`, and its checkpoint;
               layers: a chain of small dense layers of about `size` nodes, without a checkpoint;
               variables: `size` bytes of float32 variables and their checkpoint;
               pipeline: a small CNN fed from `size` records by a pipeline in the graph, see `bench.write_pipeline`;
               small: a scalar addition, and twenty operations on eight numbers
    """

    kind: Literal["model", "layers", "variables", "pipeline", "small"]
    module: str = ""
    optimizer: str = "adam"
    config: Mapping[str, Any] = field(default_factory=dict)
    size: int = 0


_BERT = {
    "vocabulary": 30522,
    "hidden": 768,
    "layers": 12,
    "heads": 12,
    "intermediate": 3072,
    "positions": 512,
    "length": 128,
    "predictions": 20,
    "learning_rate": 1e-4,
}

FULL: Mapping[str, Spec] = {
    "mlp": Spec("model", "mlp", config={"inputs": 784, "hidden": 256, "classes": 10, "batch": 64}),
    "cnn": Spec("model", "cnn", config={"image": 33, "classes": 10, "batch": 64, "width": 32}),
    "lstm": Spec(
        "model",
        "lstm",
        config={"vocabulary": 1000, "embedding": 200, "hidden": 200, "layers": 1, "steps": 50, "batch": 20},
    ),
    "lstm_200": Spec(
        "model",
        "lstm",
        # Of a wider spread the gradients through 200 steps grow until float32 has three digits of them.
        config={
            "vocabulary": 1000,
            "embedding": 200,
            "hidden": 200,
            "layers": 1,
            "steps": 200,
            "batch": 20,
            "spread": 0.1,
        },
    ),
    "detector": Spec("model", "detector", config={"image": 160, "classes": 20, "batch": 4, "width": 16, "kept": 20}),
    "queue": Spec("pipeline", config={"batch": 64}, size=6400),
    "data": Spec("pipeline", "data", config={"batch": 64}, size=6400),
    "resnet50": Spec("model", "resnet", "momentum", {"image": 224, "batch": 4}),
    "bert_base": Spec("model", "transformer", config=_BERT),
    "small": Spec("small"),
    **{f"nodes_{n}k": Spec("layers", size=n * 1000) for n in (1, 10, 50, 100)},
    "0.1gb": Spec("variables", size=100_000_000),
    "1gb": Spec("variables", size=1_000_000_000),
    "4gb": Spec("variables", size=4_000_000_000),
}

TINY: Mapping[str, Spec] = {
    "mlp": Spec("model", "mlp"),
    "cnn": Spec("model", "cnn"),
    "lstm": Spec("model", "lstm"),
    "lstm_200": Spec("model", "lstm"),
    "detector": Spec("model", "detector"),
    "queue": Spec("pipeline", config={"batch": 4}, size=40),
    "data": Spec("pipeline", "data", config={"batch": 4}, size=40),
    "resnet50": Spec(
        "model", "resnet", "momentum", {"image": 32, "width": 8, "classes": 10, "batch": 4, "blocks": (1, 1)}
    ),
    "bert_base": Spec("model", "transformer", config={"layers": 1}),
    "small": Spec("small"),
    **{f"nodes_{n}k": Spec("layers", size=n * 10) for n in (1, 10, 50, 100)},
    "0.1gb": Spec("variables", size=100_000),
    "1gb": Spec("variables", size=1_000_000),
    "4gb": Spec("variables", size=4_000_000),
}

SCALES: Mapping[str, Mapping[str, Spec]] = {"full": FULL, "tiny": TINY}


@dataclass(frozen=True)
class Written:
    """The files of one graph, as `bench.write_model` left them in a folder."""

    folder: Path

    @cached_property
    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.folder / "facts.json").read_text())
        return facts

    @property
    def prefix(self) -> str:
        """The checkpoint prefix; the `.meta` beside it is always there."""
        return str(self.folder / "model")

    @property
    def meta(self) -> str:
        """The MetaGraphDef file."""
        return f"{self.prefix}.meta"

    @property
    def outputs(self) -> list[str]:
        """Names of the tensors that an inference run fetches."""
        return list(self._facts["outputs"])

    @property
    def loss(self) -> str:
        """Name of the loss tensor."""
        return str(self._facts["loss"])

    @property
    def train_op(self) -> str:
        """Name of the training step's operation."""
        return str(self._facts["train_op"])

    @property
    def feeds_itself(self) -> bool:
        """Whether the training step takes its batches from a pipeline in the graph."""
        return "batches" not in self._facts

    def data_files(self) -> list[Path]:
        """The files with the bytes of the variables."""
        return sorted(self.folder.glob("model.data-*"))

    def inference_feeds(self) -> dict[str, Any]:
        """Arrays by tensor name."""
        return self._group("infer/")

    def training_feeds(self) -> list[dict[str, Any]]:
        """The feeds of some steps, to be gone through again and again."""
        return [self._group(f"train{step}/") for step in range(int(self._facts["batches"]))]

    def _group(self, start: str) -> dict[str, Any]:
        import numpy as np

        with np.load(self.folder / "feeds.npz") as file:
            return {key.removeprefix(start): file[key] for key in file.files if key.startswith(start)}

    def read_through(self) -> None:
        """Read every file once, so that all measurements find them in the page cache."""
        for path in self.folder.iterdir():
            with path.open("rb") as file:
                while file.read(1 << 24):
                    pass


def source_hash(spec: Spec) -> str:
    """A hash of what decides the files: the specification, the building code, and the TensorFlow that writes."""
    names = importlib.metadata.packages_distributions().get("tensorflow", [])
    parts = [repr(spec), *(f"{name} {importlib.metadata.version(name)}" for name in sorted(set(names)))]
    digest = hashlib.sha256("\n".join(parts).encode())
    paths = [ROOT / "bench" / "write_model.py"]
    if spec.kind == "pipeline":
        paths += [ROOT / "bench" / "write_pipeline.py"]
    if spec.kind == "model":
        paths += [ROOT / "tests" / "models" / f"{n}.py" for n in ("layers", "model", "optimizers", spec.module)]
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def folder(cache: Path, scale: str, name: str) -> Path:
    """Where the files of a graph lie; KeyError for a name that the scale does not have."""
    return cache / f"{scale}-{name}-{source_hash(SCALES[scale][name])}"


def ensure(cache: Path, scale: str, names: Iterable[str]) -> dict[str, Written]:
    """Give the graphs by name, writing those that are missing. Only whole folders appear in `cache`.

    Where TensorFlow is not installed, Regraft writes them.

    raises  RuntimeError with the writer's last words when it fails
    """
    wanted = {name: folder(cache, scale, name) for name in names}
    missing = [name for name, path in wanted.items() if not path.exists()]
    if missing:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="writing-") as work:
            command = [sys.executable, "-m", "bench.write_model", "--scale", scale, "--out", work, *missing]
            if importlib.util.find_spec("tensorflow") is None:
                command += ["--module", "regraft.v1"]
            environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
            done = subprocess.run(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, check=False)
            for name in missing:
                if (Path(work) / name).exists():
                    _publish(Path(work) / name, wanted[name])
            if done.returncode:
                raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")
    return {name: Written(path) for name, path in wanted.items()}


def _publish(made: Path, final: Path) -> None:
    try:
        made.rename(final)
    except OSError:
        if not final.exists():  # else another process was first
            raise
        shutil.rmtree(made)
