"""The page of the API is what its tool writes today, and the names that programs use are there."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def tool() -> Any:
    spec = importlib.util.spec_from_file_location("api_status", ROOT / "tools" / "api_status.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_api_status_page_is_current() -> None:
    status = tool()
    written = status.TARGET.read_text("utf-8")
    assert written == status.page(), "run `python tools/api_status.py`"


def test_names_that_two_programs_use_are_there() -> None:
    status = tool()
    counts = dict(line.split("\t") for line in status.NAMES.read_text("utf-8").splitlines())
    out = ("estimator", "compat.v1.estimator", "keras", "tpu", "contrib.tpu", "contrib.cluster_resolver")
    used = [n for n in counts if int(counts[n]) > 1 and not n.startswith(tuple(f"{o}." for o in out))]
    missing = [name for name in used if status.state(name) not in ("present", "no name of TensorFlow's")]
    assert len(used) > 400
    assert missing == []


def test_a_name_says_why_it_is_missing() -> None:
    state = tool().state
    assert state("reduce_mean") == "present"
    assert state("keras.layers.Dense").startswith("missing: Keras is not part of Regraft")
    assert state("compat.v1.estimator.LinearClassifier").startswith("missing: tf.estimator is not part of Regraft")
    assert state("Varialbe") == "no name of TensorFlow's"
