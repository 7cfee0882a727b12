"""Message classes with TensorFlow's field numbers, in a private pool: `proto.GraphDef`, `proto.NodeDef`, ...

Classes are made on first use. The text form lives in `regraft.proto.text`, which is imported on demand.
"""

from typing import TYPE_CHECKING

from regraft.proto.convert import DecodeError, as_ours, parse

if TYPE_CHECKING:
    from regraft.proto.messages import *  # noqa: F403  # the stub names them all
    from regraft.proto.text import ParseError as ParseError
    from regraft.proto.text import parse_text as parse_text
    from regraft.proto.text import to_text as to_text
else:
    from regraft.proto import messages

    def __getattr__(name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name in ("ParseError", "parse_text", "to_text"):
            from regraft.proto import text

            return getattr(text, name)
        found = getattr(messages, name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *dir(messages), "ParseError", "parse_text", "to_text"})


__all__ = ["DecodeError", "as_ours", "parse"]
