"""Savers in the files of strangers: restored, by the Saver and by its nodes, and saved again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regraft.base.errors import InvalidArgumentError
from regraft.checkpoint import open_checkpoint

WILD = Path(__file__).resolve().parents[3] / "shared" / "wild"
MISFIT = "hxdengBerkeley__cluster-pointnet__pointnet"

pytestmark = pytest.mark.skipif(not WILD.is_dir(), reason="the strangers' models are not beside the project")


def models() -> list[Any]:
    if not WILD.is_dir():
        return []
    manifest = json.loads((WILD / "manifest.json").read_text())
    return [pytest.param(m, id=m["id"]) for m in manifest if m["checkpoint"] and m["id"] != MISFIT]


def values(sess: Any) -> dict[str, Any]:
    return {name: sess.variables.value(name) for name in sess.variables}


@pytest.mark.parametrize("model", models())
def test_there_and_back(rg, model: Any, tmp_path: Path) -> None:
    folder = WILD / model["id"]
    prefix = str(folder / model["checkpoint"])
    saver = rg.train.import_meta_graph(str(folder / model["meta"]), clear_devices=True)
    with open_checkpoint(prefix) as reader:
        wanted = reader.get_tensors()
    with rg.Session() as sess, rg.Session() as by_nodes:
        saver.restore(sess, prefix)
        d = saver.as_saver_def()
        by_nodes.run(d.restore_op_name, {d.filename_tensor_name: prefix})
        restored, ran = values(sess), values(by_nodes)
        assert restored.keys() == ran.keys()
        for name, value in restored.items():
            np.testing.assert_array_equal(value, ran[name])
        path = saver.save(sess, str(tmp_path / "m"), write_meta_graph=False)
    with open_checkpoint(path) as reader:
        saved = reader.get_tensors()
    assert saved.keys() == wanted.keys()
    for name, value in saved.items():
        np.testing.assert_array_equal(value, wanted[name])


def test_a_checkpoint_of_other_shapes(rg) -> None:
    """The error names variables and both shapes; what fits is restored on request."""
    prefix = str(WILD / MISFIT / "model.ckpt")
    saver = rg.train.import_meta_graph(f"{prefix}.meta", clear_devices=True)
    with rg.Session() as sess:
        words = r"lhs shape= \[64,40\] rhs shape= \[.*\]: variable '.*', key '"
        with pytest.raises(InvalidArgumentError, match=words) as caught:
            saver.restore(sess, prefix)
        assert not list(sess.variables)
        left = saver.restore(sess, prefix, partial=True)
        assert left
        assert all(f"key {key!r}" in str(caught.value) for key in left)
        assert list(sess.variables)
