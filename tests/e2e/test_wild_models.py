"""Models of strangers: inference and training give what TensorFlow recorded for them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regraft.v1 as tf
from regraft.opkit import registry
from regraft.opkit.registry import Control
from regraft.runtime.planner import variable_name

WILD = Path(__file__).resolve().parents[3] / "shared" / "wild"
pytestmark = pytest.mark.skipif(not WILD.is_dir(), reason="the models of strangers are not beside the checkout")
ENTRIES = json.loads((WILD / "manifest.json").read_text()) if WILD.is_dir() else []
# Diverges by nature, so that only the first step counts (says the README of the set).
FIRST_STEP_ONLY = frozenset({"255BITS__vocal-autoencoder__vocal_ae"})


def synthetic(name: str, dtype: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The value that the set's own rule gives a variable without a checkpoint."""
    spec = importlib.util.spec_from_file_location("synthetic", WILD / "synthetic.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    value: np.ndarray = module.synthetic(name, dtype, shape)
    return value


def opened(entry: dict[str, Any], make_session: Any = tf.Session) -> Any:
    """A session on the model, its variables restored or made by the rule."""
    folder = WILD / entry["id"]
    saver = tf.train.import_meta_graph(str(folder / entry["meta"]), clear_devices=True)
    session = make_session()
    if entry["checkpoint"] and entry["weights"] != "synthetic":
        saver.restore(session, str(folder / entry["checkpoint"]))
    for op in session.graph.get_operations():
        spec = registry.lookup(op.type)
        if spec is not None and spec.control is Control.VARIABLE and variable_name(op) not in session.variables:
            dtype, shape = op.get_attr("dtype").numpy, tuple(op.get_attr("shape").as_list())
            session.variables.assign(variable_name(op), synthetic(op.name, dtype, shape))
    tables = session.graph.get_collection(tf.GraphKeys.TABLE_INITIALIZERS)
    if tables:
        session.run(tables)
    return session


@pytest.mark.parametrize("entry", [pytest.param(e, id=e["id"]) for e in ENTRIES if e["reference"]])
def test_model(entry: dict[str, Any]) -> None:
    with np.load(WILD / entry["id"] / "reference.npz", allow_pickle=True) as data:
        reference = dict(data)
    with tf.Graph().as_default():
        session = opened(entry)
        given = {k.removeprefix("feed:"): v for k, v in reference.items() if k.startswith("feed:")}
        wanted = {k.removeprefix("out:"): v for k, v in reference.items() if k.startswith("out:")}
        for name, value in session.run({name: name for name in wanted}, given).items():
            close(np.asarray(value), wanted[name], 1e-4, name)
        if entry["train_op"]:
            given = {k.removeprefix("trainfeed:"): v for k, v in reference.items() if k.startswith("trainfeed:")}
            loss = entry["loss"] + ":0"
            losses = [session.run(loss, given)]
            for _ in range(3):
                session.run(entry["train_op"], given)
                losses.append(session.run(loss, given))
            count = 2 if entry["id"] in FIRST_STEP_ONLY else 4
            np.testing.assert_allclose(losses[:count], entry["train_losses"][:count], rtol=1e-3, atol=1e-6)


def close(value: np.ndarray, reference: np.ndarray, tolerance: float, name: str) -> None:
    assert value.shape == reference.shape, name
    if reference.dtype.kind != "f":
        np.testing.assert_array_equal(value, reference, err_msg=name)
        return
    scale = max(float(np.abs(reference).max(initial=0.0)), 1e-30)
    np.testing.assert_allclose(value, reference, rtol=0, atol=tolerance * scale, err_msg=name)
