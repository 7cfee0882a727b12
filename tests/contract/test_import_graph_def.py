"""Contract, section 4: import_graph_def."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from regraft.ir import op_def
from regraft.opkit import registry
from tests.contract.models import FLOAT, const, graph_def, names, node

A_B = const("A") + node("B", "Neg", "A")
SHAPES = 'attr { key: "_output_shapes" value { list { %s } } }'


def _import(tf: Any, text: str = A_B, producer: int = 1000, min_consumer: int = 0, **options: Any) -> Any:
    return tf.import_graph_def(graph_def(tf, text, producer, min_consumer=min_consumer), **options)


# Arguments

ARGUMENTS: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "graph_def that is no GraphDef": (lambda tf: tf.import_graph_def("x"), TypeError, "must be a GraphDef proto"),
    "graph_def that is another message": (
        lambda tf: tf.import_graph_def(tf.MetaGraphDef()),
        TypeError,
        "must be a GraphDef proto",
    ),
    "input_map that is no dictionary": (lambda tf: _import(tf, input_map=[1]), TypeError, "must be a dictionary"),
    "input_map with other keys than strings": (
        lambda tf: _import(tf, input_map={1: tf.constant(1.0)}),
        TypeError,
        "input_map",
    ),
    "return_elements that are no strings": (
        lambda tf: _import(tf, return_elements=[7]),
        TypeError,
        "return_elements` must be a list of strings|return_elements must be a list of strings",
    ),
    "input_map with values that are no tensors, at the root": (
        lambda tf: _import(tf, input_map={"A": 5.0}, name=""),
        ValueError,
        "requires a non-empty `name` if `input_map` contains non-Tensor values",
    ),
    "input_map with a name of three parts": (
        lambda tf: _import(tf, input_map={"A:B:0": tf.constant(1.0)}),
        ValueError,
        "Cannot convert 'A:B:0' to a tensor name",
    ),
    "input_map with a key that is not in graph_def": (
        lambda tf: _import(tf, input_map={"Q": tf.constant(1.0)}),
        ValueError,
        r"Attempted to map inputs that were not found in graph_def: \[Q:0\]",
    ),
    "input_map with an output that there is not": (
        lambda tf: _import(tf, input_map={"A:1": tf.constant(1.0)}),
        ValueError,
        r"Attempted to map inputs that were not found in graph_def: \[A:1\]",
    ),
    "input_map with None": (lambda tf: _import(tf, input_map={"A": None}), ValueError, "None values not supported"),
    "input_map with another dtype": (
        lambda tf: _import(tf, input_map={"A": tf.constant(1)}),
        ValueError,
        "was passed int32 from .* incompatible with expected float",
    ),
    "return_elements with an unknown node": (
        lambda tf: _import(tf, return_elements=["Q"]),
        ValueError,
        "Requested return node 'Q' not found in graph def",
    ),
    "return_elements with a tensor of an unknown node": (
        lambda tf: _import(tf, return_elements=["Q:0"]),
        ValueError,
        "Requested return tensor 'Q:0' not found in graph def",
    ),
    "return_elements with an output that there is not": (
        lambda tf: _import(tf, return_elements=["A:1"]),
        ValueError,
        r"Invalid return output 1 of node 'A', which has 1 output\(s\)",
    ),
    "name that is none": (lambda tf: _import(tf, name="a b"), ValueError, "is not a valid root scope name"),
}


@pytest.mark.parametrize("row", ARGUMENTS.values(), ids=ARGUMENTS.keys())
def test_argument_refused(tf: Any, row: Any) -> None:
    call, error, words = row
    with pytest.raises(error, match=words):
        call(tf)


# Nodes

P = 'attr { key: "dtype" value { type: DT_FLOAT } }'
NORM = node(
    "B",
    "BatchNormWithGlobalNormalization",
    *["p"] * 5,
    attrs=FLOAT
    + 'attr { key: "variance_epsilon" value { f: 1 } } attr { key: "scale_after_normalization" value { b: true } }',
)

NODES: dict[str, tuple[str, type[Exception], str]] = {
    "unknown input": (node("B", "Neg", "A"), ValueError, "Node 'B': Unknown input node 'A'"),
    "unknown control input": (const("A") + node("B", "Neg", "A", "^Q"), ValueError, r"Unknown input node '\^Q'"),
    "invalid output": (
        const("A") + node("B", "Neg", "A:1"),
        ValueError,
        "Connecting to invalid output 1 of source node .*A which has 1 outputs",
    ),
    "two nodes of one name": (const("A") + const("A"), ValueError, "Node 'A' is not unique"),
    "invalid characters": (const("A b"), ValueError, "Node 'A b': Node name contains invalid characters"),
    "underscore in front": (const("_A"), ValueError, "Node '_A': Node name contains invalid characters"),
    "no operation": ('node { name: "A" }', ValueError, "Node 'A' does not specify an operation"),
    "control input before data": (
        const("A") + node("B", "Neg", "^A", "A"),
        ValueError,
        "Control dependencies must come after regular dependencies",
    ),
    "colocation with an unknown node": (
        const("A") + node("B", "Neg", "A", attrs=FLOAT + 'attr { key: "_class" value { list { s: "loc:@Q" } } }'),
        ValueError,
        "expects to be colocated with unknown node 'Q'",
    ),
    "wrong input type": (
        const("A", "DT_INT32") + node("B", "Neg", "A"),
        ValueError,
        "Input 0 of node import/B was passed int32 from import/A:0 incompatible with expected float",
    ),
    "too few inputs": (
        const("A") + node("B", "Add", "A"),
        ValueError,
        "NodeDef expected inputs 'float, float' do not match 1 inputs specified",
    ),
    "too many inputs": (
        const("A") + node("B", "Neg", "A", "A"),
        ValueError,
        "NodeDef expected inputs 'float' do not match 2 inputs specified",
    ),
    "missing attribute": (const("A") + node("B", "Neg", "A", attrs=""), ValueError, "NodeDef missing attr 'T'"),
    "cycle": (node("A", "Neg", "B") + node("B", "Neg", "A"), ValueError, "2 nodes in a cycle"),
    "recorded shape that cannot be": (
        const("A") + node("B", "Neg", "A", attrs=FLOAT + SHAPES % "shape { dim { size: 3 } }"),
        ValueError,
        "has an _output_shapes attribute inconsistent with the GraphDef for output #0",
    ),
    "too few recorded shapes": (
        const("A") + node("B", "Neg", "A", attrs=FLOAT + SHAPES % ""),
        ValueError,
        "has 1 outputs but the _output_shapes attribute specifies shapes for 0 outputs",
    ),
}


@pytest.mark.parametrize("row", NODES.values(), ids=NODES.keys())
def test_node_refused(tf: Any, row: Any) -> None:
    text, error, words = row
    with pytest.raises(error, match=words):
        _import(tf, text)


def test_back_edge_to_another_node_than_merge(tf: Any) -> None:
    with pytest.raises(ValueError, match="nodes in a cycle|back edge"):
        _import(tf, node("A", "NextIteration", "B") + node("B", "Neg", "A"))


def test_op_that_the_version_of_the_nodes_must_not_use(tf: Any) -> None:
    with pytest.raises(
        tf.errors.UnimplementedError, match="is not available in GraphDef version 1000. It has been rem"
    ):
        _import(tf, node("p", "Placeholder", attrs=P) + NORM)
    _import(tf, node("p", "Placeholder", attrs=P) + NORM, producer=8)


def test_versions_that_do_not_fit(tf: Any) -> None:
    with pytest.raises(ValueError, match="GraphDef producer version -1 below min producer 0 supported"):
        _import(tf, producer=-1)
    with pytest.raises(ValueError, match="GraphDef min consumer version 1000000 above current version"):
        _import(tf, min_consumer=10**6)


def test_unknown_op_is_imported_and_fails_when_it_runs(rg: Any) -> None:
    """TensorFlow raises NotFoundError here; a graph of which the known part is wanted opens in Regraft."""
    op = _import(rg, node("B", "NoSuchOp"), return_elements=["B"])[0]
    with rg.Session() as sess, pytest.raises(rg.errors.UnimplementedError, match="NoSuchOp"):
        sess.run(op)


# What comes of it


def test_names_and_prefixes(tf: Any) -> None:
    assert _import(tf) is None
    assert names(tf) == ["import/A", "import/B"]
    _import(tf)
    assert names(tf)[2:] == ["import_1/A", "import_1/B"]
    _import(tf, name="")
    _import(tf, name="")
    assert names(tf)[4:] == ["A", "B", "A_1", "B_1"]
    _import(tf, name="x/")
    _import(tf, name="x/")
    assert names(tf)[8:] == ["x/A", "x/B", "x/A_1", "x/B_1"]
    with tf.name_scope("ns"):
        _import(tf, name="n")
    assert names(tf)[-1] == "ns/n/B"


def test_input_map_keys(tf: Any) -> None:
    c = tf.constant(3.0, name="c")
    for key in ("A", "A:0", b"A:0"):
        (b,) = _import(tf, input_map={key: c}, return_elements=["B"])
        assert b.inputs[0].name == "c:0"
        assert b.name.replace("B", "A") in names(tf)  # mapped nodes are imported all the same


def test_input_map_with_values(tf: Any) -> None:
    (b,) = _import(tf, input_map={"A": 5.0}, return_elements=["B:0"], name="i")
    assert b.op.inputs[0].name == "i/_inputs/Const:0"
    with tf.Session() as sess:
        assert sess.run(b) == -5.0


def test_input_map_with_a_name_that_is_only_consumed(tf: Any) -> None:
    c = tf.constant(2.0)
    (b,) = _import(tf, node("B", "Neg", "Z"), input_map={"Z:0": c}, return_elements=["B"])
    assert b.inputs[0] is c


def test_input_map_with_a_control_input(rg: Any) -> None:
    c = rg.no_op(name="c")
    (b,) = _import(rg, const("A") + node("B", "Neg", "A", "^A"), input_map={"^A": c}, return_elements=["B"])
    assert b.control_inputs == [c]


def test_return_elements(tf: Any) -> None:
    a, b = _import(tf, return_elements=["A", b"B:0"])
    assert (a.name, b.name) == ("import/A", "import/B:0")
    c = tf.constant(2.0, name="c")
    mapped, op = _import(tf, input_map={"A": c}, return_elements=["A:0", "A"])
    assert mapped is c
    assert op.name == "import_1/A"
    assert _import(tf, return_elements=[]) == []


def test_nodes_in_any_order_and_loops(tf: Any) -> None:
    frame = FLOAT + 'attr { key: "frame_name" value { s: "f" } }'
    merge = FLOAT + 'attr { key: "N" value { i: 2 } }'
    text = node("n", "NextIteration", "m") + node("m", "Merge", "e", "n", attrs=merge)
    (m,) = _import(tf, text + node("e", "Enter", "c", attrs=frame) + const("c"), return_elements=["m"])
    assert [t.name for t in m.inputs] == ["import/e:0", "import/n:0"]


def test_control_inputs_are_taken_once(tf: Any) -> None:
    (b,) = _import(tf, const("A") + node("B", "Neg", "A", "^A", "^A"), return_elements=["B"])
    assert [c.name for c in b.control_inputs] == ["import/A"]


def test_colocation_groups_get_the_prefix(tf: Any) -> None:
    group = FLOAT + 'attr { key: "_class" value { list { s: "loc:@A" } } }'
    (b,) = _import(tf, const("A") + node("B", "Neg", "A", attrs=group), return_elements=["B"])
    assert b.colocation_groups() == [b"loc:@import/A"]


def test_recorded_shapes_are_taken_and_not_kept(tf: Any) -> None:
    shape = P + SHAPES % "shape { dim { size: 3 } }"
    (p,) = _import(tf, node("p", "Placeholder", attrs=shape), return_elements=["p:0"])
    assert p.shape.as_list() == [3]
    assert "_output_shapes" not in p.op.node_def.attr


def test_attribute_with_the_default_of_its_program_is_dropped(tf: Any) -> None:
    from tests.contract.models import copy

    extra = FLOAT + 'attr { key: "new" value { i: 3 } }'
    op_list = copy(tf.MetaGraphDef().meta_info_def.stripped_op_list)
    op = op_list.op.add(name="Neg")
    op.input_arg.add(name="x", type_attr="T")
    op.output_arg.add(name="y", type_attr="T")
    op.attr.add(name="T", type="type")
    op.attr.add(name="new", type="int").default_value.i = 3
    text = const("A") + node("B", "Neg", "A", attrs=extra)
    (b,) = _import(tf, text, producer_op_list=op_list, return_elements=["B"])
    assert "new" not in b.node_def.attr


def test_unknown_attribute_that_says_something_is_refused(rg: Any) -> None:
    """As in TensorFlow 1.15; today's reads over it."""
    with pytest.raises(ValueError, match="NodeDef mentions attr 'new' not in Op<name=Neg"):
        _import(rg, const("A") + node("B", "Neg", "A", attrs=FLOAT + 'attr { key: "new" value { i: 3 } }'))


