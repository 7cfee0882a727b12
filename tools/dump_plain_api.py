"""Write src/regraft/v1/plain_api.tsv: the functions of `tensorflow.compat.v1` that add one op and nothing else.

Needs TensorFlow. Run from the repository root:

    python tools/dump_plain_api.py

A line a function: its names (those of the top-level module bare, others with their module, separated by spaces), the
op, and its parameters in order (inputs and attributes by the op's own names), with `=default` where there is one.
Signatures only. `regraft/v1/_plain.py` reads the file.
"""

import inspect
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf
from tensorflow.python.util import tf_decorator

TARGET = Path(__file__).resolve().parents[1] / "src" / "regraft" / "v1" / "plain_api.tsv"

# Modules that hold no functions of the graph, and those that repeat others.
SKIPPED = {"compat", "raw_ops", "keras", "lite", "tpu", "mlir", "distribute", "xla", "autograph", "experimental"}

CALL = re.compile(r'_apply_op_helper\(\s*"(\w+)",(.*?)name=name\)', re.DOTALL)


def functions(module: Any, prefix: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield (name, function) for each generated function of the module and of those in it."""
    module = getattr(module, "_tfmw_wrapped_module", module)
    if id(module) in seen:
        return
    seen.add(id(module))
    for name, value in sorted(vars(module).items()):
        if name.startswith("_"):
            continue
        if type(value) is types.ModuleType or type(value).__name__ == "TFModuleWrapper":
            if name not in SKIPPED and value.__name__.startswith("tensorflow._api"):
                yield from functions(value, f"{prefix}{name}.", seen)
        elif callable(value) and not isinstance(value, type):
            function = tf_decorator.unwrap(value)[1]
            if ".gen_" in getattr(function, "__module__", ""):
                yield prefix + name, function


def text(value: Any) -> str:
    return repr(value.name) if isinstance(value, tf.DType) else repr(value)


def line(function: Any) -> str:
    """The op and the parameters of a generated function."""
    call = CALL.search(inspect.getsource(function))
    assert call is not None, function
    assert all(argument == parameter for argument, parameter in re.findall(r"(\w+)=(\w+),", call[2]))
    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "name":
            continue
        part = parameter.name
        if parameter.default is not parameter.empty:
            part += f"={text(parameter.default)}"
        parameters.append(part)
    return f"{call[1]}\t{'; '.join(parameters)}"


def main() -> None:
    names: dict[str, list[str]] = {}
    for name, function in functions(tf, "", set()):
        names.setdefault(line(function), []).append(name)
    lines = sorted(f"{' '.join(sorted(found))}\t{rest}".rstrip() for rest, found in names.items())
    TARGET.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
