"""What each argument of Saver says, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def keys(tf: Any, path: str) -> list[str]:
    return [name for name, _ in tf.train.list_variables(path)]


def test_a_list_is_saved_under_the_names_of_its_variables(tf, variables, session, tmp_path: Path) -> None:
    a, b, c = variables(tf, a=1.0, b=2.0, c=3.0)
    r = tf.Variable(4.0, name="r", use_resource=True)
    with session(tf) as sess:
        for number, form in enumerate(([c, a, r], (c, a, r), {c, a, r}, [[c], [a, [r]]])):
            path = tf.train.Saver(form).save(sess, str(tmp_path / f"m{number}"))
            assert keys(tf, path) == ["a", "c", "r"]
        assert b.name == "b:0"


def test_a_dict_names_the_keys(tf, variables, session, tmp_path: Path) -> None:
    a, b = variables(tf, a=[1.0, 2.0], b=3)
    r = tf.Variable(4.0, name="r", use_resource=True)
    with session(tf) as sess:
        saver = tf.train.Saver({"x/a": a, "b": b, "tensor": r})
        path = saver.save(sess, str(tmp_path / "m"))
        assert tf.train.list_variables(path) == [("b", []), ("tensor", []), ("x/a", [2])]
        sess.run([a.assign([0.0, 0.0]), r.assign(0.0)])
        saver.restore(sess, path)
        assert sess.run([a, b, r])[0].tolist() == [1.0, 2.0]
        assert sess.run(r) == 4.0


def test_tensors_stand_for_their_variables(tf, variables, session, tmp_path: Path) -> None:
    (a,) = variables(tf, a=1.0)
    tf.Variable(2.0, name="r", use_resource=True)
    graph = tf.get_default_graph()
    reference, read = graph.get_tensor_by_name("a:0"), graph.get_tensor_by_name("r/Read/ReadVariableOp:0")
    with session(tf) as sess:
        path = tf.train.Saver([reference, read]).save(sess, str(tmp_path / "m"))
        assert keys(tf, path) == ["a", "r"]
        path = tf.train.Saver({"x": reference, "y": read}).save(sess, str(tmp_path / "n"))
        assert keys(tf, path) == ["x", "y"]
        assert sess.run(a) == 1.0


def test_by_default_all_global_variables(tf, session, tmp_path: Path) -> None:
    tf.Variable(1.0, name="a")
    tf.Variable(1.0, name="fixed", trainable=False)
    tf.Variable(1.0, name="local", collections=[tf.GraphKeys.LOCAL_VARIABLES])
    saver = tf.train.Saver()
    tf.Variable(1.0, name="too_late")
    with session(tf) as sess:
        assert keys(tf, saver.save(sess, str(tmp_path / "m"))) == ["a", "fixed"]


def test_variables_of_another_graph_than_the_default(tf, session, tmp_path: Path) -> None:
    a = tf.Variable(1.0, name="a")
    graph = tf.get_default_graph()
    with tf.Graph().as_default() as other:
        saver = tf.train.Saver([a])
        assert not other.get_operations()
    assert graph.get_operation_by_name(saver.saver_def.restore_op_name)
    with session(tf) as sess:
        assert keys(tf, saver.save(sess, str(tmp_path / "m"))) == ["a"]


def test_no_variables(tf, tmp_path: Path) -> None:
    tf.constant(1.0)
    with pytest.raises(ValueError, match="No variables to save"):
        tf.train.Saver()
    with pytest.raises(ValueError, match="No variables to save"):
        tf.train.Saver([])
    saver = tf.train.Saver(allow_empty=True)
    assert saver.as_saver_def() is None
    assert saver.last_checkpoints == []
    with tf.Session() as sess:
        assert saver.save(sess, str(tmp_path / "m")) is None
        assert [p.name for p in tmp_path.iterdir()] == ["m.meta"]
        saver.restore(sess, "nowhere")
        saver.restore(sess, None)
    assert not tf.train.import_meta_graph(str(tmp_path / "m.meta"))


def test_deferred_building(tf, variables, session, tmp_path: Path) -> None:
    (a,) = variables(tf, a=1.0)
    with pytest.raises(ValueError, match="If `var_list` is provided then build cannot be deferred"):
        tf.train.Saver([a], defer_build=True)
    saver = tf.train.Saver(defer_build=True)
    assert saver.saver_def is None
    variables(tf, b=2.0)
    with session(tf) as sess:
        with pytest.raises(RuntimeError, match=r"`build\(\)` should be called before save if defer_build==True"):
            saver.save(sess, str(tmp_path / "m"))
        saver.build()
        count = len(tf.get_default_graph().get_operations())
        saver.build()
        assert len(tf.get_default_graph().get_operations()) == count
        assert keys(tf, saver.save(sess, str(tmp_path / "m"))) == ["a", "b"]


def test_what_the_saver_def_says(tf, variables) -> None:
    variables(tf, a=1.0)
    d = tf.train.Saver().as_saver_def()
    assert (d.filename_tensor_name, d.save_tensor_name, d.restore_op_name) == (
        "save/Const:0",
        "save/control_dependency:0",
        "save/restore_all",
    )
    assert (d.max_to_keep, d.sharded, d.keep_checkpoint_every_n_hours, d.version) == (5, False, 10000.0, d.V2)
    d = tf.train.Saver(max_to_keep=None, keep_checkpoint_every_n_hours=0.5, write_version=1, sharded=True).saver_def
    assert (d.max_to_keep, d.sharded, d.keep_checkpoint_every_n_hours, d.version) == (0, True, 0.5, d.V1)
    assert d.save_tensor_name == "save_1/ShardedFilespec:0"
    assert tf.train.Saver(name="mine").saver_def.restore_op_name == "mine/restore_all"
    assert tf.train.Saver(name="re/entered/").saver_def.restore_op_name == "re/entered/restore_all"
    assert tf.train.Saver(name="").saver_def.restore_op_name == "restore_all"
    with tf.name_scope("outer"):
        assert tf.train.Saver().saver_def.filename_tensor_name == "outer/save/Const:0"


def test_the_default_of_the_filename(tf, variables) -> None:
    variables(tf, a=1.0)
    with tf.Session() as sess:
        assert sess.run(tf.train.Saver().saver_def.filename_tensor_name) == b"model"
        assert sess.run(tf.train.Saver(filename="").saver_def.filename_tensor_name) == b"model"
        assert sess.run(tf.train.Saver(filename="a/b").saver_def.filename_tensor_name) == b"a/b"


def test_a_saver_def_takes_up_the_nodes_that_are_there(tf, variables, session, tmp_path: Path) -> None:
    variables(tf, a=1.0)
    d = tf.train.Saver(max_to_keep=1, write_version=1).as_saver_def()
    count = len(tf.get_default_graph().get_operations())
    saver = tf.train.Saver(saver_def=d, max_to_keep=7, builder=object(), write_version=2)
    assert len(tf.get_default_graph().get_operations()) == count
    assert saver.as_saver_def().max_to_keep == 1
    with session(tf) as sess:
        paths = [saver.save(sess, str(tmp_path / "m"), global_step=n) for n in range(2)]
    assert saver.last_checkpoints == paths[1:]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint", "m-1", "m-1.meta"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "saver_def must specify the save_tensor_name: "),
        ({"restore_op_name": "save/restore_all"}, "saver_def must specify the save_tensor_name: "),
        ({"save_tensor_name": "save/control_dependency:0"}, "saver_def must specify the restore_op_name: "),
    ],
)
def test_a_saver_def_without_names(tf, fields: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tf.train.Saver(saver_def=tf.train.SaverDef(**fields))


def test_a_saver_def_that_is_none(tf) -> None:
    with pytest.raises(ValueError, match="saver_def must be a saver_pb2.SaverDef: nothing of the kind"):
        tf.train.Saver(saver_def="nothing of the kind")


def part(tf: Any, whole: str, name: str) -> Any:
    """A variable that says it is the first half of `whole`."""
    variable = tf.Variable([1.0], name=name)
    variable._set_save_slice_info(tf.Variable.SaveSliceInfo(whole, [2], [0], [1]))
    return variable


def variable(tf: Any, resource: bool = False) -> Any:
    return tf.Variable(1.0, name="a", use_resource=resource)


def read_of(variable: Any) -> Any:
    return variable.graph.get_tensor_by_name("a/Read/ReadVariableOp:0")


# What is given, and the words that programs match on.
REFUSED: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "text": (lambda tf: "text", TypeError, "Variables to save should be passed in a dict or a list"),
    "one variable": (variable, TypeError, "Variables to save should be passed in a dict or a list"),
    "a constant": (lambda tf: [tf.constant(1.0)], TypeError, "Variable to save is not a Variable: "),
    "a read of a reference": (lambda tf: [variable(tf).value()], TypeError, "Variable to save is not a Variable: "),
    "twice": (lambda tf: [variable(tf)] * 2, ValueError, "At least two variables have the same name: a"),
    "a resource and its read": (
        lambda tf: [v := variable(tf, True), read_of(v)],
        ValueError,
        "At least two variables have the same name: a",
    ),
    "two names": (
        lambda tf: dict.fromkeys("xy", variable(tf)),
        ValueError,
        "The same saveable will be restored with two names: y",
    ),
    "two names of a resource": (
        lambda tf: dict.fromkeys("xy", variable(tf, True)),
        ValueError,
        "The same saveable will be restored with two names: y",
    ),
    "no name": (lambda tf: {1: variable(tf)}, TypeError, "Name is not a string: 1"),
    "a constant by name": (lambda tf: {"x": tf.constant(1.0)}, TypeError, "Not a variable: "),
    "parts that are none": (lambda tf: {"x": [variable(tf)]}, ValueError, "Slices must all be slices: "),
    "parts of two": (
        lambda tf: {"x": [part(tf, "p", "p/part_0"), part(tf, "q", "q/part_0")]},
        ValueError,
        "Slices must all be from the same tensor: p != q",
    ),
    "numbers as parts": (lambda tf: {"x": [1]}, ValueError, "Slices must all be Variables: 1"),
    "a part and a whole": (
        lambda tf: [variable(tf), part(tf, "a", "a_part")],
        ValueError,
        "Mixing slices and non-slices with the same name: a",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_lists_that_are_refused(tf, case: str) -> None:
    make, kind, words = REFUSED[case]
    var_list = make(tf)
    with pytest.raises(kind, match=words):
        tf.train.Saver(var_list)


def test_numbers_in_a_list(rg) -> None:
    """AttributeError in TensorFlow."""
    with pytest.raises(TypeError, match="Variable to save is not a Variable: 1"):
        rg.train.Saver([1])


def test_restore_in_sequence_changes_nothing(tf, variables) -> None:
    variables(tf, a=1.0, b=2.0)
    d = tf.train.Saver(restore_sequentially=True).saver_def
    restore = tf.get_default_graph().get_operation_by_name(d.restore_op_name)
    assert [[i.name for i in op.control_inputs] for op in restore.control_inputs] == [[], []]


def builders(tf: Any) -> Any:
    """The module with the builders."""
    if tf.__name__.startswith("regraft"):
        from regraft import saver
    else:
        from tensorflow.python.training import saver
    return saver


def test_the_plain_builder_restores_one_by_one(tf, variables, session, tmp_path: Path) -> None:
    a, b = variables(tf, a=1.0, b=[2, 3])
    saver = tf.train.Saver(builder=builders(tf).BaseSaverBuilder())
    types = [op.type for op in tf.get_default_graph().get_operations()]
    assert (types.count("SaveV2"), types.count("RestoreV2")) == (1, 2)
    with session(tf) as sess:
        path = saver.save(sess, str(tmp_path / "m"))
        sess.run([a.assign(0.0), b.assign([0, 0])])
        saver.restore(sess, path)
        assert (sess.run(a), sess.run(b).tolist()) == (1.0, [2, 3])


def test_a_builder_of_ones_own(tf, variables, session, tmp_path: Path) -> None:
    (a,) = variables(tf, a=[1.0, 2.0])
    seen: list[str] = []

    class Halving(builders(tf).BaseSaverBuilder):  # type: ignore[misc]
        def save_op(self, filename_tensor: Any, saveables: Any) -> Any:
            seen.append("save")
            return super().save_op(filename_tensor, saveables)

        def restore_op(self, filename_tensor: Any, saveable: Any, preferred_shard: int) -> Any:
            seen.append(saveable.name)
            return [0.5 * t for t in super().restore_op(filename_tensor, saveable, preferred_shard)]

    saver = tf.train.Saver(builder=Halving())
    assert seen == ["save", "a"]
    with session(tf) as sess:
        saver.restore(sess, saver.save(sess, str(tmp_path / "m")))
        assert sess.run(a).tolist() == [0.5, 1.0]


def test_objects_that_say_how_they_are_saved(tf, variables, session, tmp_path: Path) -> None:
    """One object, two tensors; it restores them swapped."""
    a, b, c = variables(tf, a=1.0, b=2.0, c=[5.0])
    base = builders(tf).BaseSaverBuilder

    class Pair(base.SaveableObject):  # type: ignore[misc, name-defined]
        def __init__(self, name: str) -> None:
            specs = [base.SaveSpec(v.value(), "", f"{name}/{n}") for n, v in (("first", a), ("second", b))]
            super().__init__(None, specs, name)

        def restore(self, restored_tensors: Any, restored_shapes: Any) -> Any:
            assert restored_shapes is None
            return tf.group(a.assign(restored_tensors[1]), b.assign(restored_tensors[0]))

    tf.add_to_collection(tf.GraphKeys.SAVEABLE_OBJECTS, Pair("pair"))
    with session(tf) as sess:
        for saver in (tf.train.Saver([c, Pair("pair")]), tf.train.Saver({"c": c, "any": Pair("pair")})):
            path = saver.save(sess, str(tmp_path / "m"))
            assert keys(tf, path) == ["c", "pair/first", "pair/second"]
            sess.run([a.assign(1.0), b.assign(2.0), c.assign([0.0])])
            saver.restore(sess, path)
            assert sess.run([a, b, c[0]]) == [2.0, 1.0, 5.0]
            sess.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(sess, str(tmp_path / "all"))
        assert keys(tf, path) == ["a", "b", "c", "pair/first", "pair/second"]


def owner_of(tf: Any) -> type:
    """What an object that owns variables derives from."""
    if tf.__name__.startswith("regraft"):
        return object
    from tensorflow.python.trackable.base import Trackable

    return Trackable


def test_objects_that_own_variables(tf, session, tmp_path: Path) -> None:
    v = tf.Variable(1.0, name="v", use_resource=True)

    class Owner(owner_of(tf)):  # type: ignore[misc]
        name = "owner"

        def _gather_saveables_for_checkpoint(self) -> dict[str, Any]:
            return {"VARIABLE_VALUE": v}

    for var_list, key in (([Owner()], "v"), ({"any": Owner()}, "v:0")):
        saver = tf.train.Saver(var_list)
        with session(tf) as sess:
            path = saver.save(sess, str(tmp_path / "m"))
            assert keys(tf, path) == [key]
            sess.run(v.assign(2.0))
            saver.restore(sess, path)
            assert sess.run(v) == 1.0


def test_objects_that_make_saveables(tf, variables, session, tmp_path: Path) -> None:
    a, b = variables(tf, a=1.0, b=2.0)
    base = builders(tf).BaseSaverBuilder

    class Both(owner_of(tf)):  # type: ignore[misc]
        name = "both"

        def _gather_saveables_for_checkpoint(self) -> dict[str, Any]:
            def of(variable: Any) -> Any:
                return lambda name=variable.op.name: base.VariableSaveable(variable, "", name)

            return {"VARIABLE_VALUE": of(a), "more": of(b)}

    for var_list, wanted in (([Both()], ["a", "b"]), ({"x": Both()}, ["x", "x_more"])):
        with session(tf) as sess:
            assert keys(tf, tf.train.Saver(var_list).save(sess, str(tmp_path / "m"))) == wanted


def test_parts_of_one_object_on_two_devices(tf, variables) -> None:
    a, b = variables(tf, a=1.0, b=2.0)
    base = builders(tf).BaseSaverBuilder
    specs = [base.SaveSpec(v.value(), "", v.op.name, device=d) for v, d in ((a, "/cpu:0"), (b, "/cpu:1"))]
    with pytest.raises(ValueError, match="All tensors of a saveable object must be on the same device: pair"):
        tf.train.Saver([base.SaveableObject(None, specs, "pair")], sharded=True)


def test_partitioned_variables_in_collections_become_tensors(tf) -> None:
    """So that a program that imports the graph finds the whole by name."""
    with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(2)):
        whole = tf.get_variable("w", [4])
    tf.add_to_collection("wholes", whole)
    tf.train.Saver()
    assert tf.get_default_graph().get_operation_by_name("s/w").type == "Identity"
