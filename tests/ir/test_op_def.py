"""Built-in OpDefs against the registry of real TensorFlow, and the registry's own rules."""

import numpy as np
import pytest

from regraft.base import dtypes
from regraft.base.errors import AlreadyExistsError
from regraft.base.shapes import TensorShape
from regraft.ir.attr import TensorValue
from regraft.ir.op_def import REGISTRY, ArgDef, AttrDef, OpDef, OpRegistry, lookup, names


def test_matmul_has_the_signature_that_tensorflow_documents() -> None:
    op = lookup("MatMul")
    assert op is not None
    assert op.inputs == (ArgDef("a", type_attr="T"), ArgDef("b", type_attr="T"))
    assert op.outputs == (ArgDef("product", type_attr="T"),)
    assert op.attrs["transpose_a"] == AttrDef("transpose_a", "bool", default=False, has_default=True)
    assert not op.attrs["T"].has_default
    assert dtypes.float32 in (op.attrs["T"].allowed or ())
    assert dtypes.string not in (op.attrs["T"].allowed or ())
    assert not op.is_stateful


@pytest.mark.parametrize(
    ("op_name", "attr", "default"),
    [
        ("Conv2D", "padding", None),
        ("Conv2D", "dilations", (1, 1, 1, 1)),
        ("Conv2D", "data_format", b"NHWC"),
        ("LRN", "alpha", 1.0),
        ("Placeholder", "shape", TensorShape(None)),
        ("Cumsum", "exclusive", False),
        ("TruncatedNormal", "seed", 0),
        ("Shape", "out_type", dtypes.int32),
        ("ParseExample", "Tdense", None),
        ("FIFOQueueV2", "shapes", ()),
    ],
)
def test_defaults_have_the_value_forms_of_the_graph(op_name: str, attr: str, default: object) -> None:
    op = lookup(op_name)
    assert op is not None
    found = op.attrs[attr]
    assert (found.default, type(found.default), found.has_default) == (
        default,
        type(default),
        default is not None,
    )


def test_tensor_default_has_its_type_and_elements() -> None:
    op = lookup("ImageSummary")
    assert op is not None
    default = op.attrs["bad_color"].default
    assert default.dtype is dtypes.uint8
    assert default.array.dtype == np.uint8
    np.testing.assert_array_equal(default.array, [255, 0, 0, 255])


def test_reference_arguments_and_lists_of_arguments() -> None:
    assign, concat, run = lookup("Assign"), lookup("ConcatV2"), lookup("PartitionedCall")
    assert assign and concat and run
    assert assign.inputs[0] == ArgDef("ref", type_attr="T", is_ref=True)
    assert assign.allows_uninitialized_input
    assert concat.inputs[0] == ArgDef("values", type_attr="T", number_attr="N")
    assert concat.attrs["N"].minimum == 2
    assert run.inputs == (ArgDef("args", type_list_attr="Tin"),)
    assert run.inputs[0].is_list and not assign.inputs[0].is_list


def test_op_of_1_x_that_was_dropped_is_known() -> None:
    op = lookup("GatherTree")
    assert op is not None
    assert [arg.name for arg in op.inputs] == ["step_ids", "parent_ids", "max_sequence_lengths", "end_token"]


def test_unknown_op_is_none() -> None:
    assert lookup("NoSuchOp") is None


def test_a_registry_of_its_own_hides_the_shared_one() -> None:
    graph = OpRegistry(REGISTRY)
    mine = OpDef("MatMul", inputs=(ArgDef("x", type=1),))
    graph.register(mine)
    graph.register(OpDef("Mine"))
    assert graph.lookup("MatMul") is mine
    assert graph.lookup("Relu") is lookup("Relu")
    assert lookup("Mine") is None
    assert sorted(graph.names()) == sorted([*names(), "Mine"])


def test_registering_again_needs_the_same_signature() -> None:
    registry = OpRegistry(REGISTRY)
    for _ in range(2):
        color = TensorValue(dtypes.int64, np.array([1, 2]))
        registry.register(OpDef("Mine", attrs={"color": AttrDef("color", "tensor", color, has_default=True)}))
    with pytest.raises(AlreadyExistsError, match="'Mine'"):
        registry.register(OpDef("Mine", is_stateful=True))


def test_a_built_in_op_cannot_be_redefined_for_the_process() -> None:
    with pytest.raises(AlreadyExistsError, match="'MatMul'"):
        REGISTRY.register(OpDef("MatMul"))