def test_versions_are_merged(tf: Any) -> None:
    _import(tf, producer=40, min_consumer=12)
    versions = tf.get_default_graph().graph_def_versions
    assert (versions.producer, versions.min_consumer) == (40, 12)


def test_functions_keep_their_names_and_must_not_differ(tf: Any) -> None:
    function = (
        'library { function { signature { name: "Foo" input_arg { name: "x" type: DT_FLOAT } '
        'output_arg { name: "y" type: DT_FLOAT } } node_def { name: "n" op: "%s" input: "x" '
        'attr { key: "T" value { type: DT_FLOAT } } } ret { key: "y" value: "n:y:0" } } }'
    )
    (b,) = _import(tf, const("A") + node("B", "Foo", "A", attrs="") + function % "Neg", return_elements=["B:0"])
    with tf.Session() as sess:
        assert sess.run(b) == -1.0
    assert [f.signature.name for f in tf.get_default_graph().as_graph_def().library.function] == ["Foo"]
    with pytest.raises(ValueError, match="already (exists|defined)"):
        _import(tf, const("A") + function % "Abs")


# Scopes of the place where the import stands


def test_device_scopes_fill_up_devices(tf: Any) -> None:
    with tf.device("/job:ps"):
        a, b = _import(tf, const("A") + node("B", "Neg", "A", device="/gpu:0"), return_elements=["A", "B"])
    assert (a.device, b.device) == ("/job:ps", "/job:ps/device:GPU:0")


