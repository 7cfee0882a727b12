"""The Saver that import_meta_graph returns, SaverDefs in scopes and collections, and the .meta that a Saver exports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from regraft.base.errors import FailedPreconditionError
from tests import oracle


@pytest.fixture
def prefix(tf, session, tmp_path: Path) -> str:
    """A graph with variables v and scope/w, its Saver, and a checkpoint."""
    with tf.Graph().as_default():
        tf.Variable([1.0, 2.0], name="v")
        tf.Variable(3, name="scope/w", use_resource=True)
        with session(tf) as sess:
            return tf.train.Saver(max_to_keep=2).save(sess, str(tmp_path / "m"), global_step=1)


def restored(tf: Any, saver: Any, prefix: str, scope: str = "") -> bool:
    """Whether the Saver gives the variables below `scope` their values."""
    v, w = (next(x for x in tf.global_variables() if x.op.name == scope + name) for name in ("v", "scope/w"))
    with tf.Session() as sess:
        saver.restore(sess, prefix)
        return sess.run(v).tolist() == [1.0, 2.0] and sess.run(w) == 3


def names(saver: Any) -> tuple[str, str, str]:
    d = saver.as_saver_def()
    return d.filename_tensor_name, d.save_tensor_name, d.restore_op_name


def test_the_saver_of_the_file(tf, prefix: str) -> None:
    saver = tf.train.import_meta_graph(f"{prefix}.meta")
    assert isinstance(saver, tf.train.Saver)
    assert names(saver) == ("save/Const:0", "save/control_dependency:0", "save/restore_all")
    assert saver.as_saver_def().max_to_keep == 2
    assert restored(tf, saver, prefix)


def test_below_a_scope(tf, prefix: str) -> None:
    saver = tf.train.import_meta_graph(f"{prefix}.meta", import_scope="new")
    assert names(saver) == ("new/save/Const:0", "new/save/control_dependency:0", "new/save/restore_all")
    assert restored(tf, saver, prefix, "new/")


def test_below_a_scope_twice(tf, prefix: str) -> None:
    """The second gets a scope of its own, and a Saver for it."""
    first = tf.train.import_meta_graph(f"{prefix}.meta", import_scope="new")
    second = tf.train.import_meta_graph(f"{prefix}.meta", import_scope="new")
    assert names(second)[2] == "new_1/save/restore_all"
    assert restored(tf, first, prefix, "new/")
    assert restored(tf, second, prefix, "new_1/")


def test_in_a_name_scope(tf, prefix: str) -> None:
    with tf.name_scope("outer"):
        saver = tf.train.import_meta_graph(f"{prefix}.meta")
        inner = tf.train.import_meta_graph(f"{prefix}.meta", import_scope="inner")
    assert names(saver)[2] == "outer/save/restore_all"
    assert names(inner)[2] == "outer/inner/save/restore_all"
    assert restored(tf, saver, prefix, "outer/")
    assert restored(tf, inner, prefix, "outer/inner/")


def test_twice_at_the_root(rg, prefix_of_ours: str) -> None:
    """The second Saver restores the second variables; in TensorFlow it is the first ones that it restores."""
    prefix = prefix_of_ours
    first = rg.train.import_meta_graph(f"{prefix}.meta")
    second = rg.train.import_meta_graph(f"{prefix}.meta")
    assert names(first) != names(second)
    one, two = (v for v in rg.global_variables() if v.op.type == "VariableV2")
    with rg.Session() as sess:
        second.restore(sess, prefix)
        assert sess.run(two).tolist() == [1.0, 2.0]
        with pytest.raises(FailedPreconditionError):
            sess.run(one)
        first.restore(sess, prefix)
        assert sess.run(one).tolist() == [1.0, 2.0]


@pytest.fixture
def prefix_of_ours(rg, session, tmp_path: Path) -> str:
    with rg.Graph().as_default():
        rg.Variable([1.0, 2.0], name="v")
        rg.Variable(3, name="scope/w", use_resource=True)
        with session(rg) as sess:
            return rg.train.Saver().save(sess, str(tmp_path / "m"))


def exported(tf: Any, *values: str, path: Path) -> str:
    """A .meta without a SaverDef, of a graph with these variables."""
    with tf.Graph().as_default():
        tf.constant(1.0, name="one")
        for name in values:
            tf.Variable(1.0, name=name)
        tf.train.export_meta_graph(str(path))
        return str(path)


def test_without_a_saver_a_new_one_for_all_variables(tf, session, tmp_path: Path) -> None:
    meta = exported(tf, "v", path=tmp_path / "m.meta")
    tf.Variable(2.0, name="was_there")
    saver = tf.train.import_meta_graph(meta)
    with session(tf) as sess:
        path = saver.save(sess, str(tmp_path / "m"))
    assert [name for name, _ in tf.train.list_variables(path)] == ["v", "was_there"]
    assert names(saver)[2] == "save/restore_all"


def test_without_variables_none(tf, tmp_path: Path) -> None:
    meta = exported(tf, path=tmp_path / "m.meta")
    assert tf.train.import_meta_graph(meta) is None
    # Variables elsewhere do not count where the scope has none ...
    tf.Variable(2.0, name="was_there")
    assert tf.train.import_meta_graph(meta, import_scope="new_model") is None
    # ... and at the root they do, whether they came from the file or not.
    saver = tf.train.import_meta_graph(meta)
    assert saver is not None


def test_scopes_are_patterns(tf, session, tmp_path: Path) -> None:
    """A variable in a scope that begins alike makes it a Saver, for all variables."""
    meta = exported(tf, path=tmp_path / "m.meta")
    tf.Variable(2.0, name="new_model/v")
    assert tf.train.import_meta_graph(meta, import_scope="new") is not None


def test_saveable_objects_count(tf, tmp_path: Path) -> None:
    meta = exported(tf, path=tmp_path / "m.meta")
    v = tf.Variable(2.0, name="v", collections=[])
    if tf.__name__.startswith("regraft"):
        from regraft.saver.saveables import ReferenceVariableSaveable
    else:
        from tensorflow.python.training.saving.saveable_object_util import ReferenceVariableSaveable
    tf.add_to_collection(tf.GraphKeys.SAVEABLE_OBJECTS, ReferenceVariableSaveable(v, "", "key"))
    saver = tf.train.import_meta_graph(meta)
    with tf.Session() as sess:
        sess.run(v.initializer)
        path = saver.save(sess, str(tmp_path / "m"))
    assert tf.train.list_variables(path) == [("key", [])]


def test_arguments_that_there_are_not(tf, prefix: str) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'clear_device'"):
        tf.train.import_meta_graph(f"{prefix}.meta", clear_device=True)


def test_elements_are_not_returned(tf, prefix: str) -> None:
    saver = tf.train.import_meta_graph(f"{prefix}.meta", return_elements=["v:0"])
    assert isinstance(saver, tf.train.Saver)


def test_the_message_that_is_given(tf, prefix: str) -> None:
    if tf.__name__.startswith("regraft"):
        from regraft.metagraph import read_meta_graph_file
    else:
        from tensorflow.python.framework.meta_graph import read_meta_graph_file
    message = read_meta_graph_file(f"{prefix}.meta")
    assert restored(tf, tf.train.import_meta_graph(message), prefix)


# SaverDefs


def test_to_proto(tf, variables) -> None:
    variables(tf, a=1.0)
    with tf.name_scope("outer"):
        saver = tf.train.Saver()
    assert saver.to_proto() is saver.as_saver_def() is saver.saver_def
    assert saver.to_proto("elsewhere") is None
    inner = saver.to_proto("outer")
    assert inner.restore_op_name == "save/restore_all"
    assert (inner.max_to_keep, inner.version) == (5, 2)
    assert saver.saver_def.restore_op_name == "outer/save/restore_all"
    assert saver.to_proto("outer/sa").restore_op_name == "outer/save/restore_all"


def test_from_proto(tf, variables, session, tmp_path: Path) -> None:
    variables(tf, a=1.0)
    with tf.name_scope("outer"):
        saver = tf.train.Saver()
    with session(tf) as sess:
        path = saver.save(sess, str(tmp_path / "m"))
        for d, scope in (
            (saver.to_proto(), None),
            (saver.to_proto("outer"), "outer"),
            (saver.to_proto("outer"), "outer/"),
        ):
            again = tf.train.Saver.from_proto(d, import_scope=scope)
            assert names(again) == names(saver)
            again.restore(sess, path)


def test_a_name_goes_before_the_names_of_a_saver_def(tf, variables) -> None:
    """In the message itself, so that a second Saver of it would get the name twice."""
    variables(tf, a=1.0)
    d = tf.train.Saver(name="outer/save").to_proto("outer")
    assert tf.train.Saver(saver_def=d, name="outer").as_saver_def().restore_op_name == "outer/save/restore_all"
    assert d.restore_op_name == "outer/save/restore_all"


def test_savers_in_their_collection(tf, prefix: str, session, tmp_path: Path) -> None:
    with tf.Graph().as_default():
        v, w = tf.Variable([1.0, 2.0], name="v"), tf.Variable(3, name="w")
        one, two = tf.train.Saver([v]), tf.train.Saver([w], name="two", max_to_keep=7)
        for saver in (one, two):
            tf.add_to_collection(tf.GraphKeys.SAVERS, saver)
        with session(tf) as sess:
            first, second = one.save(sess, str(tmp_path / "one")), two.save(sess, str(tmp_path / "two"))
        assert not tf.train.export_meta_graph().HasField("saver_def")
        assert len(tf.train.export_meta_graph().collection_def["savers"].bytes_list.value) == 2
    for scope in ("", "new/"):
        with tf.Graph().as_default():
            tf.train.import_meta_graph(f"{first}.meta", import_scope=scope[:-1] or None)
            savers = tf.get_collection(tf.GraphKeys.SAVERS)
            assert [s.as_saver_def().restore_op_name for s in savers] == [
                f"{scope}save/restore_all",
                f"{scope}two/restore_all",
            ]
            assert savers[1].as_saver_def().max_to_keep == 7
            with tf.Session() as sess:
                savers[0].restore(sess, first)
                assert sess.run(f"{scope}v:0").tolist() == [1.0, 2.0]
                with pytest.raises(tf.errors.FailedPreconditionError, match=f"uninitialized value {scope}w"):
                    sess.run(f"{scope}w:0")
                savers[1].restore(sess, second)
                assert sess.run(f"{scope}w:0") == 3


# What a Saver exports


def test_export(tf, variables, tmp_path: Path) -> None:
    variables(tf, a=1.0)
    saver = tf.train.Saver(max_to_keep=3)
    message = saver.export_meta_graph(str(tmp_path / "new" / "folder" / "m.meta"))
    assert (tmp_path / "new" / "folder" / "m.meta").exists()
    assert message.saver_def.max_to_keep == 3
    assert [n.name for n in message.graph_def.node][:2] == ["a/initial_value", "a"]
    assert "variables" in message.collection_def
    message = saver.export_meta_graph(collection_list=["nothing"], clear_devices=True, strip_default_attrs=True)
    assert not message.collection_def
    assert message.meta_info_def.stripped_default_attrs


def test_export_without_the_other_savers(tf, variables) -> None:
    a, b = variables(tf, a=1.0, b=2.0)
    one, two = tf.train.Saver([a]), tf.train.Saver([b])
    for saver in (one, two):
        tf.add_to_collection(tf.GraphKeys.SAVERS, saver)
    tf.group(tf.no_op(), name="init")
    every = {op.name for op in tf.get_default_graph().get_operations()}
    assert len(every) == 2 * 4 + 2 * 12 + len([n for n in every if n.startswith(("init", "NoOp"))])
    message = one.export_meta_graph(clear_extraneous_savers=True)
    left = {n.name for n in message.graph_def.node}
    assert every - left == {n for n in every if n.startswith("save_1/")}
    assert len(message.collection_def["savers"].bytes_list.value) == 1


def test_export_of_the_default_graph(tf, variables, tmp_path: Path) -> None:
    """The Saver's nodes are looked up in the graph that is the default."""
    variables(tf, a=1.0)
    saver = tf.train.Saver()
    with tf.Graph().as_default():
        variables(tf, a=1.0)
        tf.train.Saver()
        tf.constant(1.0, name="more")
        assert "more" in {n.name for n in saver.export_meta_graph().graph_def.node}


