"""Saving and restoring through sessions, retention, and what is refused; files go to TensorFlow and come from it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regraft import proto
from regraft.base.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError
from regraft.checkpoint import open_checkpoint
from regraft.checkpoint.state import get_checkpoint_state
from regraft.ir.graph import Graph
from regraft.metagraph import import_meta_graph
from regraft.opkit.builder import Builder
from regraft.saver import Saver, latest_checkpoint
from regraft.session import Session
from regraft.variables import SaveSliceInfo, make_variable
from tests import oracle


def model(graph: Graph) -> list[Any]:
    """A reference and a resource variable, and one of strings."""
    return [
        make_variable(graph, [[1.0, 2.0], [3.0, 4.0]], name="v"),
        make_variable(graph, [1, 2, 3], True, name="r"),
        make_variable(graph, [b"one", b"two"], name="s", trainable=False),
    ]


def start(graph: Graph, variables: list[Any]) -> Session:
    session = Session(graph)
    session.run([v.initializer for v in variables])
    return session


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Graph, Session, Saver, str]:
    graph = Graph()
    variables = model(graph)
    saver = Saver(graph)
    session = start(graph, variables)
    return graph, session, saver, str(tmp_path / "model.ckpt")


Trained = tuple[Graph, Session, Saver, str]


def test_there_and_back(trained: Trained) -> None:
    graph, session, saver, path = trained
    assert saver.save(session, path) == path
    assert {Path(path).parent / name for name in ("model.ckpt.index", "model.ckpt.meta", "checkpoint")} <= set(
        Path(path).parent.iterdir()
    )
    other = Session(graph)
    saver.restore(other, path)
    np.testing.assert_array_equal(other.run("v:0"), [[1.0, 2.0], [3.0, 4.0]])
    assert other.run("r/Read/ReadVariableOp:0").tolist() == [1, 2, 3]
    assert other.run("s:0").tolist() == [b"one", b"two"]


def test_the_graph_stays_as_it_is(trained: Trained) -> None:
    graph, session, saver, path = trained
    version = graph.version
    graph.finalize()
    saver.save(session, path, global_step=1)
    saver.restore(session, f"{path}-1")
    assert graph.version == version


def test_tensorflow_goes_on_with_it(trained: Trained) -> None:
    _, session, saver, path = trained
    saver.save(session, path, global_step=7)
    tf = oracle.tensorflow()
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as sess:
        theirs = tf.train.import_meta_graph(f"{path}-7.meta")
        assert tf.train.latest_checkpoint(str(Path(path).parent)) == f"{path}-7"
        theirs.restore(sess, f"{path}-7")
        assert sess.run("v:0").tolist() == [[1.0, 2.0], [3.0, 4.0]]
        assert sess.run("r/Read/ReadVariableOp:0").tolist() == [1, 2, 3]
        assert sess.run("s:0").tolist() == [b"one", b"two"]
        assert theirs.last_checkpoints == []


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("sharded", [False, True])
def test_goes_on_with_tensorflows(tmp_path: Path, version: int, sharded: bool) -> None:
    tf = oracle.tensorflow()
    path = str(tmp_path / "m")
    with tf.Graph().as_default() as their_graph, tf.Session(graph=their_graph) as sess:
        with tf.device("/cpu:0"):
            v = tf.Variable([[1.5, 2.5]], name="v", use_resource=False)
        r = tf.Variable([1, 2], name="r", use_resource=version == 2)
        sess.run([v.initializer, r.initializer])
        saved = tf.train.Saver(write_version=version, sharded=sharded).save(sess, path, global_step=3)
    graph = Graph()
    imported = import_meta_graph(graph, f"{path}-3.meta")
    saver = Saver(graph, saver_def=imported.meta_graph.saver_def)
    session = Session(graph)
    saver.restore(session, saved)
    assert session.run("v:0").tolist() == [[1.5, 2.5]]
    assert session.run(graph.get_collection("variables")[1]).tolist() == [1, 2]
    session.run(saver.saver_def.restore_op_name, {saver.saver_def.filename_tensor_name: saved})
    again = saver.save(session, str(tmp_path / "again"), write_state=False)
    with tf.Graph().as_default() as their_graph, tf.Session(graph=their_graph) as sess:
        theirs = tf.train.import_meta_graph(f"{path}-3.meta")
        theirs.restore(sess, again)
        assert sess.run("v:0").tolist() == [[1.5, 2.5]]


def partitioned(graph: Graph, resource: bool, sizes: list[int]) -> list[Any]:
    parts, at = [], 0
    for i, size in enumerate(sizes):
        value = np.arange(at * 2, (at + size) * 2, dtype=np.float32).reshape(size, 2)
        part = make_variable(graph, value, resource, name=f"w/part_{i}")
        part._set_save_slice_info(SaveSliceInfo("w", [4, 2], [at, 0], [size, 2]))
        parts.append(part)
        at += size
    return parts


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("sizes", [[4], [2, 2], [1, 2, 1]])
def test_partitioned_any_way(tmp_path: Path, resource: bool, sizes: list[int]) -> None:
    path = str(tmp_path / "m")
    graph = Graph()
    variables = partitioned(graph, resource, [1, 3])
    Saver(graph).save(start(graph, variables), path)
    with open_checkpoint(path) as reader:
        assert reader.get_tensor("w").tolist() == np.arange(8.0).reshape(4, 2).tolist()
    other = Graph()
    parts = partitioned(other, resource, sizes)
    session = Session(other)
    Saver(other).restore(session, path)
    values = [session.run(p) for p in parts]
    assert np.concatenate(values).tolist() == np.arange(8.0).reshape(4, 2).tolist()


def test_names_in_the_checkpoint(trained: Trained) -> None:
    graph, session, _, path = trained
    v, r, _ = graph.get_collection("variables")
    Saver(graph, {"one": v, "two": r}).save(session, path)
    with open_checkpoint(path) as reader:
        assert reader.names() == ["one", "two"]
    Saver(graph, {"one": v}).restore(session, path)


def test_shapes_may_be_changed_on_request(tmp_path: Path) -> None:
    path = str(tmp_path / "m")
    graph = Graph()
    Saver(graph, [make_variable(graph, [[1.0, 2.0], [3.0, 4.0]], name="v")]).save(
        start(graph, graph.get_collection("variables")), path
    )
    other = Graph()
    v = make_variable(other, [0.0] * 4, name="v")
    with pytest.raises(InvalidArgumentError, match="Assign requires shapes of both tensors to match"):
        Saver(other).restore(Session(other), path)
    session = Session(other)
    Saver(other, reshape=True).restore(session, path)
    assert session.run(v).tolist() == [1.0, 2.0, 3.0, 4.0]


def test_everything_that_does_not_fit_at_once(trained: Trained) -> None:
    _, session, saver, path = trained
    saver.save(session, path)
    graph = Graph()
    make_variable(graph, [[1.0, 2.0]], name="v")
    make_variable(graph, [1.0, 2.0, 3.0], True, name="r")
    make_variable(graph, [0.0], name="vv")
    make_variable(graph, [0.0], name="entirely_else")
    other = Session(graph)
    wrong = Saver(graph)
    with pytest.raises(NotFoundError) as caught:
        wrong.restore(other, path)
    text = str(caught.value)
    for words in (
        "Restoring from checkpoint failed",
        "missing from the checkpoint",
        "Key vv not found in checkpoint",
        "Key entirely_else not found in checkpoint",
        "tensor_name = r; expected dtype float does not equal original dtype int32",
        "lhs shape= [1,2] rhs shape= [2,2]",
        "not asked for: s",
    ):
        assert words in text
    assert list(other.variables) == []
    assert sorted(wrong.restore(other, path, partial=True)) == ["entirely_else", "r", "v", "vv"]


def test_a_graph_that_changed(trained: Trained) -> None:
    _, session, saver, path = trained
    saver.save(session, path)
    graph = Graph()
    make_variable(graph, [1.0], True, name="r")
    with pytest.raises(InvalidArgumentError, match="a mismatch between the current graph and the graph"):
        Saver(graph).restore(Session(graph), path)


def test_steps(trained: Trained) -> None:
    graph, session, saver, path = trained
    step = make_variable(graph, 5, True, name="step", trainable=False)
    session.run(step.initializer)
    assert saver.save(session, path, global_step=np.int64(3)) == f"{path}-3"
    assert saver.save(session, path, global_step=step) == f"{path}-5"
    assert saver.save(session, path, global_step="step/Read/ReadVariableOp:0") == f"{path}-5"
    assert Saver(graph, pad_step_number=True).save(session, path, global_step=5) == f"{path}-00000005"
    with pytest.raises(TypeError, match="must be a Session"):
        saver.save("no session", path)


def test_the_window(trained: Trained) -> None:
    graph, session, _, path = trained
    saver = Saver(graph, max_to_keep=2)
    made = [saver.save(session, path, global_step=i) for i in range(3)]
    assert saver.last_checkpoints == made[1:]
    folder = Path(path).parent
    assert not list(folder.glob("model.ckpt-0*"))
    assert get_checkpoint_state(folder).all_model_checkpoint_paths == made[1:]
    saver.save(session, path, global_step=1)
    assert saver.last_checkpoints == [made[2], made[1]]
    assert latest_checkpoint(str(folder)) == made[1]
    keeps_all = Saver(graph, max_to_keep=None)
    keeps_all.save(session, path, global_step=9)
    assert keeps_all.last_checkpoints == []
    assert get_checkpoint_state(folder).all_model_checkpoint_paths == [f"{path}-9"]


def test_old_checkpoints_are_kept_every_so_often(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, session, _, path = trained
    now = [1000.0]
    monkeypatch.setattr("regraft.saver.saver.time.time", lambda: now[0])
    saver = Saver(graph, max_to_keep=1, keep_checkpoint_every_n_hours=1.0)
    for step, later in enumerate((0.5, 0.6, 0.2, 0.1)):
        now[0] += later * 3600
        saver.save(session, path, global_step=step, write_meta_graph=False)
    left = sorted(p.name for p in Path(path).parent.glob("*.index"))
    assert left == ["model.ckpt-1.index", "model.ckpt-3.index"]


def test_lists_can_be_set_and_recovered(trained: Trained) -> None:
    graph, session, saver, path = trained
    made = [saver.save(session, path, global_step=i) for i in range(2)]
    other = Saver(graph)
    other.recover_last_checkpoints([*made, f"{path}-77"])
    assert other.last_checkpoints == made
    other.set_last_checkpoints([made[1]])
    assert other.last_checkpoints == [made[1]]
    other.set_last_checkpoints_with_time([(made[0], 1.0)])
    assert other.last_checkpoints == [made[0]]


def test_parts_of_a_save(trained: Trained) -> None:
    _, session, saver, path = trained
    folder = Path(path).parent
    saver.save(session, path, write_meta_graph=False, write_state=False)
    assert sorted(p.name for p in folder.iterdir()) == ["model.ckpt.data-00000-of-00001", "model.ckpt.index"]
    saver.save(session, path, meta_graph_suffix="graph", latest_filename="newest")
    assert (folder / "model.ckpt.graph").exists()
    assert latest_checkpoint(str(folder), "newest") == path


def test_relative_paths(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, session, _, path = trained
    monkeypatch.chdir(Path(path).parent)
    saver = Saver(graph, save_relative_paths=True)
    saver.save(session, path, global_step=1)
    assert '"model.ckpt-1"' in (Path(path).parent / "checkpoint").read_text()
    saver.save(session, "here", global_step=2)
    assert latest_checkpoint(".") == "./here-2"


def test_default_attributes_may_be_left_out(trained: Trained) -> None:
    from regraft.metagraph import read_meta_graph_file

    _, session, saver, path = trained
    saver.save(session, path, strip_default_attrs=True)
    message = read_meta_graph_file(f"{path}.meta")
    assert message.meta_info_def.stripped_default_attrs
    assert not any(
        "use_locking" in n.attr and n.attr["use_locking"].b for n in message.graph_def.node if n.op == "Assign"
    )


def test_nothing_to_save(tmp_path: Path) -> None:
    graph = Graph()
    Builder(graph).constant(1.0)
    with pytest.raises(ValueError, match="No variables to save"):
        Saver(graph)
    saver = Saver(graph, allow_empty=True)
    session = Session(graph)
    assert saver.save(session, str(tmp_path / "m")) is None
    assert (tmp_path / "m.meta").exists()
    assert saver.restore(session, "nowhere") == []


def test_building_later(trained: Trained) -> None:
    graph, session, _, path = trained
    with pytest.raises(ValueError, match="defer_build"):
        Saver(graph, graph.get_collection("variables"), defer_build=True)
    saver = Saver(graph, defer_build=True)
    with pytest.raises(RuntimeError, match="build"):
        saver.save(session, path)
    late = make_variable(graph, 1.0, name="late")
    session.run(late.initializer)
    saver.build()
    saver.save(session, path)
    with open_checkpoint(path) as reader:
        assert reader.names() == ["late", "r", "s", "v"]


REFUSED_LISTS: dict[str, tuple[type[Exception], Any]] = {
    "Variables to save should be passed in a dict or a list": (TypeError, lambda v, r: "text"),
    "Variable to save is not a Variable": (TypeError, lambda v, r: [Builder(v.graph).constant(1.0, name="c")]),
    "At least two variables have the same name: v": (ValueError, lambda v, r: [v, v]),
    "The same saveable will be restored with two names": (ValueError, lambda v, r: {"a": r, "b": r}),
    "Name is not a string": (TypeError, lambda v, r: {1: v}),
    "Not a variable": (TypeError, lambda v, r: {"a": Builder(v.graph).constant(1.0, name="c")}),
    "Slices must all be slices": (ValueError, lambda v, r: {"a": [v]}),
    "Slices must all be Variables": (ValueError, lambda v, r: {"a": [1]}),
}


@pytest.mark.parametrize("words", REFUSED_LISTS)
def test_lists_that_are_refused(words: str) -> None:
    kind, var_list = REFUSED_LISTS[words]
    graph = Graph()
    v, r, _ = model(graph)
    with pytest.raises(kind, match=words):
        Saver(graph, var_list(v, r))


def test_paths_that_are_refused(trained: Trained) -> None:
    _, session, saver, path = trained
    with pytest.raises(ValueError, match="must not contain path components"):
        saver.save(session, path, latest_filename="a/b")
    with pytest.raises(ValueError, match="collides with"):
        saver.save(session, str(Path(path).parent / "checkpoint"))
    assert saver.save(session, str(Path(path).parent / "new" / "m"))
    lost = str(Path(path).parent / "none" / "at all" / "m")
    with pytest.raises(ValueError, match=f"Parent directory of {lost} doesn't exist, can't save."):
        saver.save(session, lost)
    with pytest.raises(ValueError, match="Can't load save_path when it is None"):
        saver.restore(session, None)
    with pytest.raises(ValueError, match="The passed save_path is not a valid checkpoint: "):
        saver.restore(session, lost)


def test_a_variable_without_a_value(trained: Trained) -> None:
    graph, _, saver, path = trained
    with pytest.raises(FailedPreconditionError, match="uninitialized"):
        saver.save(Session(graph), path)
    assert not Path(path + ".index").exists()


def test_saver_defs(trained: Trained) -> None:
    graph, _, saver, _ = trained
    for broken in (proto.SaverDef(), proto.SaverDef(save_tensor_name="x")):
        with pytest.raises(ValueError, match="saver_def must specify the"):
            Saver(graph, saver_def=broken)
    with pytest.raises(ValueError, match="saver_def must be a saver_pb2.SaverDef"):
        Saver(graph, saver_def="text")
    assert saver.as_saver_def() is saver.saver_def
    assert saver.to_proto("elsewhere") is None
    inner = saver.to_proto("save")
    assert inner.restore_op_name == "restore_all"
    again = Saver.from_proto(inner, import_scope="save", graph=graph)
    assert again.saver_def == saver.saver_def


def test_the_first_format_is_warned_about(trained: Trained, caplog: pytest.LogCaptureFixture) -> None:
    graph, session, _, path = trained
    saver = Saver(graph, write_version=1)
    with caplog.at_level(logging.WARNING, "regraft"):
        saver.save(session, path)
    assert "V1 checkpoint format" in caplog.text
    other = Session(graph)
    saver.restore(other, path)
    assert other.run("r/Read/ReadVariableOp:0").tolist() == [1, 2, 3]


def test_object_based_checkpoints(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tf = oracle.tensorflow()
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as sess:
        v = tf.Variable([1.0, 2.0], name="v", use_resource=True)
        checkpoint = tf.train.Checkpoint(inner=v)
        sess.run(v.initializer)
        path = checkpoint.save(str(tmp_path / "object"), session=sess)
    own = Graph()
    mine = make_variable(own, [0.0, 0.0], True, name="v")
    session = Session(own)
    Saver(own).restore(session, path)
    assert session.run(mine).tolist() == [1.0, 2.0]
    assert "object-based checkpoint" in caplog.text
    more = Graph()
    make_variable(more, [0.0], name="other")
    with pytest.raises(NotFoundError, match="Key other not found"):
        Saver(more).restore(Session(more), path)
