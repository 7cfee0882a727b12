"""The rows of the benchmark at tiny sizes, Regraft and TensorFlow: the same results. Nothing is said about times."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import arithmetic, limits, models, plot, table
from bench.__main__ import main
from bench.agreement import Result, compare
from bench.harness import Options, measure
from bench.memory import peak_memory
from bench.rows import Row, pick, rows
from bench.tasks import Job, Outcome, steady, tasks_of
from tests import oracle
from tests.models.lstm import LstmConfig
from tests.models.mlp import MlpConfig

needs_tensorflow = pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed")
MLP, LSTM = MlpConfig(), LstmConfig()
ROWS = [row for row in rows("tiny") if row.model is not None and row.filler is None]


@pytest.fixture(scope="module")
def written(request: pytest.FixtureRequest) -> dict[str, models.Written]:
    """All tiny models, kept between runs."""
    cache = Path(request.config.cache.mkdir("regraft-bench"))
    return models.ensure(cache, "tiny", models.TINY)


def perform(module: str, row: Row, model: models.Written, scratch: Path) -> Outcome:
    scratch.mkdir()
    now = time.monotonic_ns()
    library = oracle.tensorflow() if module.startswith("tensorflow") else importlib.import_module(module)
    job = Job(library, model, row.parameters, scratch, now, now, now, peak_memory())
    return tasks_of(module)[row.task](job)


def result(outcome: Outcome, scratch: Path) -> Result:
    np.savez(scratch / "arrays.npz", **dict(outcome.arrays))
    return Result(outcome.facts, scratch / "arrays.npz")


@needs_tensorflow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(row: Row, written: dict[str, models.Written], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert row.model is not None
    monkeypatch.setenv("REGRAFT_CACHE_DIR", str(tmp_path / "programs"))
    ours = perform("regraft.v1", row, written[row.model], tmp_path / "ours")
    reference = perform("tensorflow.compat.v1", row, written[row.model], tmp_path / "reference")
    assert ours.seconds > 0.0
    assert ours.peak > 1_000_000
    if row.task == "saving":
        prefixes = [str(tmp_path / side / "saved") for side in ("ours", "reference")]
        judge = perform(
            "tensorflow.compat.v1",
            replace(row, task="comparing_saved", parameters={"prefixes": prefixes}),
            written[row.model],
            tmp_path / "judge",
        )
        assert judge.facts["tensors"] > 0
        assert judge.facts["differing"] == ""
    else:
        found = compare(result(ours, tmp_path / "ours"), result(reference, tmp_path / "reference"))
        assert found.difference == ""
        assert found.compared > 0


@needs_tensorflow
def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> None:
    """From the command line to the table, through processes of their own; Regraft on both sides, it starts faster."""
    cache = str(request.config.cache.mkdir("regraft-bench"))
    where = [
        "--ours",
        "regraft.v1",
        "--reference",
        "regraft.v1",
        "--scale",
        "tiny",
        "--repeats",
        "1",
        "--name",
        "one",
        "--out",
        str(tmp_path),
        "--cache",
        cache,
    ]
    assert main(["run", "--rows", "import", "cold_cached/mlp", *where]) == 0
    assert capsys.readouterr().out == (tmp_path / "one.md").read_text()
    report = json.loads((tmp_path / "one.json").read_text())
    imported, cold = report["rows"]
    assert imported["ratio"] > 0
    assert cold["ours"]["agreement"]["worst"] < 1e-3
    assert set(cold["ours"]["phases"]) == {"python", "import", "open", "restore", "run"}
    assert sum(cold["ours"]["phases"].values()) == pytest.approx(cold["ours"]["median_s"])
    assert main(["table", str(tmp_path / "one.json")]) == 0
    assert capsys.readouterr().out == (tmp_path / "one.md").read_text()
    assert main(["plot", str(tmp_path / "one.json")]) == 0
    assert main(["list", "--rows", "import", "--repeats", "7"]) == 0
    assert capsys.readouterr().out.splitlines()[-2].startswith("import/module                7 repeats, ")


def test_failing_side_is_told(tmp_path: Path) -> None:
    row = Row("import/module", "import", "importing")
    options = Options({}, {"ours": "no_such_module", "reference": "json"}, repeats=2, scratch=tmp_path)
    found = measure(row, None, options, lambda words: None)
    assert found["ours"]["error"] == "ModuleNotFoundError: No module named 'no_such_module'"
    assert len(found["reference"]["seconds"]) == 2
    assert found["ratio"] is None
    assert not list(tmp_path.iterdir())


def test_late_side_is_told(tmp_path: Path) -> None:
    options = Options({}, {"ours": "json", "reference": "json"}, repeats=1, scratch=tmp_path, timeout=0.001)
    found = measure(Row("import/module", "import", "importing"), None, options, lambda words: None)
    assert found["ours"]["error"] == "no answer after 0.001 s"


def stored(folder: Path, name: str, **arrays: Any) -> Result:
    np.savez(folder / name, **arrays)
    return Result({}, folder / f"{name}.npz")


def test_compare(tmp_path: Path) -> None:
    wanted = stored(tmp_path, "wanted", x=np.array([1.0, 100.0]))
    near = compare(stored(tmp_path, "near", x=np.array([1.05, 100.0])), wanted)
    assert near.worst == pytest.approx(5e-4)
    assert near.difference == ""
    assert "x: 2.0e-03 apart" in compare(stored(tmp_path, "far", x=np.array([1.2, 100.0])), wanted).difference
    assert "inf apart" in compare(stored(tmp_path, "nan", x=np.array([np.nan, 100.0])), wanted).difference
    assert "float32" in compare(stored(tmp_path, "type", x=np.array([1, 100], np.float32)), wanted).difference
    assert "(1,)" in compare(stored(tmp_path, "shape", x=np.array([1.0])), wanted).difference
    assert "arrays ['y']" in compare(stored(tmp_path, "name", y=np.array([1.0])), wanted).difference
    assert compare(Result({"nodes": 3}), Result({"nodes": 4})).difference == "nodes: 3, not 4"


def reported(rows: list[dict[str, Any]], **modules: str) -> dict[str, Any]:
    """A report around rows."""
    machine = {"cpu": "c", "cores": 2, "memory_gb": 8, "system": "s", "python": "3", "versions": {}, "commit": "0"}
    return {
        "modules": modules,
        "machine": machine,
        "limits": {"flops": 100e9, "copied": 10e9},
        "notes": [],
        "options": {"scale": "tiny", "repeats": 1, "limit": None},
        "started": "now",
        "ended": None,
        "sources_changed": True,
        "load": {"before": [0, 0, 0], "after": None},
        "rows": rows,
    }


def side(seconds: float | None, error: str = "", difference: str = "", device: str = "cpu") -> dict[str, Any]:
    found = {"module": "m", "device": "cpu" if device == "cpu" else "gpu", "device_kind": device, "error": error}
    found["agreement"] = {"compared": 1, "worst": 0.2, "difference": difference} if difference else None
    if seconds is not None:
        found |= {"median_s": seconds, "seconds": [seconds], "median_peak": 5e6, "median_device_peak": 0, "phases": {}}
    return found


def lined(name: str, work: dict[str, Any] | None, **sides: dict[str, Any]) -> dict[str, Any]:
    row = {"row": name, "group": name.partition("/")[0], "title": "title", "goal": 1, "work": work, **sides}
    return row | {"ratio": None, "memory_ratio": None, "repeats": 1, "others_busy_cores": 0.5}


def test_a_wrong_answer_has_no_ratio() -> None:
    ours, reference = side(0.002, difference="logits:0: 2.0e-01 apart"), side(None, "OpError: a`b")
    text = table.markdown(
        reported([lined("inference/mlp", None, ours=ours, reference=reference)], ours="A", reference="B")
    )
    assert "| 2.00 ms | error |  | 1.00 |  | **differs** | 5 MB |  |  |" in text
    assert "- inference/mlp: A differs: `logits:0: 2.0e-01 apart`\n- inference/mlp: B fails: `OpError: a'b`" in text
    assert "not quiet in 1 of 1 rows" in text
    assert "sources changed" in text


def test_work_is_told_against_its_limit() -> None:
    arithmetic = {"amount": 4e9, "unit": "FLOP"}
    rows = [
        lined("inference/mlp", arithmetic, ours=side(0.1), reference=side(0.2), openvino=side(0.05)),
        lined("inference/cnn", arithmetic, ours=side(0.1), reference=side(0.2), openvino=side(None, "no")),
        lined("inference/gpu", arithmetic, ours=side(1e-4, device="Tesla T4"), reference=side(0.2)),
        lined("save/1gb", {"amount": 1e9, "unit": "B"}, ours=side(0.5), reference=side(1), bare=side(0.25)),
    ]
    text = table.markdown(reported(rows, ours="A", reference="B", openvino="O", bare="the bare work"))
    assert "|  | 50.0 ms (0.50) |" in text
    assert "- inference/cnn: O fails: `no`" in text
    rates = "| 4.00 GFLOP | 40.0 GFLOP/s | 20.0 GFLOP/s |"
    assert f"`inference/mlp` {rates} 80.0 GFLOP/s | 100 GFLOP/s, matrix product | 40% |" in text
    assert f"`inference/cnn` {rates}  | 100 GFLOP/s, matrix product | 40% |" in text
    assert "| 40.0 TFLOP/s | 20.0 GFLOP/s |  | 8.10 TFLOP/s, data sheet |" in text
    assert "- Tesla T4: 8.10 TFLOP/s in float32, memory 320 GB/s (NVIDIA T4" in text
    assert "| 1.00 GB | 2.00 GB/s | 1.00 GB/s |  | 4.00 GB/s, bare work | 50% |" in text


def test_alone() -> None:
    text = table.markdown(reported([lined("inference/mlp", None, ours=side(0.002))], ours="A"))
    assert "| row | A | spread | memory, A |" in text
    assert "| 2.00 ms |  | 5 MB |" in text


def test_cards() -> None:
    sxm, pcie = limits.card("NVIDIA H100 80GB HBM3"), limits.card("NVIDIA H100 PCIe")
    assert sxm is not None
    assert pcie is not None
    assert (sxm.flops, pcie.flops) == (494.5e12, 378e12)
    assert limits.card("NVIDIA L40S") is None
    assert limits.card("NVIDIA H100 80GB HBM3 MIG 1g.10gb") is None


@needs_tensorflow
def test_arithmetic_is_counted_anew(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """What the repository keeps is what TensorFlow runs; after a change of a model run `python -m bench.arithmetic`."""
    cache = str(request.config.cache.mkdir("regraft-bench"))
    names = ["mlp", "cnn", "lstm", "data"]
    command = [sys.executable, "-m", "bench.arithmetic", *names, "--scale", "tiny", "--cache", cache]
    subprocess.run([*command, "--out", str(tmp_path / "found.json")], cwd=models.ROOT, check=True, capture_output=True)
    kept = json.loads(arithmetic.FILE.read_text())["tiny"]
    assert json.loads((tmp_path / "found.json").read_text()) == {"tiny": {name: kept[name] for name in names}}


@pytest.mark.parametrize("scale", ["tiny", "full"])
def test_arithmetic_is_kept_for_all_rows(scale: str) -> None:
    counted = [row for row in rows(scale) if row.arithmetic]
    assert all(row.model and row.arithmetic and arithmetic.read(scale, row.model, row.arithmetic) for row in counted)


def test_arithmetic() -> None:
    """Products of an MLP and of an LSTM's turns; the gradient towards what is fed is not part of the work."""
    batch, inputs, hidden, classes = MLP.batch, MLP.inputs, MLP.hidden, MLP.classes
    first, rest = 2 * batch * inputs * hidden, 2 * batch * (hidden * hidden + hidden * classes)
    assert arithmetic.read("tiny", "mlp", "inference") == first + rest
    assert arithmetic.read("tiny", "mlp", "training") == 2 * first + 3 * rest
    cells = [(LSTM.embedding + LSTM.hidden) * 4 * LSTM.hidden, 2 * LSTM.hidden * 4 * LSTM.hidden]
    turn = 2 * LSTM.batch * (sum(cells) + LSTM.hidden * LSTM.vocabulary)
    assert arithmetic.read("tiny", "lstm", "inference") == turn * LSTM.steps
    assert arithmetic.read("tiny", "data", "inference") is None


