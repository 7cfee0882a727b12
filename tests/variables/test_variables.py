"""What variables say of themselves, their way through VariableDef, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import regraft.ops  # noqa: F401  shapes are inferred by the registered ops
from regraft import proto
from regraft.base import dtypes
from regraft.ir.graph import Graph
from regraft.opkit.builder import Builder
from regraft.variables import (
    RefVariable,
    ResourceVariable,
    SaveSliceInfo,
    VariableAggregation,
    VariableSynchronization,
    make_variable,
    variable_from_proto,
)
from tests import oracle

KINDS = pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])


@KINDS
def test_properties(resource: bool) -> None:
    graph = Graph()
    v = make_variable(graph, np.ones([2, 3]), resource, name="v", constraint=abs)
    assert isinstance(v, ResourceVariable if resource else RefVariable)
    assert (v.name, v.op.name, v.graph, v.device) == ("v:0", "v", graph, "")
    assert v.dtype == (dtypes.float64 if resource else dtypes.float64.ref)
    assert v.shape.as_list() == v.get_shape().as_list() == [2, 3]
    assert v.initializer.name == "v/Assign"
    assert v.trainable
    assert v.constraint is abs
    assert v.synchronization is VariableSynchronization.AUTO
    assert v.aggregation is VariableAggregation.NONE
    assert graph.get_collection("variables") == graph.get_collection("trainable_variables") == [v]
    assert len({v, v}) == 1
    assert (v == v) is True
    assert (v == 1.0) is False


@KINDS
def test_collections(resource: bool) -> None:
    graph = Graph()
    v = make_variable(graph, 1.0, resource, trainable=False, collections=["mine"])
    assert graph.get_all_collection_keys() == ["mine"]
    w = make_variable(graph, 1.0, resource, collections=["mine"])
    assert graph.get_collection("mine") == [v, w]
    assert graph.get_collection("trainable_variables") == [w]
    r = make_variable(graph, 1.0, resource, synchronization=VariableSynchronization.ON_READ)
    assert not r.trainable


@KINDS
def test_stands_for_a_tensor(resource: bool) -> None:
    graph = Graph()
    b = Builder(graph)
    v = make_variable(graph, [1.0, 2.0], resource, name="v")
    y = b.op("Relu", v)
    assert y.op.inputs[0].dtype is dtypes.float32
    assert graph.as_graph_element(v).name == ("v/Read/ReadVariableOp:0" if resource else "v:0")
    with pytest.raises(ValueError, match="Incompatible type conversion requested to type"):
        b.convert(v, dtypes.int32)
    with pytest.raises(TypeError, match="not iterable"):
        iter(v)
    if resource:
        with pytest.raises(TypeError, match="bool"):
            bool(v)
    else:
        assert bool(v)  # an object like any other, in TensorFlow too


REFUSED: dict[str, dict[str, Any]] = {
    "initial_value must be specified": {"initial_value": None},
    "collections argument to Variable constructor must be a list": {"collections": "one"},
    "The `constraint` argument must be a callable": {"constraint": 3},
}


@KINDS
@pytest.mark.parametrize("words", REFUSED)
def test_refused(words: str, resource: bool) -> None:
    options = {"initial_value": 1.0, **REFUSED[words]}
    with pytest.raises(ValueError, match=words):
        make_variable(Graph(), options.pop("initial_value"), resource, **options)


def test_an_unknown_shape_is_refused() -> None:
    graph = Graph()
    unknown = Builder(graph).op("Placeholder", dtype=dtypes.float32)
    with pytest.raises(ValueError, match="initial_value must have a shape specified"):
        make_variable(graph, unknown)
    assert make_variable(graph, unknown, validate_shape=False).shape.rank is None
    assert make_variable(graph, unknown, True).shape.rank is None


def test_a_value_of_another_shape_is_refused() -> None:
    v = make_variable(Graph(), [1.0, 2.0], True)
    with pytest.raises(ValueError, match="Shape mismatch"):
        v.assign([1.0])


@KINDS
def test_rows_must_be_slices(resource: bool) -> None:
    v: Any = make_variable(Graph(), [1.0, 2.0], resource)
    with pytest.raises(TypeError, match="IndexedSlices"):
        v.scatter_add([1.0])


def their_variable(resource: bool, part: bool) -> tuple[Any, Any]:
    """A GraphDef and VariableDef by TensorFlow."""
    tf = oracle.tensorflow()
    with tf.Graph().as_default() as graph, tf.name_scope("s"):
        v = tf.Variable([1.0, 2.0], name="v", use_resource=resource, trainable=False, caching_device="/cpu:0")
        if part:
            v._set_save_slice_info(tf.Variable.SaveSliceInfo("s/whole", [4], [2], [2]))
        return graph.as_graph_def(), v.to_proto()


@KINDS
@pytest.mark.parametrize("part", [False, True])
def test_through_a_variable_def(resource: bool, part: bool) -> None:
    from regraft.serde.graph import graph_from_proto

    nodes, theirs = their_variable(resource, part)
    graph = graph_from_proto(nodes)
    v = variable_from_proto(graph, theirs)
    assert isinstance(v, ResourceVariable if resource else RefVariable)
    assert v.to_proto() == proto.as_ours(theirs, proto.VariableDef)
    assert v.to_proto(export_scope="elsewhere") is None
    inner = v.to_proto(export_scope="s")
    assert (inner.variable_name, inner.initializer_name) == ("v:0", "v/Assign")
    assert not v.trainable
    assert v.shape.as_list() == [2]
    info = v._get_save_slice_info()
    assert (info is not None) is part
    if info is not None:
        assert info.spec == "4 2,2"
        assert inner.save_slice_info_def.full_name == "whole"


def test_a_snapshot_that_no_file_names() -> None:
    from regraft.serde.graph import graph_from_proto

    nodes, theirs = their_variable(True, False)
    theirs.snapshot_name = ""
    v = variable_from_proto(graph_from_proto(nodes), theirs)
    assert v._as_graph_element().name == "s/v/Read/ReadVariableOp:0"


def test_nodes_that_are_not_there() -> None:
    with pytest.raises(KeyError, match="gone"):
        variable_from_proto(Graph(), proto.VariableDef(variable_name="gone:0"))


def test_slice_info() -> None:
    info = SaveSliceInfo("whole", [10, 4], [0, 2], [10, 2])
    assert info.spec == "10 4 0,10:2,2"
    message = info.to_proto()
    assert SaveSliceInfo(save_slice_info_def=message, import_scope="s").full_name == "s/whole"
    assert info.to_proto("other") is None


def test_operators_of_the_values() -> None:
    graph = Graph()
    v = make_variable(graph, [1.0, 2.0], name="v")
    assert (2.0 * v).op.inputs[1].name == "v/read:0"


@KINDS
def test_set_shape(resource: bool) -> None:
    graph = Graph()
    unknown = Builder(graph).op("Placeholder", dtype=dtypes.float32)
    v = make_variable(graph, unknown, resource, validate_shape=False)
    v.set_shape([3])
    assert v.shape.as_list() == [3]
    with pytest.raises(ValueError, match="incompatible"):
        v.set_shape([4])
