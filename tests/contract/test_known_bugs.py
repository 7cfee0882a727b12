"""Known bugs of TensorFlow that the contract lists, and what Regraft does instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contract.models import exported, linear


def test_second_import_at_the_root_has_variables_and_a_saver_of_its_own(rg: Any, tmp_path: Path) -> None:
    message = exported(rg)
    first = rg.train.import_meta_graph(message)
    second = rg.train.import_meta_graph(message)
    assert [v.name for v in rg.global_variables()] == ["s/w:0", "s/w_1:0"]
    assert first.as_saver_def().restore_op_name == "save/restore_all"
    assert second.as_saver_def().restore_op_name != "save/restore_all"
    with rg.Session() as sess:
        sess.run(rg.global_variables_initializer())
        a, b = rg.global_variables()
        sess.run(b.assign([[7.0], [8.0]]))
        path = second.save(sess, str(tmp_path / "m"))
        sess.run(b.assign([[0.0], [0.0]]))
        second.restore(sess, path)
        assert (sess.run(a).tolist(), sess.run(b).tolist()) == ([[1.0], [2.0]], [[7.0], [8.0]])


def test_unbound_inputs_that_stand_there_twice(rg: Any) -> None:
    """TensorFlow's files list an input as often as it is used, and its own check then can't be satisfied."""
    with rg.Graph().as_default():
        outside = rg.constant(2.0, name="outside")
        with rg.name_scope("s"):
            rg.add(outside, outside, name="y")
        message = rg.train.export_meta_graph(export_scope="s")
    assert list(message.collection_def["unbound_inputs"].bytes_list.value) == [b"$unbound_inputs_outside"]
    message.collection_def["unbound_inputs"].bytes_list.value.append(b"$unbound_inputs_outside")
    rg.train.import_meta_graph(message, input_map={"$unbound_inputs_outside": rg.constant(3.0)})
    with rg.Session() as sess:
        assert sess.run("y:0") == 6.0


def test_savers_of_the_first_format_are_cleared_too(rg: Any) -> None:
    """`SaveSlices` is missing among the ops that TensorFlow looks for."""
    linear(rg)
    kept = rg.train.Saver()
    rg.train.Saver(write_version=rg.train.SaverDef.V1, name="old")
    message = rg.train.export_meta_graph(clear_extraneous_savers=True, saver_def=kept.as_saver_def())
    assert not any(node.name.startswith("old/") for node in message.graph_def.node)


def test_enter_whose_frame_lies_outside_of_the_scope(rg: Any) -> None:
    """TensorFlow crashes; here the frame keeps its name."""
    with rg.name_scope("outer"):
        rg.while_loop(lambda i: i < 3, lambda i: rg.add(i, 1, name="inside/next"), [0], name="loop")
    with rg.name_scope("inside"):
        rg.constant(1.0, name="c")
    enters = [op for op in rg.get_default_graph().get_operations() if op.type == "Enter"]
    scope = enters[0].name.rpartition("/")[0]
    for op in enters:
        op._set_attr("frame_name", b"elsewhere/frame")
    nodes = rg.train.export_meta_graph(export_scope=scope).graph_def.node
    assert {n.attr["frame_name"].s for n in nodes if n.op == "Enter"} == {b"elsewhere/frame"}


def test_group_that_is_no_location(rg: Any) -> None:
    """A `_class` value without `@` is an IndexError in TensorFlow."""
    with rg.name_scope("s"):
        c = rg.constant(1.0, name="c")
    c.op._set_attr("_class", (b"odd", b"loc:@s/c"))
    (node,) = rg.train.export_meta_graph(export_scope="s").graph_def.node
    assert list(node.attr["_class"].list.s) == [b"loc:@c"]


def test_bytes_that_are_no_text_under_a_scope(rg: Any) -> None:
    """TensorFlow puts the scope before user strings too, and fails where they are no text."""
    with rg.Graph().as_default():
        rg.constant(1.0)
        rg.add_to_collection("raw", b"\xff\x00")
        message = rg.train.export_meta_graph()
    rg.train.import_meta_graph(message, import_scope="q")
    assert rg.get_collection("raw") == [b"\xff\x00"]


def test_file_that_is_no_text_is_an_os_error(rg: Any, tmp_path: Path) -> None:
    (tmp_path / "m.meta").write_bytes(b"\x00\xff\xfe no message")
    with pytest.raises(OSError, match="Cannot parse file"):
        rg.train.import_meta_graph(str(tmp_path / "m.meta"))


def test_state_file_remembers_the_checkpoints_after_a_resume(rg: Any, tmp_path: Path) -> None:
    rg.Variable(1.0, name="v")
    with rg.Session() as sess:
        sess.run(rg.global_variables_initializer())
        first = rg.train.Saver().save(sess, str(tmp_path / "m"), 1)
        resumed = rg.train.Saver()
        resumed.restore(sess, first)
        second = resumed.save(sess, str(tmp_path / "m"), 2)
    state = rg.train.get_checkpoint_state(str(tmp_path))
    assert list(state.all_model_checkpoint_paths) == [first, second]


def test_collection_that_names_what_is_not_there(rg: Any) -> None:
    """A KeyError in TensorFlow, and the graph half imported (tensorflow/models#7149)."""
    message = exported(rg)
    message.collection_def["lost"].node_list.value.extend(["nope:0", "z:0"])
    assert rg.train.import_meta_graph(message) is not None
    assert [t.name for t in rg.get_collection("lost")] == ["z:0"]


def test_import_leaves_the_callers_message_alone(rg: Any) -> None:
    """TensorFlow writes into it: default attributes, devices, the names in the SaverDef."""
    message = exported(rg)
    before = message.SerializeToString(deterministic=True)
    rg.train.import_meta_graph(message, clear_devices=True, import_scope="q")
    assert message.SerializeToString(deterministic=True) == before