@needs_tensorflow
def test_bare_work(written: dict[str, models.Written], tmp_path: Path) -> None:
    for task in ("restoring", "saving"):
        outcome = perform("google_crc32c", Row("bare/bare", "", task), written["1gb"], tmp_path / task)
        assert outcome.seconds > 0.0
    [saved] = (tmp_path / "saving").iterdir()
    assert saved.read_bytes() == written["1gb"].data_files()[0].read_bytes()


@needs_tensorflow
def test_openvino(written: dict[str, models.Written], tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    row = next(row for row in rows("tiny") if row.name == "inference/resnet50_1")
    one = perform("openvino", row, written["resnet50"], tmp_path / "one")
    other = perform("tensorflow.compat.v1", row, written["resnet50"], tmp_path / "other")
    assert compare(result(one, tmp_path / "one"), result(other, tmp_path / "other")).difference == ""


def test_durations() -> None:
    given = (12.345, 1.2345, 0.012345, 1.2345e-5, 123.4)
    assert [table.duration(value) for value in given] == ["12.3 s", "1.23 s", "12.3 ms", "12.3 µs", "123 s"]


def test_pick() -> None:
    table_of_rows = rows("full")
    names = [row.name for row in table_of_rows]
    assert len(set(names)) == len(names)
    assert [row.name for row in pick(table_of_rows, ["open/nodes_*"])] == [f"open/nodes_{n}k" for n in (1, 10, 50, 100)]
    assert {row.group for row in pick(table_of_rows, ["training"])} == {"training"}
    assert [row.name for row in pick(table_of_rows, ["linear"])][4:-3] == [
        *(f"plan/nodes_{n}k" for n in (1, 10, 50, 100)),
        *(f"restore/{n}gb" for n in ("0.1", "1", "4")),
    ]
    assert "restore/4gb" not in {row.name for row in pick(table_of_rows, [])}
    with pytest.raises(ValueError, match="no row is called 'nothing'"):
        pick(table_of_rows, ["nothing"])


def test_plot_points(tmp_path: Path) -> None:
    report = reported(
        [
            lined("open/nodes_10k", None, ours=side(1.5), reference=side(None, "OpError")),
            lined("open/mlp", None, ours=side(1.5)),
            lined("save/0.1gb", None, ours=side(1.5), bare=side(1.0)),
        ],
        ours="A",
        reference="B",
        bare="C",
    )
    assert plot.points(report) == [("open", "ours", 10.0, 1.5), ("save", "bare", 0.1, 1.0), ("save", "ours", 0.1, 1.5)]
    written = tmp_path / "new" / "x-linearity.csv"
    assert written in plot.write(report, tmp_path / "new" / "x")
    assert "save,C,0.1,1.0" in written.read_text()


def test_warming_up_goes_on_after_the_slowest_call() -> None:
    lasting = [0.02, 0.0, 0.06]
    calls = 0

    def call() -> int:
        nonlocal calls
        calls += 1
        time.sleep(lasting[calls - 1] if calls <= len(lasting) else 0.0)
        return calls

    last, seconds, phases = steady(call, {"warm_s": 0.0, "warm_calls": 2, "measure_s": 0.0, "measure_calls": 3})
    assert last == calls == 3 + 2 + 3
    assert seconds < 0.02
    assert phases["first call"] >= 0.02
    assert phases["warm-up"] >= 0.08
