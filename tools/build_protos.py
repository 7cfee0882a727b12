"""Compile src/regraft/proto/*.proto into descriptors.binpb, and write messages.pyi for type checkers.

Run after every change of a .proto file:  python tools/build_protos.py  (needs the extra `proto`)
With --check nothing is written; it fails where the files that ship are out of date.
"""

import keyword
import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FieldDescriptorProto

SOURCES = Path(__file__).resolve().parent.parent / "src"
PACKAGE = SOURCES / "regraft" / "proto"

Field = FieldDescriptorProto
SCALARS = {
    Field.TYPE_DOUBLE: "float",
    Field.TYPE_FLOAT: "float",
    Field.TYPE_BOOL: "bool",
    Field.TYPE_STRING: "str",
    Field.TYPE_BYTES: "bytes",
}

HEADER = '''\
"""Types of the message classes. Written by tools/build_protos.py: change the .proto files, not this."""

from collections.abc import Iterable, Mapping
from typing import Any as _AnyType

from google.protobuf.any_pb2 import Any as Any
from google.protobuf.internal.containers import (
    MessageMap,
    RepeatedCompositeFieldContainer,
    RepeatedScalarFieldContainer,
    ScalarMap,
)
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import BoolValue as BoolValue
'''


def compile_protos() -> bytes:
    """The FileDescriptorSet of all .proto files, with google's own that they import."""
    import grpc_tools  # type: ignore[import-untyped]
    from grpc_tools import protoc

    google_protos = Path(grpc_tools.__file__).parent / "_proto"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set"
        files = sorted(str(path.relative_to(SOURCES)) for path in PACKAGE.glob("*.proto"))
        status = protoc.main(
            [
                "protoc",
                f"-I{SOURCES}",
                f"-I{google_protos}",
                "--include_imports",
                f"--descriptor_set_out={out}",
                *files,
            ]
        )
        if status:
            sys.exit(status)
        return out.read_bytes()


def python_type(type_name: str) -> str:
    """`.regraft.AttrValue.ListValue` -> `AttrValue.ListValue`."""
    name = type_name.removeprefix(".")
    for package in ("regraft.error.", "regraft.", "google.protobuf."):
        if name.startswith(package):
            return name.removeprefix(package)
    raise ValueError(type_name)


def map_entry(message: DescriptorProto, field: Field) -> DescriptorProto | None:
    """The key and value fields of a map field, None for any other field."""
    last = field.type_name.rpartition(".")[2]
    for nested in message.nested_type:
        if nested.options.map_entry and nested.name == last and field.type == Field.TYPE_MESSAGE:
            return nested
    return None


def scalar_type(field: Field) -> str:
    """The Python type of one value of `field`."""
    if field.type == Field.TYPE_MESSAGE:
        return python_type(field.type_name)
    return SCALARS.get(field.type, "int")


def field_types(message: DescriptorProto, field: Field) -> tuple[str, str]:
    """The type of the attribute, and of the constructor's argument."""
    entry = map_entry(message, field)
    if entry is not None:
        key, value = (scalar_type(part) for part in entry.field)
        container = "MessageMap" if entry.field[1].type == Field.TYPE_MESSAGE else "ScalarMap"
        return f"{container}[{key}, {value}]", f"Mapping[{key}, {value}]"
    one = scalar_type(field)
    if field.label == Field.LABEL_REPEATED:
        kind = "Composite" if field.type == Field.TYPE_MESSAGE else "Scalar"
        return f"Repeated{kind}FieldContainer[{one}]", f"Iterable[{one}]"
    return one, one


def message_stub(message: DescriptorProto, indent: str) -> list[str]:
    """The class of one message, nested ones inside."""
    inner = indent + "    "
    lines = [f"{indent}class {message.name}(Message):"]
    for enum in message.enum_type:
        lines.extend(enum_stub(enum, inner))
    for nested in message.nested_type:
        if not nested.options.map_entry:
            lines.extend(message_stub(nested, inner))
    arguments = []
    for field in sorted(message.field, key=lambda field: field.number):
        if keyword.iskeyword(field.name):
            continue
        attribute, argument = field_types(message, field)
        repeated = field.label == Field.LABEL_REPEATED
        if field.type == Field.TYPE_MESSAGE or repeated:
            lines += [f"{inner}@property", f"{inner}def {field.name}(self) -> {attribute}: ..."]
        else:
            lines.append(f"{inner}{field.name}: {attribute}")
        if field.type == Field.TYPE_ENUM and not repeated:
            argument = "int | str"
        elif field.type == Field.TYPE_MESSAGE and not repeated:
            argument += " | Mapping[str, _AnyType]"
        arguments.append(f"{field.name}: {argument} | None = ...")
    if arguments:
        lines.append(f"{inner}def __init__(")
        lines.append(f"{inner}    self,")
        lines.append(f"{inner}    *,")
        lines.extend(f"{inner}    {argument}," for argument in arguments)
        lines.append(f"{inner}) -> None: ...")
    if len(lines) == 1:
        lines.append(f"{inner}...")
    return lines


def enum_stub(enum: EnumDescriptorProto, indent: str) -> list[str]:
    """The wrapper of one enum; the values of a nested one are attributes of its message too."""
    lines = [f"{indent}{enum.name}: EnumTypeWrapper"]
    if indent:
        lines.extend(f"{indent}{value.name}: int" for value in enum.value)
    return lines


def stub(compiled: bytes) -> str:
    """The text of messages.pyi."""
    lines = [HEADER]
    for file in descriptor_pb2.FileDescriptorSet.FromString(compiled).file:
        if file.name.startswith("google/"):
            continue
        for enum in file.enum_type:
            lines.extend([*enum_stub(enum, ""), ""])
        for message in file.message_type:
            lines.extend([*message_stub(message, ""), ""])
    return "\n".join(lines)


def is_current(compiled: bytes) -> bool:
    """Whether the files that ship are those that the .proto files give, google's own set aside."""

    def own(data: bytes) -> list[descriptor_pb2.FileDescriptorProto]:
        files = descriptor_pb2.FileDescriptorSet.FromString(data).file
        return [file for file in files if not file.name.startswith("google/")]

    shipped = (PACKAGE / "descriptors.binpb").read_bytes()
    return own(shipped) == own(compiled) and (PACKAGE / "messages.pyi").read_text("utf-8") == stub(compiled)


def main() -> None:
    compiled = compile_protos()
    if "--check" in sys.argv[1:]:
        if not is_current(compiled):
            sys.exit("the .proto files have changed: run python tools/build_protos.py")
        return
    (PACKAGE / "descriptors.binpb").write_bytes(compiled)
    (PACKAGE / "messages.pyi").write_text(stub(compiled), encoding="utf-8")


if __name__ == "__main__":
    main()
