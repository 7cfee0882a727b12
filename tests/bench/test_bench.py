"""The rows of the benchmark at tiny sizes, Regraft and TensorFlow: the same results. Nothing is said about times."""

from __future__ import annotations

import importlib
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import models, plot, table
from bench.__main__ import main
from bench.agreement import Result, compare
from bench.harness import Options, measure
from bench.memory import peak_memory
from bench.rows import Row, pick, rows
from bench.tasks import TASKS, Job, Outcome
from tests import oracle

needs_tensorflow = pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed")
ROWS = [row for row in rows("tiny") if row.model is not None and row.cache == "empty"]


@pytest.fixture(scope="module")
def written(request: pytest.FixtureRequest) -> dict[str, models.Written]:
    """All tiny models, kept between runs."""
    cache = Path(request.config.cache.mkdir("regraft-bench"))
    return models.ensure(cache, "tiny", models.TINY)


def perform(tf: Any, row: Row, model: models.Written, scratch: Path) -> Outcome:
    scratch.mkdir()
    now = time.monotonic_ns()
    return TASKS[row.task](Job(tf, model, row.parameters, scratch, now, now, now, peak_memory()))


def result(outcome: Outcome, scratch: Path) -> Result:
    np.savez(scratch / "arrays.npz", **dict(outcome.arrays))
    return Result(outcome.facts, scratch / "arrays.npz")


@needs_tensorflow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(row: Row, written: dict[str, models.Written], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert row.model is not None
    monkeypatch.setenv("REGRAFT_CACHE_DIR", str(tmp_path / "programs"))
    reference_tf = oracle.tensorflow()
    ours = perform(importlib.import_module("regraft.v1"), row, written[row.model], tmp_path / "ours")
    reference = perform(reference_tf, row, written[row.model], tmp_path / "reference")
    assert ours.seconds > 0.0
    assert ours.peak > 1_000_000
    if row.task == "saving":
        prefixes = [str(tmp_path / side / "saved") for side in ("ours", "reference")]
        judge = perform(
            reference_tf,
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
    assert cold["agreement"]["worst"] < 1e-3
    assert set(cold["ours"]["phases"]) == {"python", "import", "open", "restore", "run"}
    assert sum(cold["ours"]["phases"].values()) == pytest.approx(cold["ours"]["median_s"])
    assert main(["table", str(tmp_path / "one.json")]) == 0
    assert capsys.readouterr().out == (tmp_path / "one.md").read_text()
    assert main(["plot", str(tmp_path / "one.json")]) == 0


def test_failing_side_is_told(tmp_path: Path) -> None:
    row = Row("import/module", "import", "importing")
    options = Options(importing=("no_such_module", "json"), repeats=2, scratch=tmp_path)
    found = measure(row, None, options, lambda words: None)
    assert found["ours"]["error"] == "ModuleNotFoundError: No module named 'no_such_module'"
    assert len(found["reference"]["seconds"]) == 2
    assert found["ratio"] is None
    assert not list(tmp_path.iterdir())


def test_late_side_is_told(tmp_path: Path) -> None:
    options = Options(importing=("json", "json"), repeats=1, scratch=tmp_path, timeout=0.001)
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


def test_a_wrong_answer_has_no_ratio() -> None:
    side = {"module": "m", "device": "cpu", "error": "", "median_s": 0.002, "seconds": [0.002], "median_peak": 5e6}
    row = {"row": "inference/mlp", "group": "inference", "title": "inference", "goal": 1, "memory_ratio": 1.0}
    row |= {"ours": {**side, "phases": {}}, "reference": {**side, "error": "OpError: a|b"}, "others_busy_cores": 0.5}
    row |= {"ratio": None, "agreement": {"compared": 1, "worst": 0.2, "difference": "logits:0: 2.0e-01 apart"}}
    report = {
        "modules": {"ours": "A", "reference": "B"},
        "machine": {
            "cpu": "c",
            "cores": 2,
            "memory_gb": 8,
            "system": "s",
            "python": "3",
            "versions": {},
            "commit": "0",
        },
        "options": {"scale": "tiny", "repeats": 1},
        "started": "now",
        "ended": None,
        "sources_changed": True,
        "load": {"before": [0, 0, 0], "after": None},
        "rows": [row],
    }
    text = table.markdown(report)
    assert "| 2.00 ms | `OpError: a\\|b` |  | 1.00 |  | **differs**: logits:0: 2.0e-01 apart |" in text
    assert "not quiet in 1 of 1 rows" in text
    assert "sources changed" in text


def test_durations() -> None:
    given = (12.345, 1.2345, 0.012345, 1.2345e-5, 123.4)
    assert [table.duration(value) for value in given] == ["12.3 s", "1.23 s", "12.3 ms", "12.3 µs", "123 s"]


def test_pick() -> None:
    table_of_rows = rows("full")
    names = [row.name for row in table_of_rows]
    assert len(set(names)) == len(names)
    assert [row.name for row in pick(table_of_rows, ["open/nodes_*"])] == [f"open/nodes_{n}k" for n in (1, 10, 50, 100)]
    assert {row.group for row in pick(table_of_rows, ["training"])} == {"training"}
    assert "restore/4gb" not in {row.name for row in pick(table_of_rows, [])}
    with pytest.raises(ValueError, match="no row is called 'nothing'"):
        pick(table_of_rows, ["nothing"])


def test_plot_points(tmp_path: Path) -> None:
    side = {"error": "", "module": "a", "median_s": 1.5}
    failed = {"error": "OpError", "module": "b"}
    report = {
        "rows": [
            {"row": "open/nodes_10k", "group": "open", "ours": side, "reference": failed},
            {"row": "open/mlp", "group": "open", "ours": side, "reference": failed},
            {"row": "save/0.1gb", "group": "save", "ours": side, "reference": failed},
        ]
    }
    assert plot.points(report) == [("open", "a", 10.0, 1.5), ("save", "a", 0.1, 1.5)]
    assert (tmp_path / "x-linearity.csv") in plot.write(report, tmp_path / "x")
