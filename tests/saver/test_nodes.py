"""The save and restore sub-graph, one for one with TensorFlow's: its names are part of the format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import regraft.ops  # noqa: F401  shapes are inferred by the registered ops
from regraft import proto
from regraft.ir.graph import Graph
from regraft.opkit.builder import Builder
from regraft.saver import BaseSaverBuilder, Saver
from regraft.serde.graph import graph_to_proto
from regraft.variables import PartitionedVariable, SaveSliceInfo, make_variable
from tests import oracle


class Theirs:
    """What a program needs, by TensorFlow."""

    def __init__(self, tf: Any) -> None:
        self.tf, self.graph = tf, tf.get_default_graph()
        from tensorflow.python.training.saver import BaseSaverBuilder as Base

        self.one_by_one = lambda: Base(write_version=2)

    def variable(self, value: Any, resource: bool = False, **options: Any) -> Any:
        return self.tf.Variable(value, use_resource=resource, **options)

    def part(self, name: str, value: Any, full: list[int], offset: list[int], resource: bool) -> Any:
        v = self.variable(value, resource, name=f"{name}/part_{offset[0]}")
        v._set_save_slice_info(self.tf.Variable.SaveSliceInfo(name, full, offset, v.shape.as_list()))
        return v

    def whole(self, name: str, full: list[int], parts: list[Any], partitions: list[int]) -> Any:
        from tensorflow.python.ops.variables import PartitionedVariable as Whole

        return Whole(name, full, self.tf.float32, parts, partitions)

    def saver(self, *args: Any, **options: Any) -> Any:
        return self.tf.train.Saver(*args, **options).saver_def

    def unknown(self) -> Any:
        return self.tf.placeholder(self.tf.float32)


class Ours:
    """The same, by us."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.one_by_one = lambda: BaseSaverBuilder(write_version=2)

    def variable(self, value: Any, resource: bool = False, **options: Any) -> Any:
        return make_variable(self.graph, value, resource, **options)

    def part(self, name: str, value: Any, full: list[int], offset: list[int], resource: bool) -> Any:
        v = self.variable(value, resource, name=f"{name}/part_{offset[0]}")
        v._set_save_slice_info(SaveSliceInfo(name, full, offset, v.shape.as_list()))
        return v

    def whole(self, name: str, full: list[int], parts: list[Any], partitions: list[int]) -> Any:
        from regraft.base import dtypes

        return PartitionedVariable(name, full, dtypes.float32, parts, partitions)

    def saver(self, *args: Any, **options: Any) -> Any:
        return Saver(self.graph, *args, **options).saver_def

    def unknown(self) -> Any:
        return Builder(self.graph).op("Placeholder", dtype="float32")


def two(k: Any, **options: Any) -> Any:
    k.variable([1.0, 2.0], name="b")
    k.variable([[1], [2]], True, name="a")
    return k.saver(**options)


def parts(k: Any, resource: bool) -> list[Any]:
    return [k.part("w", [[1.0, 2.0]] * n, [3, 2], [at, 0], resource) for at, n in ((0, 1), (1, 2))]


def named(k: Any) -> Any:
    v, w = k.variable(1.0, name="v"), k.variable(2.0, True, name="w")
    return k.saver({"one": v, "another": w})


def placed(k: Any, **options: Any) -> Any:
    for i, device in enumerate(("/job:ps/task:0/gpu:0", "/job:ps/task:1", "", "/job:ps/task:0/gpu:1")):
        with k.graph.device(device):
            k.variable(float(i), i % 2 == 1, name=f"v{i}")
    return k.saver(**options)


def in_a_scope(k: Any) -> Any:
    with k.graph.name_scope("outer"):
        k.variable(1.0, name="v")
        k.saver()
        return k.saver(name="mine")


def partitioned(k: Any, resource: bool, form: str) -> Any:
    own = parts(k, resource)
    k.variable(1.0, resource, name="z")
    if form == "all":
        return k.saver()
    if form == "list":
        return k.saver(own)
    if form == "dict of a list":
        return k.saver({"key": own})
    return k.saver({"key": k.whole("w", [3, 2], own, [2, 1])})


def unknown_shape(k: Any) -> Any:
    k.variable(k.unknown(), name="v", validate_shape=False)
    return k.saver(reshape=True)


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "two": two,
    "reshape": lambda k: two(k, reshape=True),
    "unknown shape": unknown_shape,
    "filename": lambda k: two(k, filename="other"),
    "name": lambda k: two(k, name="mine"),
    "V1": lambda k: two(k, write_version=1),
    "one by one": lambda k: two(k, builder=k.one_by_one()),
    "in order": lambda k: two(k, restore_sequentially=True),
    "retention": lambda k: two(k, max_to_keep=None, keep_checkpoint_every_n_hours=2),
    "named": named,
    "placed": placed,
    "sharded": lambda k: placed(k, sharded=True),
    "sharded V1": lambda k: placed(k, sharded=True, write_version=1),
    "sharded on no device": lambda k: two(k, sharded=True),
    "sharded with reshape": lambda k: placed(k, sharded=True, reshape=True),
    "in a scope": in_a_scope,
    **{
        f"partitioned, {form}, {'resource' if resource else 'ref'}": (
            lambda k, resource=resource, form=form: partitioned(k, resource, form)
        )
        for resource in (False, True)
        for form in ("all", "list", "dict of a list", "dict")
    },
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_tensorflow_builds_it(name: str) -> None:
    program = PROGRAMS[name]
    found: list[Any] = []
    theirs = oracle.graph_def(lambda tf: found.append(program(Theirs(tf))))
    # It does nothing for the one run that saves, and no TensorFlow before 2.10 could read the file.
    for node in [n for n in theirs.node if n.op == "DisableCopyOnRead"]:
        theirs.node.remove(node)
    graph = Graph()
    saver_def = program(Ours(graph))
    ours = graph_to_proto(graph)
    assert [n.name for n in ours.node] == [n.name for n in theirs.node]
    for node, want in zip(ours.node, theirs.node, strict=True):
        for message in (node, want):
            message.ClearField("experimental_type")
            if "_has_manual_control_dependencies" in message.attr:
                del message.attr["_has_manual_control_dependencies"]
        assert node == proto.as_ours(want, proto.NodeDef), node.name
    assert saver_def == proto.as_ours(found[0], proto.SaverDef)
