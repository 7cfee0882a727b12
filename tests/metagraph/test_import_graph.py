"""import_graph_def: names, mapped inputs, returned elements, scopes, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

import regraft.ops  # noqa: F401  shapes are inferred by the registered ops
from regraft import proto
from regraft.ir.graph import Graph
from regraft.metagraph import import_graph_def
from regraft.opkit.builder import Builder
from regraft.serde.graph import graph_to_proto
from tests import oracle
from tests.metagraph.messages import FLOAT, graph_def, node, relu, x


def names(graph: Graph) -> list[str]:
    return [op.name for op in graph.get_operations()]


def as_tensorflow(*imports: tuple[proto.GraphDef, dict[str, Any]]) -> list[str]:
    """The names of the operations after these imports into one graph of TensorFlow's."""
    tf = oracle.tensorflow()
    with tf.Graph().as_default() as graph:
        for message, options in imports:
            tf.import_graph_def(tf.GraphDef.FromString(message.SerializeToString()), **options)
        return [op.name for op in graph.get_operations()]


ABC = graph_def(x("a"), relu("b", "a"), node("c", "NoOp", "^b"))


@pytest.mark.parametrize(
    "options",
    [
        [{}],
        [{}, {}],
        [{"name": "m"}, {"name": "m"}, {"name": "m_1"}],
        [{"name": ""}],
        [{"name": ""}, {"name": ""}, {"name": ""}],
        [{"name": "a"}, {"name": ""}],
        [{"name": "s/"}, {"name": "s/"}],
    ],
    ids=str,
)
def test_names(options: list[dict[str, Any]]) -> None:
    graph = Graph()
    for each in options:
        import_graph_def(graph, ABC, **each)
    assert names(graph) == as_tensorflow(*((ABC, each) for each in options))


def test_inputs_and_groups_follow_their_nodes_to_new_names() -> None:
    message = graph_def(x("a"), relu("b", "a", _class='list { s: "loc:@a" s: "other" }'))
    graph = Graph()
    for _ in range(2):
        import_graph_def(graph, message, name="")
    second = graph.get_operation_by_name("b_1")
    assert [t.name for t in second.inputs] == ["a_1:0"]
    assert second.attrs["_class"] == (b"loc:@a_1", b"other")
    import_graph_def(graph, message, name="p")
    assert graph.get_operation_by_name("p/b").colocation_groups() == [b"loc:@p/a"]
    assert [n.name for n in graph_to_proto(graph).node][-1] == "p/b"
    assert list(graph_to_proto(graph).node[-1].attr["_class"].list.s) == [b"loc:@p/a", b"other"]


def test_in_a_name_scope() -> None:
    graph = Graph()
    with graph.name_scope("outer"):
        import_graph_def(graph, graph_def(x("a")), name="m")
        import_graph_def(graph, graph_def(x("a")), name="")
    assert names(graph) == ["outer/m/a", "a"]


def test_names_of_an_import_are_taken() -> None:
    graph = Graph()
    import_graph_def(graph, graph_def(x("a"), x("m/b")), name="")
    assert graph.unique_name("a") == "a_1"


def test_return_elements() -> None:
    graph = Graph()
    message = graph_def(x("a"), node("d", "Unpack", "a", num="i: 2", T=FLOAT))
    found = import_graph_def(graph, message, return_elements=["a", "d:1", b"d"], name="p")
    assert found is not None
    assert found[0] is graph.get_operation_by_name("p/a")
    assert found[1] is graph.get_tensor_by_name("p/d:1")
    assert found[2] is graph.get_operation_by_name("p/d")
    assert import_graph_def(graph, message) is None
    assert import_graph_def(graph, message, return_elements=[]) == []