def test_device_functions_see_the_operation(tf: Any) -> None:
    with tf.device(lambda op: f"/device:CPU:{len(op.inputs)}"):
        a, b = _import(tf, return_elements=["A", "B"])
    assert (a.device, b.device) == ("/device:CPU:0", "/device:CPU:1")


def test_control_dependencies_colocation_and_gradient_overrides(tf: Any) -> None:
    c = tf.no_op(name="c")
    graph = tf.get_default_graph()
    with tf.control_dependencies([c]):
        (a,) = _import(tf, return_elements=["A"])
    assert a.control_inputs == [c]
    with tf.colocate_with(c):
        (b,) = _import(tf, return_elements=["B"])
    assert b.colocation_groups() == [b"loc:@c"]
    with graph.gradient_override_map({"Neg": "Other"}):
        (b,) = _import(tf, return_elements=["B"])
    assert b.get_attr("_gradient_op_type") == b"Other"


def test_inside_a_loop(tf: Any) -> None:
    outside = tf.constant(2.0, name="outside")

    def body(i: Any) -> Any:
        text = const("A") + node("B", "Mul", "A", "Z")
        return i + _import(tf, text, input_map={"Z": outside}, return_elements=["B:0"])[0]

    last = tf.while_loop(lambda i: i < 5.0, body, [0.0])
    by_name = {op.name: op for op in tf.get_default_graph().get_operations()}
    assert by_name["while/import/B"].inputs[1].op.type == "Enter"
    assert [c.name for c in by_name["while/import/A"].control_inputs] == ["while/Identity"]
    with tf.Session() as sess:
        assert sess.run(last) == 6.0


