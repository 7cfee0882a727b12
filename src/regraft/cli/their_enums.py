"""Values of enums as the generated modules of TensorFlow have them: `types_pb2.DT_FLOAT`."""

from __future__ import annotations

from regraft import proto


def __getattr__(name: str) -> int:
    if not name.startswith("_"):
        for enum in (proto.DataType, proto.Code):
            if name in enum.keys():  # noqa: SIM118  an enum's wrapper is no mapping
                return int(enum.Value(name))
    raise AttributeError(f"no message, enum or value of one is called {name!r}")
