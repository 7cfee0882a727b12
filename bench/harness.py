"""Two libraries in turn, each measurement in a process of its own: A B A B, medians."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.agreement import Agreement, Result, compare
from bench.machine import Busy, load
from bench.models import ROOT, Written
from bench.rows import Row

# What changes thread counts, kernels or caches: both libraries run as they come.
_UNSET = (
    "OMP_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
    "JAX_COMPILATION_CACHE_DIR",
    "JAX_NUMPY_DTYPE_PROMOTION",
    "JAX_ENABLE_X64",
)


@dataclass(frozen=True)
class Options:
    """How to measure.

    modules    what is measured and what it is compared with
    importing  the same for the row that times the import alone
    repeats    processes of each
    timeout    seconds that one process may take
    scratch    where working files go; the file system that saving is measured on
    platform   value of JAX_PLATFORMS; as it comes when empty
    """

    modules: tuple[str, str] = ("regraft.v1", "tensorflow.compat.v1")
    importing: tuple[str, str] = ("regraft.v1", "tensorflow")
    repeats: int = 5
    timeout: float = 600.0
    scratch: Path = Path(tempfile.gettempdir())
    platform: str = ""


@dataclass
class Side:
    """What one library did in a row; `error` ends its part."""

    module: str
    seconds: list[float] = field(default_factory=list)
    peak: list[int] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    phases: list[dict[str, float]] = field(default_factory=list)
    device: str = ""
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        """Medians and what they are medians of."""
        result: dict[str, Any] = {"module": self.module, "device": self.device, "error": self.error}
        if self.seconds:
            names = self.phases[0] if self.phases else {}
            result |= {
                "median_s": median(self.seconds),
                "seconds": self.seconds,
                "median_peak": median(self.peak),
                "peak": self.peak,
                "process_cpu_s": self.cpu,
                "phases": {name: median(phase[name] for phase in self.phases) for name in names},
            }
        return result


def environment(cache: Path, platform: str) -> dict[str, str]:
    """The environment of a measured process; `cache` becomes Regraft's disk cache."""
    kept = {name: value for name, value in os.environ.items() if name not in _UNSET}
    kept |= {"TF_CPP_MIN_LOG_LEVEL": "3", "REGRAFT_CACHE_DIR": str(cache)}
    if platform:
        kept["JAX_PLATFORMS"] = platform
    return kept


def spawn(
    side: Side,
    task: str,
    model: Written | None,
    parameters: Mapping[str, Any],
    scratch: Path,
    cache: Path,
    options: Options,
) -> dict[str, Any] | None:
    """Run one process and give what it left; or note the error on `side` and give None."""
    scratch.mkdir(parents=True)
    command = [sys.executable, "-m", "bench.worker", side.module, task]
    rest = [str(model.folder if model else scratch), str(scratch), json.dumps(dict(parameters))]
    said = scratch / "stderr"
    with said.open("wb") as stderr:
        started = str(time.monotonic_ns())
        process = subprocess.Popen(
            [*command, started, *rest],
            cwd=ROOT,
            env=environment(cache, options.platform),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        try:
            status = process.wait(options.timeout)
        except subprocess.TimeoutExpired:
            side.error = f"no answer after {options.timeout:g} s"
            return None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if status:
        lines = said.read_text(errors="replace").strip().splitlines()
        side.error = _last_words(lines) or f"exit status {status}"
        return None
    outcome: dict[str, Any] = json.loads((scratch / "outcome.json").read_text())
    return outcome


def _last_words(lines: list[str]) -> str:
    """The exception of a traceback: its line and what follows."""
    for number in range(len(lines) - 1, -1, -1):
        if lines[number].startswith("  File "):
            after = [line for line in lines[number + 1 :] if line and not line.startswith(" ")]
            return " ".join(after)[:500] or lines[-1]
    return lines[-1][:500] if lines else ""


def measure(row: Row, model: Written | None, options: Options, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure one row and give its part of the report."""
    modules = options.importing if row.task == "importing" else options.modules
    sides = [Side(module) for module in modules]
    agreement: Agreement | None = None
    before, busy = load(), Busy.now()
    options.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="regraft-bench-") as name:
        work = Path(name)
        if model is not None:
            model.read_through()
        if row.cache == "filled":
            for number, side in enumerate(sides):
                one = work / f"fill-{number}"
                spawn(side, row.task, model, row.parameters, one, work / "programs", options)
        for repeat in range(options.repeats):
            results: list[Result | None] = []
            for number, side in enumerate(sides):
                results.append(None)
                if side.error:
                    continue
                scratch = work / f"{repeat}-{number}"
                shutil.rmtree(work / f"{repeat - 1}-{number}", ignore_errors=True)
                cache = work / ("programs" if row.cache == "filled" else f"programs-{repeat}-{number}")
                os.sync()
                start = Busy.now()
                outcome = spawn(side, row.task, model, row.parameters, scratch, cache, options)
                if outcome is None:
                    tell(f"{row.name:28} {side.module:22} {repeat + 1}/{options.repeats}  {side.error}")
                    continue
                side.seconds.append(outcome["seconds"])
                side.peak.append(outcome["peak"])
                side.phases.append(outcome["phases"])
                side.cpu.append(round(Busy.now().ours - start.ours, 3))
                side.device = outcome["device"]
                results[number] = Result(outcome["facts"], scratch / "arrays.npz")
                told = f"{outcome['seconds']:12.6f} s {outcome['peak'] / 1e6:8.0f} MB"
                tell(f"{row.name:28} {side.module:22} {repeat + 1}/{options.repeats} {told}")
            ours, reference = results
            if ours is not None and reference is not None and row.task != "importing":
                found = compare(ours, reference)
                agreement = found if agreement is None else agreement.merged(found)
        if row.task == "saving" and not any(side.error for side in sides):
            agreement = _compare_saved(work, options)
    others = Busy.now().others_since(busy)
    return _report(row, sides, agreement, {"before": before, "after": load()}, others)


def _compare_saved(work: Path, options: Options) -> Agreement:
    """The reference library reads what both saved last."""
    judge = Side(options.modules[1])
    prefixes = [str(work / f"{options.repeats - 1}-{number}" / "saved") for number in (0, 1)]
    found = spawn(judge, "comparing_saved", None, {"prefixes": prefixes}, work / "judge", work / "none", options)
    if found is None:
        return Agreement(0, None, f"{judge.module} cannot read: {judge.error}")
    differing = found["facts"]["differing"]
    return Agreement(found["facts"]["tensors"], 0.0, f"differing: {differing}" if differing else "")


def _report(
    row: Row, sides: list[Side], agreement: Agreement | None, loads: dict[str, Any], others: float | None
) -> dict[str, Any]:
    ours, reference = sides
    report: dict[str, Any] = {
        "row": row.name,
        "group": row.group,
        "title": row.title,
        "model": row.model,
        "goal": row.goal,
        "ours": ours.as_json(),
        "reference": reference.as_json(),
        "ratio": None,
        "memory_ratio": None,
        "agreement": None,
        "load": loads,
        "others_busy_cores": others,
    }
    if agreement is not None:
        report["agreement"] = {
            "compared": agreement.compared,
            "worst": agreement.worst,
            "difference": agreement.difference,
        }
    if ours.seconds and reference.seconds and not (ours.error or reference.error):
        report["memory_ratio"] = median(reference.peak) / median(ours.peak)
        if agreement is None or not agreement.difference:
            report["ratio"] = median(reference.seconds) / median(ours.seconds)
    return report
