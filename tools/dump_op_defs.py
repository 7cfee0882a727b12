"""Write src/regraft/ir/op_defs.bin: the signatures of every op that TensorFlow knows or once knew.

Needs TensorFlow. Run from the repository root:

    python tools/dump_op_defs.py

Sources are the op registry of the installed TensorFlow (ops of libraries that it loads on demand included) and
`tools/removed_ops.pbtxt`, the ops that TensorFlow 1.x had and the installed release has not. Signatures only: no
summaries, no descriptions. `regraft/ir/op_table.py` describes the file and reads it.
"""

import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework import full_type_pb2, op_def_pb2
from tensorflow.python.client import pywrap_tf_session

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "regraft" / "ir" / "op_defs.bin"
REMOVED = ROOT / "tools" / "removed_ops.pbtxt"

FLAGS = {
    "c": "is_commutative",
    "a": "is_aggregate",
    "s": "is_stateful",
    "u": "allows_uninitialized_input",
    "d": "is_distributed_communication",
}


def load_lazy_libraries() -> None:
    """Load the op libraries that lie in the TensorFlow package and that nothing has loaded yet."""
    for library in sorted(Path(tf.__file__).parent.glob("**/*_op.so")):
        tf.load_op_library(str(library))


def installed_ops() -> list[op_def_pb2.OpDef]:
    """Return the OpDefs in the registry of the running TensorFlow."""
    ops = op_def_pb2.OpList()
    ops.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    return list(ops.op)


def removed_ops() -> list[op_def_pb2.OpDef]:
    """Return the OpDefs of `removed_ops.pbtxt`."""
    return list(text_format.Parse(REMOVED.read_text(), op_def_pb2.OpList()).op)


def shape_data(shape: Any) -> list[int] | None:
    return None if shape.unknown_rank else [dim.size for dim in shape.dim]


def full_type_data(full_type: full_type_pb2.FullTypeDef) -> list[Any]:
    data: list[Any] = [full_type.type_id, [full_type_data(arg) for arg in full_type.args]]
    which = full_type.WhichOneof("attr")
    return data if which is None else [*data, getattr(full_type, which)]


def scalar_data(kind: str, value: Any) -> Any:
    """Return one attr value of type `kind` as JSON data; text is latin-1, so that any byte has a character."""
    match kind:
        case "string":
            return value.decode("latin-1")
        case "int" | "float" | "bool" | "type":
            return value
        case "shape":
            return shape_data(value)
        case "tensor":
            array = tf.make_ndarray(value)
            return {"t": value.dtype, "s": list(array.shape), "v": array.ravel().tolist()}
    raise ValueError(f"attr type {kind!r} has a default value, which this tool cannot write: {value}")


ATTR_VALUE_FIELD = {
    "string": "s",
    "int": "i",
    "float": "f",
    "bool": "b",
    "type": "type",
    "shape": "shape",
    "tensor": "tensor",
}


def value_data(attr_type: str, value: Any) -> Any:
    if not attr_type.startswith("list("):
        return scalar_data(attr_type, getattr(value, ATTR_VALUE_FIELD[attr_type]))
    kind = attr_type[len("list(") : -1]
    field = {**ATTR_VALUE_FIELD, "func": "func"}[kind]
    return [scalar_data(kind, item) for item in getattr(value.list, field)]


def trim(values: list[Any]) -> list[Any]:
    while values and not values[-1]:
        values.pop()
    return values


def arg_data(arg: op_def_pb2.OpDef.ArgDef) -> list[Any]:
    if arg.handle_data:
        raise ValueError(f"argument {arg.name!r} has handle_data, which this tool cannot write")
    full_type = full_type_data(arg.experimental_full_type) if arg.HasField("experimental_full_type") else None
    return trim([arg.name, arg.type, arg.type_attr, arg.number_attr, arg.type_list_attr, int(arg.is_ref), full_type])


def attr_data(attr: op_def_pb2.OpDef.AttrDef) -> list[Any]:
    more: dict[str, Any] = {}
    if attr.HasField("default_value"):
        more["d"] = value_data(attr.type, attr.default_value)
    if attr.has_minimum:
        more["m"] = attr.minimum
    if attr.HasField("allowed_values"):
        kind = attr.type.removeprefix("list(").removesuffix(")")
        more["v"] = value_data(f"list({kind})", attr.allowed_values)
    return trim([attr.name, attr.type, more])


def op_line(op: op_def_pb2.OpDef) -> str:
    """Return the line of one op."""
    data: dict[str, Any] = {
        "i": [arg_data(arg) for arg in op.input_arg],
        "o": [arg_data(arg) for arg in op.output_arg],
        "a": [attr_data(attr) for attr in op.attr],
        "k": list(op.control_output),
        "f": "".join(letter for letter, field in FLAGS.items() if getattr(op, field)),
        "x": op.deprecation.version,
    }
    data = {key: value for key, value in data.items() if value}
    return op.name + "\t" + json.dumps(data, separators=(",", ":"))


def encode(ops: Iterable[op_def_pb2.OpDef]) -> bytes:
    """Return the bytes of the table of `ops`, sorted by name."""
    lines = sorted(op_line(op) for op in ops)
    return zlib.compress("\n".join(lines).encode("ascii"), level=9)


def main() -> None:
    load_lazy_libraries()
    ops = {op.name: op for op in removed_ops()}
    revived = sorted(ops.keys() & {op.name for op in installed_ops()})
    if revived:
        raise SystemExit(f"{REMOVED.name} lists ops that TensorFlow {tf.__version__} has: {', '.join(revived)}")
    ops |= {op.name: op for op in installed_ops()}
    content = encode(ops.values())
    TARGET.write_bytes(content)
    print(f"{TARGET}: {len(ops)} ops, {len(content)} bytes, from TensorFlow {tf.__version__}")


if __name__ == "__main__":
    main()
