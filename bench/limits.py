"""What the hardware can do: measured on this machine's processors, looked up for a card.

    python -m bench.limits full

prints the measured ones as JSON: `flops`, operations a second of a float32 matrix product by NumPy on all cores;
`copied`, bytes a second that a copy of a large array reads and writes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from bench.machine import cores
from bench.models import ROOT


@dataclass(frozen=True)
class Card:
    """A GPU's limits by its maker's data sheet.

    tf32    operations a second of products of float32 rounded to TF32, without sparsity; None where it has no TF32
    fp32    operations a second of float32 arithmetic without tensor cores
    copied  bytes a second of its memory
    sheet   where the numbers stand
    """

    tf32: float | None
    fp32: float
    copied: float
    sheet: str

    @property
    def flops(self) -> float:
        """The most for float32 as JAX multiplies it by default: in TF32 where there is TF32."""
        return self.tf32 or self.fp32


_H100 = "NVIDIA H100 Tensor Core GPU data sheet; half of its TF32, which is with sparsity"
_H200 = "NVIDIA H200 Tensor Core GPU data sheet; half of its TF32, which is with sparsity"
_A100 = "NVIDIA A100 Tensor Core GPU data sheet"
_V100 = "NVIDIA V100 Tensor Core GPU data sheet"

# By how the kind begins that JAX tells; the longest that fits counts.
CARDS: Mapping[str, Card] = {
    "NVIDIA H200": Card(494.5e12, 67e12, 4.8e12, _H200),
    "NVIDIA H200 NVL": Card(417.5e12, 60e12, 4.8e12, _H200),
    "NVIDIA H100": Card(494.5e12, 67e12, 3.35e12, _H100),
    "NVIDIA H100 NVL": Card(417.5e12, 60e12, 3.9e12, _H100),
    "NVIDIA H100 PCIe": Card(378e12, 51e12, 2.0e12, _H100),
    "NVIDIA A100-SXM4-40GB": Card(156e12, 19.5e12, 1.555e12, _A100),
    "NVIDIA A100-SXM4-80GB": Card(156e12, 19.5e12, 2.039e12, _A100),
    "NVIDIA A100-PCIE-40GB": Card(156e12, 19.5e12, 1.555e12, _A100),
    "NVIDIA A100 80GB PCIe": Card(156e12, 19.5e12, 1.935e12, _A100),
    "NVIDIA L4": Card(60e12, 30.3e12, 300e9, "NVIDIA L4 Tensor Core GPU data sheet; half of its TF32"),
    "Tesla V100-SXM2": Card(None, 15.7e12, 900e9, _V100),
    "Tesla V100-PCIE": Card(None, 14e12, 900e9, _V100),
    "Tesla T4": Card(None, 8.1e12, 320e9, "NVIDIA T4 Tensor Core GPU data sheet"),
}


def card(kind: str) -> Card | None:
    """The card of a device kind, None if it is not known here or is a part of a card."""
    fitting = [name for name in CARDS if kind == name or kind.startswith((f"{name} ", f"{name}-"))]
    return CARDS[max(fitting, key=len)] if fitting and " MIG " not in kind else None


def measure(environment: Mapping[str, str], scale: str) -> dict[str, float]:
    """The limits of the processors, found in a process of its own; of scale `tiny` too small to tell much."""
    command = [sys.executable, "-m", "bench.limits", scale]
    said = subprocess.run(command, cwd=ROOT, env=dict(environment), check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(said)
    return found


def _best(call: Callable[[], object], seconds: float) -> float:
    """The least seconds of a call within so many seconds of them, the first left out."""
    call()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times)


def _flops(size: int, seconds: float) -> float:
    one = np.random.default_rng(0).random((size, size), np.float32)
    out = np.empty_like(one)
    return 2 * size**3 / _best(lambda: np.matmul(one, one, out=out), seconds)


def _copied(size: int, seconds: float) -> float:
    source, target = np.ones(size, np.uint8), np.zeros(size, np.uint8)
    parts = [slice(size * i // cores(), size * (i + 1) // cores()) for i in range(cores())]
    with ThreadPoolExecutor(cores()) as pool:

        def copy() -> None:
            list(pool.map(lambda part: np.copyto(target[part], source[part]), parts))

        return 2 * size / _best(copy, seconds)


def main() -> None:
    """The command line."""
    matrix, array, seconds = {"full": (3072, 1 << 28, 0.5), "tiny": (256, 1 << 20, 0.0)}[sys.argv[1]]
    json.dump({"flops": _flops(matrix, seconds), "copied": _copied(array, seconds)}, sys.stdout)


if __name__ == "__main__":
    main()
