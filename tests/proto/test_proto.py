"""Message types against TensorFlow's own descriptors, and both in one process."""

import contextlib
import pickle
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool

from regraft import proto
from regraft.proto import pool

# What TensorBoard defines, and not TensorFlow: it may be missing.
OF_TENSORBOARD = {"projector_config": "tensorboard.plugins.projector.projector_config_pb2"}

# What neither defines.
OF_OURS = {"example_list"}

# Where TensorFlow keeps the file of the same base name, unless it comes with `import tensorflow`.
FOLDERS = ("core.framework", "core.protobuf", "core.util", "core.example", "python.training")


def our_files() -> list[descriptor_pb2.FileDescriptorProto]:
    everything = descriptor_pb2.FileDescriptorSet.FromString(pool.descriptor_set()).file
    return [file for file in everything if not file.name.startswith("google/")]


def load_their_file(base: str) -> None:
    pytest.importorskip("tensorflow")
    for folder in FOLDERS:
        with contextlib.suppress(ImportError):
            import_module(f"tensorflow.{folder}.{base}_pb2")


def fields_of(message: descriptor_pb2.DescriptorProto) -> list[tuple[object, ...]]:
    oneofs = [oneof.name for oneof in message.oneof_decl]
    return sorted(
        (
            field.number,
            field.name,
            field.type,
            field.label,
            field.type_name.replace(".tensorflow.", ".regraft.").replace(".tensorboard.projector.", ".regraft."),
            oneofs[field.oneof_index] if field.HasField("oneof_index") else None,
            field.proto3_optional,
        )
        for field in message.field
    )


def compare(ours: descriptor_pb2.DescriptorProto, theirs: descriptor_pb2.DescriptorProto) -> None:
    assert fields_of(ours) == fields_of(theirs), ours.name
    assert {e.name: enum_values(e) for e in ours.enum_type} == {e.name: enum_values(e) for e in theirs.enum_type}
    nested = {message.name: message for message in theirs.nested_type}
    assert {message.name for message in ours.nested_type} == set(nested)
    for message in ours.nested_type:
        compare(message, nested[message.name])


def enum_values(enum: descriptor_pb2.EnumDescriptorProto) -> list[tuple[str, int]]:
    return [(value.name, value.number) for value in enum.value]


@pytest.mark.parametrize(
    "file", [f for f in our_files() if Path(f.name).stem not in OF_OURS], ids=lambda file: Path(file.name).stem
)
def test_fields_are_tensorflows(file: descriptor_pb2.FileDescriptorProto) -> None:
    stem, home = Path(file.name).stem, "tensorflow"
    if stem in OF_TENSORBOARD:
        pytest.importorskip(OF_TENSORBOARD[stem])
        home = "tensorboard.projector"
    else:
        load_their_file(stem)
    theirs = descriptor_pool.Default()
    package = file.package.replace("regraft", home)
    syntax = descriptor_pb2.FileDescriptorProto()
    for message in file.message_type:
        descriptor = theirs.FindMessageTypeByName(f"{package}.{message.name}")
        their_message = descriptor_pb2.DescriptorProto()
        descriptor.CopyToProto(their_message)
        compare(message, their_message)
        descriptor.file.CopyToProto(syntax)
        assert (file.syntax or "proto2") == (syntax.syntax or "proto2")
    for enum in file.enum_type:
        their_enum = descriptor_pb2.EnumDescriptorProto()
        theirs.FindEnumTypeByName(f"{package}.{enum.name}").CopyToProto(their_enum)
        assert enum_values(enum) == enum_values(their_enum)


def test_descriptor_set_is_compiled_from_the_proto_files() -> None:
    pytest.importorskip("grpc_tools")
    tool = Path(__file__).resolve().parents[2] / "tools" / "build_protos.py"
    subprocess.run([sys.executable, str(tool), "--check"], check=True, timeout=120)


def test_presence() -> None:
    meta = proto.MetaGraphDef()
    assert not meta.HasField("saver_def")
    meta.saver_def.SetInParent()
    assert meta.HasField("saver_def")
    attr = proto.AttrValue(i=0)
    assert attr.WhichOneof("value") == "i"


def test_unknown_fields_survive() -> None:
    # field 99, wire type 2, 3 bytes; behind a name "n"
    data = b"\x0a\x01n" + b"\x9a\x06\x03abc"
    node = proto.parse(data, proto.NodeDef)
    assert node.name == "n"
    assert node.SerializeToString() == data