def test_a_loop_inside_a_branch(tf: Any) -> None:
    with tf.Graph().as_default() as other:
        tf.while_loop(lambda i: i < 3, lambda i: i + 1, [tf.constant(0)], name="w")
    taken = tf.placeholder(tf.bool, [])
    nodes = other.as_graph_def()
    y = tf.cond(taken, lambda: tf.import_graph_def(nodes, return_elements=["w/Exit:0"])[0], lambda: tf.constant(7))
    with tf.Session() as sess:
        assert [sess.run(y, {taken: on}) for on in (True, False)] == [3, 7]


# Op definitions at run time


def test_op_definition_registered_at_run_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import regraft
    import regraft.v1 as tf

    monkeypatch.setattr(registry, "_SPECS", dict(registry.all_specs()))
    monkeypatch.setattr(op_def.REGISTRY, "_defs", dict(op_def.REGISTRY._defs))
    regraft.register_op_def(
        """name: "ContractScale" input_arg { name: "x" type_attr: "T" } output_arg { name: "y" type_attr: "T" }
        attr { name: "T" type: "type" } attr { name: "factor" type: "int" default_value { i: 10 } }"""
    )

    @regraft.register_op("ContractScale")
    def scale(x: Any, *, factor: int) -> Any:
        return x * np.float32(factor)

    with tf.Graph().as_default():
        (y,) = _import(tf, const("A") + node("B", "ContractScale", "A"), return_elements=["B:0"])
        assert (y.dtype.name, y.op.get_attr("factor")) == ("float32", 10)
        with tf.Session() as sess:
            assert sess.run(y) == 10.0
        assert "ContractScale" in [o.name for o in tf.train.export_meta_graph().meta_info_def.stripped_op_list.op]
        with pytest.raises(ValueError, match="expected inputs 'float' do not match 2 inputs"):
            _import(tf, const("A") + node("B", "ContractScale", "A", "A"))
    with pytest.raises(regraft.v1.errors.AlreadyExistsError, match="ContractScale"):
        regraft.register_op_def('name: "ContractScale"')
    with pytest.raises(ValueError, match="no OpDef"):
        regraft.register_op_def("name: 5 {")