def test_input_map() -> None:
    graph = Graph()
    b = Builder(graph)
    one, two = b.constant([1.0], name="one"), b.constant([2.0], name="two")
    message = graph_def(
        x("a"), node("d", "Unpack", "a", num="i: 2", T=FLOAT), relu("r", "d"), relu("s", "d:1"), node("n", "NoOp", "^a")
    )
    found = import_graph_def(
        graph, message, {"d": one, b"d:1": two, "^a": one.op}, ["r", "s", "n", "d:1", "d"], name="p"
    )
    assert found is not None
    assert found[0].inputs[0] is one
    assert found[1].inputs[0] is two
    assert found[2].control_inputs == [one.op]
    assert found[3] is two
    assert found[4] is graph.get_operation_by_name("p/d")


def test_a_mapped_name_need_not_be_in_the_graph() -> None:
    graph = Graph()
    outside = Builder(graph).constant([1.0])
    found = import_graph_def(graph, graph_def(relu("r", "$elsewhere")), {"$elsewhere": outside}, ["r"])
    assert found is not None
    assert found[0].inputs[0] is outside


def test_mapped_values_become_tensors_below_the_import() -> None:
    graph = Graph()
    found = import_graph_def(graph, graph_def(relu("r", "a")), {"a": [1.0, 2.0]}, ["r"], name="p")
    assert found is not None
    assert found[0].inputs[0].op.name.startswith("p/_inputs/")


def test_devices_controls_and_groups_of_the_place() -> None:
    tf = oracle.tensorflow()
    message = graph_def(
        x("a", device="/job:ps/task:1"),
        x("b"),
        relu("c", "b", _class='list { s: "loc:@a" }', device="/gpu:3"),
        relu("d", "b", _class='list { s: "loc:@b" }', device="/gpu:3"),
    )

    with tf.Graph().as_default() as theirs, tf.device("/job:w/cpu:0"):
        first = tf.constant(1.0, name="first")
        with tf.control_dependencies([first]):
            tf.import_graph_def(tf.GraphDef.FromString(message.SerializeToString()), name="")
    graph = Graph()
    with graph.device("/job:w/cpu:0"):
        own_first = Builder(graph).constant(1.0, name="first")
        with graph.control_dependencies([own_first]):
            import_graph_def(graph, message, name="")
    assert {op.name: op.device for op in graph.get_operations()} == {
        op.name: op.device for op in theirs.get_operations()
    }
    assert {op.name: {c.name for c in op.control_inputs} for op in graph.get_operations()} == {
        op.name: {c.name for c in op.control_inputs} for op in theirs.get_operations()
    }


def test_devices_can_be_cleared() -> None:
    graph = Graph()
    import_graph_def(graph, graph_def(x("a", device="/gpu:7")), name="", clear_devices=True)
    assert graph.get_operation_by_name("a").device == ""
    assert graph_to_proto(graph).node[0].device == ""


def test_the_callers_message_stays_as_it_is() -> None:
    message = graph_def(x("a"), node("s", "Shape", "a", T=FLOAT))
    before = message.SerializeToString(deterministic=True)
    graph = Graph()
    import_graph_def(graph, message)
    message.node[0].name = "changed"
    assert graph.get_operation_by_name("import/s").attrs["out_type"].name == "int32"
    message.node[0].name = "a"
    assert message.SerializeToString(deterministic=True) == before


OP_LIST = proto.parse_text(
    'op { name: "NoOp" attr { name: "new" type: "int" default_value { i: 3 } } attr { name: "must" type: "int" } }',
    proto.OpList,
)


def test_an_unknown_attribute_with_its_programs_default_is_dropped() -> None:
    graph = Graph()
    import_graph_def(graph, graph_def(node("a", "NoOp", new="i: 3")), name="", producer_op_list=OP_LIST)
    assert "new" not in graph.get_operation_by_name("a").attrs


@pytest.mark.parametrize("attr", [{"new": "i: 4"}, {"must": "i: 3"}, {"other": "i: 3"}])
def test_an_unknown_attribute_that_says_something_is_refused(attr: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="NodeDef mentions attr"):
        import_graph_def(Graph(), graph_def(node("a", "NoOp", **attr)), producer_op_list=OP_LIST)


