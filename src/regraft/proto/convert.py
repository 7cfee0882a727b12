"""Messages of foreign classes (TensorFlow's own, for one) taken for ours."""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

M = TypeVar("M", bound=Message)


def _bare_name(full_name: str) -> str:
    return full_name.partition(".")[2] or full_name


def as_ours(message: object, cls: type[M]) -> M:
    """`message` as an instance of `cls`: itself if it is one, else decoded from its serialized bytes.

    A message of another class counts when its full name differs in the first package only, as
    `tensorflow.GraphDef` does from `regraft.GraphDef`. Fields that we do not define stay as unknown fields.

    raises   TypeError if `message` is no such message
    """
    if isinstance(message, cls):
        return message
    if isinstance(message, Message):
        theirs, ours = message.DESCRIPTOR.full_name, cls.DESCRIPTOR.full_name
        if theirs == ours or _bare_name(theirs) == _bare_name(ours):
            return cls.FromString(message.SerializePartialToString())
        raise TypeError(f"expected a {cls.__name__} message, got a {theirs} message")
    raise TypeError(f"expected a {cls.__name__} message, got {type(message).__name__}")


def parse(data: bytes | bytearray | memoryview, cls: type[M]) -> M:
    """The message of class `cls` in `data`, the binary form.

    raises   DecodeError if `data` is not such a message
    """
    message = cls()
    message.ParseFromString(bytes(data) if isinstance(data, memoryview) else data)  # type: ignore[arg-type]  # takes a bytearray too
    return message


__all__ = ["DecodeError", "as_ours", "parse"]
