"""The private descriptor pool that holds Regraft's message types.

The types live in a pool of their own, so TensorFlow and TensorBoard may be imported into the same process.
`descriptors.binpb` is a FileDescriptorSet, compiled from the .proto files beside it by tools/build_protos.py.
"""

import os
from typing import Any, Final

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FileDescriptor
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

PACKAGE: Final = "regraft"


def descriptor_set() -> bytes:
    """The serialized FileDescriptorSet that ships with the package."""
    # os.path, since importing pathlib costs more than loading all types
    with open(os.path.join(os.path.dirname(__file__), "descriptors.binpb"), "rb") as file:
        return file.read()


def _files_of(data: bytes) -> list[bytes]:
    """Split a FileDescriptorSet into its files; parsing it would import descriptor_pb2, which is slow."""
    files = []
    at = 0
    while at < len(data):
        if data[at] != 0x0A:
            raise ImportError(f"descriptors.binpb: byte {at} is {data[at]:#x}, expected the tag 0x0a of a file")
        at += 1
        length = shift = 0
        while True:
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        files.append(data[at : at + length])
        at += length
    return files


def _load() -> dict[str, Descriptor | EnumDescriptor]:
    pool = descriptor_pool.DescriptorPool()
    found: dict[str, Descriptor | EnumDescriptor] = {}
    for serialized in _files_of(descriptor_set()):
        file: FileDescriptor = pool.AddSerializedFile(serialized)
        found.update(file.message_types_by_name)
        found.update(file.enum_types_by_name)
    return found


_DESCRIPTORS: Final = _load()


def top_level_names() -> list[str]:
    """The names of all messages and enums that are not nested in another."""
    return sorted(_DESCRIPTORS)


def make_class(name: str, module: str) -> Any:
    """The class of top-level message `name`, or the wrapper of enum `name`; `module` becomes its home.

    raises   KeyError if there is no such message or enum
    """
    descriptor = _DESCRIPTORS[name]
    if isinstance(descriptor, EnumDescriptor):
        return EnumTypeWrapper(descriptor)
    cls = message_factory.GetMessageClass(descriptor)
    cls.__module__ = module
    return cls
