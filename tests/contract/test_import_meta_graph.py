"""Contract, sections 1 to 3: import_meta_graph, the detection of file formats, import_scoped_meta_graph."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.models import copy, exported, linear, names

# 1. import_meta_graph


def test_positional_order_of_the_arguments(tf: Any) -> None:
    tf.train.import_meta_graph(exported(tf), True, "here")
    assert "here/z" in names(tf)
    assert {op.device for op in tf.get_default_graph().get_operations()} == {""}


def test_graph_argument_and_its_default(tf: Any) -> None:
    elsewhere = tf.Graph()
    tf.train.import_meta_graph(exported(tf), graph=elsewhere)
    assert "z" in [op.name for op in elsewhere.get_operations()]
    assert names(tf) == []


def test_unexpected_keyword_is_a_type_error(tf: Any) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        tf.train.import_meta_graph(exported(tf), nonsense=1)


def test_return_elements_are_accepted_and_dropped(tf: Any) -> None:
    assert isinstance(tf.train.import_meta_graph(exported(tf), return_elements=["z"]), tf.train.Saver)


def test_clear_devices(tf: Any) -> None:
    message = exported(tf)
    tf.train.import_meta_graph(copy(message), import_scope="kept")
    assert tf.get_default_graph().get_operation_by_name("kept/s/y").device == "/device:CPU:0"
    tf.train.import_meta_graph(copy(message), clear_devices=True, import_scope="cleared")
    cleared = [op for op in tf.get_default_graph().get_operations() if op.name.startswith("cleared/")]
    assert {op.device for op in cleared} == {""}
    assert b"loc:@cleared/s/w" in cleared[[op.name for op in cleared].index("cleared/s/w/read")].colocation_groups()


def test_input_map(tf: Any) -> None:
    x = tf.constant([[1.0, 1.0]], name="mine")
    tf.train.import_meta_graph(exported(tf), input_map={"s/x:0": x})
    assert tf.get_default_graph().get_operation_by_name("s/y").inputs[0] is x


def test_saver_rule_1_the_savers_names_get_the_scope(tf: Any) -> None:
    message = exported(tf)
    plain = tf.train.import_meta_graph(copy(message)).as_saver_def()
    assert plain.filename_tensor_name == "save/Const:0"
    assert plain.save_tensor_name == "save/control_dependency:0"
    assert plain.restore_op_name == "save/restore_all"
    scoped = tf.train.import_meta_graph(copy(message), import_scope="q").as_saver_def()
    assert scoped.filename_tensor_name == "q/save/Const:0"
    assert scoped.restore_op_name == "q/save/restore_all"


def test_saver_rule_1_with_outer_and_repeated_scopes(tf: Any) -> None:
    message = exported(tf)
    for wanted in ("outer/in/save/restore_all", "outer_1/in/save/restore_all"):
        with tf.name_scope("outer"):
            assert tf.train.import_meta_graph(copy(message), import_scope="in").as_saver_def().restore_op_name == wanted
    for wanted in ("s/save/restore_all", "s_1/save/restore_all"):
        assert tf.train.import_meta_graph(copy(message), import_scope="s").as_saver_def().restore_op_name == wanted


def test_saver_rule_2_a_new_saver_for_all_variables(tf: Any) -> None:
    message = exported(tf)
    message.ClearField("saver_def")
    tf.Variable(1.0, name="other")
    saver = tf.train.import_meta_graph(message)
    graph = tf.get_default_graph()
    stored = graph.get_operation_by_name(saver.as_saver_def().restore_op_name).control_inputs
    assert sorted(op.inputs[0].op.name for op in stored) == ["other", "s/w"]


def test_saver_rule_2_takes_the_scope_as_a_pattern(tf: Any) -> None:
    with tf.Graph().as_default():
        tf.constant(1.0, name="c")
        message = tf.train.export_meta_graph()
    tf.Variable(1.0, name="other")
    assert tf.train.import_meta_graph(copy(message), import_scope="q") is None
    assert tf.train.import_meta_graph(copy(message), import_scope="oth") is not None


def test_saver_rule_3_none_where_there_is_no_variable(tf: Any, caplog: pytest.LogCaptureFixture) -> None:
    with tf.Graph().as_default():
        tf.constant(1.0, name="c")
        message = tf.train.export_meta_graph()
    with caplog.at_level(logging.INFO):
        assert tf.train.import_meta_graph(message) is None
    if tf.__name__ == "regraft.v1":
        assert "Saver not created because there are no variables in the graph to restore" in caplog.text


def test_saver_def_without_names_is_refused(tf: Any) -> None:
    message = exported(tf)
    message.saver_def.save_tensor_name = ""
    with pytest.raises(ValueError, match="saver_def must specify the save_tensor_name"):
        tf.train.import_meta_graph(message)


def test_variables_work_after_the_import(tf: Any) -> None:
    tf.train.import_meta_graph(exported(tf))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        assert sess.run("z:0", {"s/x:0": [[1.0, 1.0]]}).tolist() == [[4.0]]


# 2. Files


def test_missing_file_is_an_os_error(tf: Any, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="does not exist"):
        tf.train.import_meta_graph(str(tmp_path / "none.meta"))


def test_binary_and_text_are_told_apart_by_trying(tf: Any, tmp_path: Path) -> None:
    """Names of files say nothing."""
    for as_text in (False, True):
        file = tmp_path / f"m.{'meta' if as_text else 'pbtxt'}"
        with tf.Graph().as_default():
            linear(tf)
            tf.train.export_meta_graph(str(file), as_text=as_text)
        assert file.read_bytes().startswith(b"meta_info_def {") is as_text
        with tf.Graph().as_default() as graph:
            tf.train.import_meta_graph(str(file))
            assert graph.get_tensor_by_name("z:0").name == "z:0"


def test_file_that_is_no_message_is_an_os_error(tf: Any, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is { no message")
    with pytest.raises(OSError, match=f"Cannot parse file {tmp_path / 'text'}"):
        tf.train.import_meta_graph(str(tmp_path / "text"))


def test_empty_file_is_an_empty_graph(tf: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert tf.train.import_meta_graph(str(tmp_path / "empty")) is None


def test_path_may_be_a_url(tf: Any, tmp_path: Path) -> None:
    with tf.Graph().as_default():
        linear(tf)
        tf.train.export_meta_graph(str(tmp_path / "m.meta"))
    tf.train.import_meta_graph(f"file://{tmp_path}/m.meta")
    assert "z" in names(tf)


# 3. Scoped imports. `scoped` gives the functions of framework.meta_graph.


@pytest.fixture
def scoped(tf: Any) -> Any:
    if tf.__name__ == "regraft.v1":
        from regraft.v1 import _meta_graph

        return _meta_graph
    from tensorflow.python.framework import meta_graph

    return meta_graph


def parts(tf: Any) -> Any:
    """A MetaGraphDef of the scope `s` of a graph, which takes `outside`."""
    with tf.Graph().as_default():
        outside = tf.constant(2.0, name="outside")
        with tf.name_scope("s"):
            v = tf.Variable(3.0, name="v")
            tf.add(outside * v, outside, name="y")
        return tf.train.export_meta_graph(export_scope="s")


UNBOUND: dict[str, Callable[[Any], Any]] = {
    "none": lambda tf: None,
    "another name": lambda tf: {"outside": tf.constant(1.0)},
    "one too many": lambda tf: {"$unbound_inputs_outside": tf.constant(1.0), "v": tf.constant(1.0)},
}


@pytest.mark.parametrize("given", UNBOUND.values(), ids=UNBOUND.keys())
def test_unbound_inputs_must_be_given_exactly(tf: Any, scoped: Any, given: Callable[[Any], Any]) -> None:
    with tf.Graph().as_default():
        outside = tf.constant(2.0, name="outside")
        with tf.name_scope("s"):
            tf.negative(outside, name="v")
        message = tf.train.export_meta_graph(export_scope="s")
    with pytest.raises(ValueError, match="Graph contains unbound inputs"):
        scoped.import_scoped_meta_graph(message, input_map=given(tf))


def test_unbound_inputs_are_not_asked_for_without_their_collection(tf: Any, scoped: Any) -> None:
    c = tf.constant(1.0)
    scoped.import_scoped_meta_graph(parts(tf), input_map={"$unbound_inputs_outside": c}, unbound_inputs_col_name=None)
    assert tf.get_default_graph().get_operation_by_name("mul").inputs[0] is c


def test_variables_by_their_names_without_the_scope(tf: Any, scoped: Any) -> None:
    message = exported(tf)
    found = scoped.import_scoped_meta_graph(message, import_scope="q")
    assert {key: v.name for key, v in found.items()} == {"s/w:0": "q/s/w:0"}


def test_second_import_into_a_scope_gets_another_one(tf: Any, scoped: Any) -> None:
    scoped.import_scoped_meta_graph(exported(tf), import_scope="q")
    found = scoped.import_scoped_meta_graph(exported(tf), import_scope="q")
    assert {key: v.name for key, v in found.items()} == {"s/w:0": "q_1/s/w:0"}


def test_at_the_root_all_global_variables_are_returned(tf: Any, scoped: Any) -> None:
    tf.Variable(1.0, name="before")
    assert sorted(scoped.import_scoped_meta_graph(exported(tf))) == ["before:0", "s/w:0"]


def test_inside_a_name_scope(tf: Any, scoped: Any) -> None:
    with tf.name_scope("foo"):
        found = scoped.import_scoped_meta_graph(exported(tf))
        assert [v.name for v in found.values()] == ["foo/s/w:0"]
    with tf.name_scope("foo2"):
        found = scoped.import_scoped_meta_graph(exported(tf), import_scope="bar")
        assert [v.name for v in found.values()] == ["foo2/bar/s/w:0"]


def test_elements_and_variables(tf: Any, scoped: Any) -> None:
    found, elements = scoped.import_scoped_meta_graph_with_return_elements(
        exported(tf), import_scope="q", return_elements=["z:0", "s/x"]
    )
    assert list(found) == ["s/w:0"]
    assert [e.name for e in elements] == ["q/z:0", "q/s/x"]
    assert scoped.import_scoped_meta_graph_with_return_elements(exported(tf))[1] is None


def test_only_the_wanted_collections(tf: Any, scoped: Any) -> None:
    with tf.Graph().as_default():
        linear(tf)
        for key in ("one", "two"):
            tf.add_to_collection(key, 1)
        message = tf.train.export_meta_graph()
    scoped.import_scoped_meta_graph(message, restore_collections_predicate=lambda key: key == "two")
    assert tf.get_default_graph().get_all_collection_keys() == ["two"]


def test_trainable_variables_of_files_before_1_9(tf: Any, scoped: Any) -> None:
    """They do not say so themselves: the collection does."""
    for version, trainable in (("1.8.0", [False]), ("1.9.0", [True]), ("", [True])):
        message = exported(tf)
        message.meta_info_def.tensorflow_version = version
        del message.collection_def["trainable_variables"]
        with tf.Graph().as_default():
            scoped.import_scoped_meta_graph(message)
            assert [v.trainable for v in tf.global_variables()] == trainable


def test_one_variable_in_several_collections(tf: Any, scoped: Any) -> None:
    scoped.import_scoped_meta_graph(exported(tf))
    assert tf.global_variables()[0] is tf.trainable_variables()[0]


def test_kinds_of_collections(tf: Any, scoped: Any) -> None:
    with tf.Graph().as_default():
        z = linear(tf)
        for key, value in {"ints": 3, "floats": 2.5, "texts": "word", "tensors": z, "ops": z.op}.items():
            tf.add_to_collection(key, value)
        message = tf.train.export_meta_graph()
    scoped.import_scoped_meta_graph(copy(message))
    assert [tf.get_collection(key) for key in ("ints", "floats", "texts")] == [[3], [2.5], [b"word"]]
    assert [tf.get_collection(key)[0].name for key in ("tensors", "ops")] == ["z:0", "z"]
    with tf.Graph().as_default():
        scoped.import_scoped_meta_graph(copy(message), import_scope="q")
        assert tf.get_collection("texts") == ["q/word"]  # whatever it says
        assert tf.get_collection("tensors")[0].name == "q/z:0"


def test_collection_of_no_kind_is_skipped(tf: Any, scoped: Any) -> None:
    message = exported(tf)
    message.collection_def["nothing"].SetInParent()
    scoped.import_scoped_meta_graph(message)
    assert tf.get_collection("nothing") == []


def test_node_lists_of_old_local_variables(tf: Any, scoped: Any) -> None:
    message = exported(tf)
    message.collection_def["local_variables"].node_list.value.append("z:0")
    scoped.import_scoped_meta_graph(message)
    assert tf.get_collection("local_variables") == [tf.get_default_graph().get_tensor_by_name("z:0")]
    with pytest.raises(AttributeError, match="object has no attribute 'initializer'"):
        tf.local_variables_initializer()


def test_metric_variables_become_variables(tf: Any, scoped: Any) -> None:
    with tf.Graph().as_default():
        v = tf.Variable([1.0], name="m", collections=[tf.GraphKeys.METRIC_VARIABLES], trainable=False)
        message = tf.train.export_meta_graph()
    scoped.import_scoped_meta_graph(message)
    (found,) = tf.get_collection(tf.GraphKeys.METRIC_VARIABLES)
    assert (found.op.name, found.dtype.base_dtype.name, found.shape.as_list()) == (v.op.name, "float32", [1])


def test_control_flow_contexts_come_back_in_their_scope(tf: Any, scoped: Any) -> None:
    """Gradients of imported loops and conditionals need them; frames are renamed with the scope."""
    with tf.Graph().as_default():
        x = tf.constant(2.0, name="x")
        last = tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * x), [0, 1.0], name="loop")[1]
        tf.cond(last > 1.0, lambda: last * 2.0, lambda: last, name="choice")
        message = tf.train.export_meta_graph()
    scoped.import_scoped_meta_graph(message, import_scope="q")
    graph = tf.get_default_graph()
    assert [c.name for c in tf.get_collection("while_context")] == ["q/loop/while_context"]
    assert len(tf.get_collection("cond_context")) == 2
    frames = {op.get_attr("frame_name") for op in graph.get_operations() if op.type == "Enter"}
    assert frames == {b"q/loop/while_context"}
    y = graph.get_tensor_by_name("q/choice/Merge:0")
    with tf.Session() as sess:
        value, slope = sess.run([y, tf.gradients(y, graph.get_tensor_by_name("q/x:0"))[0]])
    assert (value, slope) == (16.0, 24.0)  # 2 x^3 and 6 x^2


def test_copy_of_a_scope(tf: Any, scoped: Any) -> None:
    with tf.name_scope("one"):
        tf.Variable(3.0, name="v")
    found = scoped.copy_scoped_meta_graph(from_scope="one", to_scope="two")
    assert {key: v.name for key, v in found.items()} == {"v:0": "two/v:0"}
    with pytest.raises(ValueError, match="'from_scope' and 'to_scope' need to be different"):
        scoped.copy_scoped_meta_graph(from_scope="one", to_scope="one")
    other = tf.Graph()
    scoped.copy_scoped_meta_graph(from_scope="one", to_scope="one", to_graph=other)
    assert [op.name for op in other.get_operations()][:2] == ["one/v/initial_value", "one/v"]