def test_a_failed_import_leaves_the_graph_as_it_was() -> None:
    graph = Graph()
    import_graph_def(graph, ABC, name="")
    version = graph.version
    with pytest.raises(ValueError, match="Unknown input node"):
        import_graph_def(graph, graph_def(x("z"), relu("y", "nowhere")), name="")
    assert names(graph) == ["a", "b", "c"]
    assert graph.version == version


def test_versions_are_merged() -> None:
    graph = Graph()
    import_graph_def(graph, graph_def(x("a"), producer=21))
    second = graph_def(x("a"), producer=24)
    second.versions.min_consumer = 5
    import_graph_def(graph, second)
    assert (graph.producer, graph.min_consumer) == (21, 5)


REFUSED: dict[str, tuple[type[Exception], Any, dict[str, Any]]] = {
    "graph_def must be a GraphDef proto": (TypeError, "no message", {}),
    "input_map must be a dictionary": (TypeError, ABC, {"input_map": [1]}),
    "input_map must be a dictionary mapping": (TypeError, ABC, {"input_map": {1: 2}}),
    "return_elements must be a list of strings": (TypeError, ABC, {"return_elements": [7]}),
    "requires a non-empty `name`": (ValueError, ABC, {"input_map": {"a": 1.0}, "name": ""}),
    "Cannot convert 'A:B:0' to a tensor name": (ValueError, ABC, {"return_elements": ["A:B:0"]}),
    "to a tensor name": (ValueError, ABC, {"input_map": {"A:B:0": 1.0}}),
    "Attempted to map inputs that were not found in graph_def: .z:0.": (ValueError, ABC, {"input_map": {"z": 1.0}}),
    "not found in graph_def: .a:1.": (ValueError, ABC, {"input_map": {"a:1": 1.0}}),
    "Requested return node 'z' not found in graph def": (ValueError, ABC, {"return_elements": ["z"]}),
    "Requested return tensor 'z:0' not found in graph def": (ValueError, ABC, {"return_elements": ["z:0"]}),
    "Invalid return output 1 of node 'a', which has 1 output": (ValueError, ABC, {"return_elements": ["a:1"]}),
    "was passed int32 from .* incompatible with expected float": (ValueError, ABC, {"input_map": {"a": 1}}),
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused(words: str) -> None:
    kind, message, options = REFUSED[words]
    with pytest.raises(kind, match=words):
        import_graph_def(Graph(), message, **options)


def test_recorded_shapes_that_cannot_be() -> None:
    shape = "shape { dim { size: 5 } }"
    good = node("a", "Placeholder", dtype=FLOAT, shape=shape, _output_shapes=f"list {{ {shape} }}")
    graph = Graph()
    import_graph_def(graph, graph_def(good), name="")
    assert graph.get_tensor_by_name("a:0").shape.as_list() == [5]
    bad = node("b", "Placeholder", dtype=FLOAT, shape=shape, _output_shapes="list { shape { dim { size: 4 } } }")
    with pytest.raises(
        ValueError, match="has an _output_shapes attribute inconsistent with the GraphDef for output #0"
    ):
        import_graph_def(graph, graph_def(bad), name="")
    assert names(graph) == ["a"]


def test_a_finished_graph_takes_nothing() -> None:
    graph = Graph()
    graph.finalize()
    with pytest.raises(RuntimeError, match="finalized"):
        import_graph_def(graph, ABC)


def test_a_mapped_tensor_of_another_graph() -> None:
    with pytest.raises(ValueError, match="not an element of this graph"):
        import_graph_def(Graph(), ABC, {"a": Builder(Graph()).constant(1.0)})


def test_functions_of_two_imports() -> None:
    function = 'library { function { signature { name: "f" } %s } }'
    one = proto.parse_text(function % "", proto.GraphDef)
    other = proto.parse_text(function % 'node_def { name: "n" op: "NoOp" }', proto.GraphDef)
    graph = Graph()
    import_graph_def(graph, one)
    import_graph_def(graph, one)
    assert list(graph.functions) == ["f"]
    with pytest.raises(ValueError, match="already defined"):
        import_graph_def(graph, other)
