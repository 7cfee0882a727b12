"""The text form of messages.

A google.protobuf.Any is printed and parsed by the name that TensorFlow gives its content, such as
`[type.googleapis.com/tensorflow.NodeDef] { ... }`; one whose type nobody knows keeps `type_url` and `value`.
"""

from functools import cache
from typing import TYPE_CHECKING, TypeVar

from google.protobuf import text_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.text_format import ParseError

from regraft.proto.pool import PACKAGE, descriptor_set

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto

M = TypeVar("M", bound=Message)

_THEIR_PACKAGE = "tensorflow"


@cache
def _pool_of_their_names() -> DescriptorPool:
    """Our types once more under TensorFlow's package, for the contents of Any messages."""
    from google.protobuf import descriptor_pb2

    pool = DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptor_set()).file:
        if file.package.partition(".")[0] == PACKAGE:
            file.package = _renamed(file.package)
            for message in file.message_type:
                _rename_types(message)
        pool.Add(file)
    return pool


def _renamed(name: str) -> str:
    return _THEIR_PACKAGE + name.removeprefix(PACKAGE)


def _rename_types(message: "DescriptorProto") -> None:
    for field in message.field:
        if field.type_name.startswith(f".{PACKAGE}."):
            field.type_name = "." + _renamed(field.type_name[1:])
    for nested in message.nested_type:
        _rename_types(nested)


def to_text(message: Message) -> str:
    """The text form of `message`; fields that we do not define are left out."""
    try:
        return text_format.MessageToString(message, descriptor_pool=_pool_of_their_names())
    except DecodeError:  # an Any whose bytes are not of the type it names: shown as bytes
        return text_format.MessageToString(message, descriptor_pool=DescriptorPool())


def parse_text(text: str, cls: type[M]) -> M:
    """The message of class `cls` that `text` spells.

    raises   ParseError, with line and column, if `text` is not the text form of such a message
    """
    return text_format.Parse(text, cls(), descriptor_pool=_pool_of_their_names())


__all__ = ["ParseError", "parse_text", "to_text"]
