"""Libraries in turn, each measurement in a process of its own: A B A B, medians."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench import arithmetic
from bench.agreement import Agreement, Result, compare
from bench.machine import Busy, load
from bench.models import ROOT, Written
from bench.rows import Row
from bench.tasks import tasks_of

PEERS: Mapping[str, str] = {"openvino": "openvino", "bare": "google_crc32c"}
"""Modules that are measured besides, in rows that their tasks know: a library, for information, and the bare work."""

# What changes thread counts, kernels or caches: all libraries run as they come.
_UNSET = (
    "OMP_NUM_THREADS",
    "REGRAFT_KEEP_MEMORY",
    "REGRAFT_MAP_CHECKPOINTS",
    "REGRAFT_ONEDNN",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
    "JAX_COMPILATION_CACHE_DIR",
    "JAX_NUMPY_DTYPE_PROMOTION",
    "JAX_ENABLE_X64",
)

# What a process does that fills the disk cache: it goes on after its first call, as the processes of users do.
_SOME_CALLS = {"warm_s": 0.0, "warm_calls": 4, "measure_s": 0.0, "measure_calls": 1}


@dataclass(frozen=True)
class Options:
    """How to measure.

    modules    what is measured, by its part in the report: `ours`, `reference` with which it is compared, PEERS
    importing  the same for the row that times the import alone
    repeats    processes of each; as each row has it when None
    timeout    seconds that one process may take
    scratch    where working files go; the file system that saving is measured on
    platform   value of JAX_PLATFORMS; as it comes when empty
    scale      of the graphs
    """

    modules: Mapping[str, str]
    importing: Mapping[str, str]
    repeats: int | None = None
    timeout: float = 600.0
    scratch: Path = Path(tempfile.gettempdir())
    platform: str = ""
    scale: str = "full"


@dataclass
class Side:
    """What one library did in a row; `error` ends its part."""

    module: str
    seconds: list[float] = field(default_factory=list)
    peak: list[int] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    phases: list[dict[str, float]] = field(default_factory=list)
    device: str = ""
    device_kind: str = ""
    device_peak: list[int] = field(default_factory=list)
    error: str = ""
    agreement: Agreement | None = None

    def as_json(self) -> dict[str, Any]:
        """Medians and what they are medians of."""
        result: dict[str, Any] = {
            "module": self.module,
            "device": self.device,
            "device_kind": self.device_kind,
            "error": self.error,
            "agreement": asdict(self.agreement) if self.agreement else None,
        }
        if self.seconds:
            names = self.phases[0] if self.phases else {}
            result |= {
                "median_s": median(self.seconds),
                "seconds": self.seconds,
                "median_peak": median(self.peak),
                "peak": self.peak,
                "median_device_peak": median(self.device_peak),
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
    sides = {part: Side(module) for part, module in modules.items() if row.task in tasks_of(module)}
    repeats = options.repeats or row.repeats
    before, busy = load(), Busy.now()
    options.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="regraft-bench-") as name:
        work = Path(name)
        if model is not None:
            model.read_through()
        if row.filler:
            for part, side in sides.items():
                spawn(side, row.filler, model, _SOME_CALLS, work / f"fill-{part}", work / "programs", options)
        for repeat in range(repeats):
            results: dict[str, Result] = {}
            for part, side in sides.items():
                if side.error:
                    continue
                scratch = work / f"{repeat}-{part}"
                shutil.rmtree(work / f"{repeat - 1}-{part}", ignore_errors=True)
                cache = work / ("programs" if row.filler else f"programs-{repeat}-{part}")
                os.sync()
                start = Busy.now()
                outcome = spawn(side, row.task, model, row.parameters, scratch, cache, options)
                if outcome is None:
                    tell(f"{row.name:28} {side.module:22} {repeat + 1}/{repeats}  {side.error}")
                    continue
                side.seconds.append(outcome["seconds"])
                side.peak.append(outcome["peak"])
                side.device_peak.append(outcome["device_peak"])
                side.phases.append(outcome["phases"])
                side.cpu.append(round(Busy.now().ours - start.ours, 3))
                side.device, side.device_kind = outcome["device"], outcome["device_kind"]
                results[part] = Result(outcome["facts"], scratch / "arrays.npz")
                told = f"{outcome['seconds']:12.6f} s {outcome['peak'] / 1e6:8.0f} MB"
                tell(f"{row.name:28} {side.module:22} {repeat + 1}/{repeats} {told}")
            _judge(row, sides, results)
        saved = [part in sides and not sides[part].error for part in ("ours", "reference")]
        if row.task == "saving" and all(saved):
            sides["ours"].agreement = _compare_saved(work, repeats, options)
    loads = {"before": before, "after": load()}
    others = Busy.now().others_since(busy)
    rest = {"work": _work(row, model, options.scale), "repeats": repeats, "load": loads, "others_busy_cores": others}
    return _report(row, sides, rest)


def _judge(row: Row, sides: Mapping[str, Side], results: Mapping[str, Result]) -> None:
    """Compare what the libraries computed in one repeat with what the reference did."""
    if row.task == "importing" or "reference" not in results:
        return
    for part in results.keys() - {"reference", "bare"}:
        found = compare(results[part], results["reference"])
        known = sides[part].agreement
        sides[part].agreement = known.merged(found) if known else found


def _compare_saved(work: Path, repeats: int, options: Options) -> Agreement:
    """The reference library reads what both saved last."""
    judge = Side(options.modules["reference"])
    prefixes = [str(work / f"{repeats - 1}-{part}" / "saved") for part in ("ours", "reference")]
    found = spawn(judge, "comparing_saved", None, {"prefixes": prefixes}, work / "judge", work / "none", options)
    if found is None:
        return Agreement(0, None, f"{judge.module} cannot read: {judge.error}")
    differing = found["facts"]["differing"]
    return Agreement(found["facts"]["tensors"], 0.0, f"differing: {differing}" if differing else "")


def _work(row: Row, model: Written | None, scale: str) -> dict[str, Any] | None:
    """How much is done at least: operations of the arithmetic, or bytes of the variables; None where neither counts."""
    if model is None or row.model is None:
        return None
    if row.task in tasks_of(PEERS["bare"]):
        return {"amount": sum(path.stat().st_size for path in model.data_files()), "unit": "B"}
    counted = arithmetic.read(scale, row.model, row.arithmetic) if row.arithmetic else None
    if counted is None:
        return None
    if "batch" in row.parameters:  # a row of the batch takes its share
        whole = max(len(value) for value in model.inference_feeds().values() if value.ndim)
        counted = counted * row.parameters["batch"] // whole
    return {"amount": counted, "unit": "FLOP"}


def _report(row: Row, sides: Mapping[str, Side], rest: Mapping[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = {
        "row": row.name,
        "group": row.group,
        "title": row.title,
        "model": row.model,
        "goal": row.goal,
        **{part: side.as_json() for part, side in sides.items()},
        "ratio": None,
        "memory_ratio": None,
        **rest,
    }
    ours, reference = sides["ours"], sides.get("reference")
    if reference and ours.seconds and reference.seconds and not (ours.error or reference.error):
        report["memory_ratio"] = median(reference.peak) / median(ours.peak)
        if ours.agreement is None or not ours.agreement.difference:
            report["ratio"] = median(reference.seconds) / median(ours.seconds)
    return report