def test_pickle() -> None:
    node = proto.NodeDef(name="n", op="NoOp")
    assert pickle.loads(pickle.dumps(node)) == node


def test_names_that_do_not_exist() -> None:
    with pytest.raises(AttributeError, match="no message or enum 'GraphDeff'"):
        _ = proto.GraphDeff  # type: ignore[attr-defined]


def test_enum_wrapper() -> None:
    assert proto.DataType.Value("DT_BFLOAT16") == 14
    assert proto.DataType.Name(101) == "DT_FLOAT_REF"
    assert proto.SaverDef.V2 == 2


class TestAsOurs:
    def test_ours_is_returned_itself(self) -> None:
        graph = proto.GraphDef()
        assert proto.as_ours(graph, proto.GraphDef) is graph

    def test_tensorflows(self) -> None:
        tf = pytest.importorskip("tensorflow")
        theirs = tf.compat.v1.GraphDef()
        theirs.node.add(name="n", op="NoOp")
        ours = proto.as_ours(theirs, proto.GraphDef)
        assert isinstance(ours, proto.GraphDef)
        assert [node.name for node in ours.node] == ["n"]

    def test_any_of_the_default_pool(self) -> None:
        theirs = any_pb2.Any(type_url="type.googleapis.com/x.Y", value=b"abc")
        ours = proto.as_ours(theirs, proto.Any)
        assert (ours.type_url, ours.value) == ("type.googleapis.com/x.Y", b"abc")

    def test_another_message(self) -> None:
        with pytest.raises(TypeError, match=r"expected a GraphDef message, got a regraft\.NodeDef message"):
            proto.as_ours(proto.NodeDef(), proto.GraphDef)

    def test_no_message(self) -> None:
        with pytest.raises(TypeError, match="expected a GraphDef message, got list"):
            proto.as_ours([], proto.GraphDef)


class TestText:
    def test_round_trip(self) -> None:
        text = 'node { name: "a" op: "Const" attr { key: "value" value { f: 0.1 } } }'
        graph = proto.parse_text(text, proto.GraphDef)
        assert graph.node[0].attr["value"].f == pytest.approx(0.1)
        assert proto.parse_text(proto.to_text(graph), proto.GraphDef) == graph

    def test_text_equals_tensorflows(self) -> None:
        tf = pytest.importorskip("tensorflow")
        from google.protobuf import text_format

        with tf.Graph().as_default() as graph:
            tf.constant([0.1, 1e-30, 3.0], name="c")
            tf.constant(b"\x00\xff'\"", name="s")
        theirs = graph.as_graph_def()
        assert proto.to_text(proto.as_ours(theirs, proto.GraphDef)) == text_format.MessageToString(theirs)

    def test_any_of_a_known_type_has_tensorflows_name(self) -> None:
        text = 'any_list { value { [type.googleapis.com/tensorflow.NodeDef] { name: "n" } } }'
        collection = proto.parse_text(text, proto.CollectionDef)
        assert collection.any_list.value[0].value == b"\x0a\x01n"
        assert "[type.googleapis.com/tensorflow.NodeDef] {" in proto.to_text(collection)

    def test_any_of_an_unknown_type(self) -> None:
        collection = proto.CollectionDef()
        collection.any_list.value.add(type_url="type.googleapis.com/nobody.Knows", value=b"\x08\x01")
        text = proto.to_text(collection)
        assert proto.parse_text(text, proto.CollectionDef) == collection

    def test_any_whose_bytes_are_damaged(self) -> None:
        collection = proto.CollectionDef()
        collection.any_list.value.add(type_url="type.googleapis.com/tensorflow.NodeDef", value=b"\xff\xff")
        text = proto.to_text(collection)
        assert proto.parse_text(text, proto.CollectionDef) == collection

    def test_error_names_the_place(self) -> None:
        with pytest.raises(proto.ParseError, match=r"^2:3 "):
            proto.parse_text("node {\n  nam: 3 }", proto.GraphDef)


def test_both_in_one_process() -> None:
    pytest.importorskip("tensorflow")
    code = (
        "from regraft import proto\n"
        "ours = proto.GraphDef()\n"
        "import tensorflow as tf\n"
        "theirs = tf.compat.v1.GraphDef()\n"
        "assert ours.DESCRIPTOR.full_name == 'regraft.GraphDef'\n"
        "assert theirs.DESCRIPTOR.full_name == 'tensorflow.GraphDef'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=120)