def test_export_where_the_default_graph_is_another(rg, variables) -> None:
    """TensorFlow exports whatever is the default graph."""
    variables(rg, a=1.0)
    saver = rg.train.Saver()
    with rg.Graph().as_default():
        assert "a" in {n.name for n in saver.export_meta_graph().graph_def.node}


# Eager execution


EAGER = """
import tempfile
{start}
found = []
def refused(function):
    try:
        function()
    except RuntimeError as e:
        found.append(str(e))
refused(lambda: tf.train.Saver())
saver = tf.train.Saver(var_list=[], defer_build=True)
refused(saver.build)
refused(lambda: tf.train.import_meta_graph("never looked at"))
refused(lambda: tf.train.export_meta_graph())
with tf.Graph().as_default():  # a graph of one's own is as good as ever
    v = tf.Variable(1.0, name="v", use_resource=True)
    saver = tf.train.Saver()
    with tf.Session() as sess, tempfile.TemporaryDirectory() as folder:
        sess.run(v.initializer)
        saver.restore(sess, saver.save(sess, folder + "/m"))
"""
META_GRAPHS = "Exporting/importing meta graphs is not supported when eager execution is enabled. " \
    "No graph exists when eager execution is enabled."  # fmt: skip
REFUSED = [
    "When eager execution is enabled, `var_list` must specify a list or dict of variables to save",
    "Use save/restore instead of build in eager mode.",
    META_GRAPHS,
    META_GRAPHS,
]


def eager_program(start: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    code = EAGER.format(start=start) + "print(*found, sep=chr(10))\n"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_eager_execution() -> None:
    assert eager_program("import regraft.v1 as tf; tf.enable_eager_execution()") == REFUSED


@pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed")
def test_eager_execution_in_tensorflow() -> None:
    assert eager_program("import tensorflow.compat.v1 as tf") == REFUSED
