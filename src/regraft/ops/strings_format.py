"""Numbers as strings and back, and tensors in templates."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.numerals import number
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import same_as, scalar
from regraft.opkit.texts import each, single


@op("AsString", shape=same_as(0), runs=Runs.HOST, no_gradient="strings")
def as_string(
    input: Any, *, T: DType, precision: int, scientific: bool, shortest: bool, width: int, fill: bytes
) -> Any:
    """Each number as C's printf writes it: `%d`, or `%f`, `%e` (`scientific`), `%g` (`shortest`) with `precision`.

    raises InvalidArgumentError for a fill that printf has no flag for, and for float formats of integers
    """
    kind = T.numpy.kind
    real = kind in "fc" or T.name in ("bfloat16", "float16")
    if len(fill) > 1:
        raise InvalidArgumentError(f'Fill string must be one or fewer characters, got "{fill.decode()}"')
    if fill not in (b"", b" ", b"+", b"-", b"0", b"#"):
        raise InvalidArgumentError(f'Fill argument not supported: "{fill.decode()}"')
    if scientific and shortest:
        raise InvalidArgumentError("Cannot select both scientific and shortest notation")
    if not real:
        if scientific or shortest:
            raise InvalidArgumentError(f"scientific and shortest format not supported for datatype {T.name}")
        if precision >= 0:
            raise InvalidArgumentError(f"precision not supported for datatype {T.name}")
    if kind == "b":
        return each(lambda v: b"true" if v else b"false", input)
    if kind == "O":
        return each(lambda v: v, input)
    spec = "%" + fill.decode()
    if width > -1:
        spec += str(width)
    if not real:
        return each(lambda v: (spec + "d").__mod__(v).encode(), input)
    if precision > -1:
        spec += f".{precision}"
    spec += "e" if scientific else "g" if shortest else "f"
    if kind == "c":
        bare = "%" + (f".{precision}" if precision > -1 else "") + spec[-1]
        return each(lambda v: f"({bare % v.real},{bare % v.imag})".encode(), input)
    # C pads what is no number with blanks.
    blank = spec.replace("%0", "%", 1)
    finite = np.isfinite(input.astype(np.float64))
    numbers = each(lambda v: (spec % v).encode(), input.astype(np.float64))
    others = each(lambda v: (blank % v).encode(), input.astype(np.float64))
    return np.where(finite, numbers, others) if np.ndim(input) else (numbers if finite else others)


@op("StringToNumber", shape=same_as(0), runs=Runs.HOST, no_gradient="strings")
def string_to_number(string_tensor: Any, *, out_type: DType) -> Any:
    """The number that each string stands for. InvalidArgumentError for a string that is none."""

    def convert(value: bytes) -> Any:
        found = number(value, out_type)
        if found is None:
            raise InvalidArgumentError(
                f"StringToNumberOp could not correctly convert string: {value.decode(errors='replace')}"
            )
        return found

    with np.errstate(over="ignore"):
        return each(convert, string_tensor, np.float64 if out_type.numpy.kind == "f" else out_type.numpy).astype(
            out_type.numpy
        )


@op("StringFormat", shape=scalar, runs=Runs.HOST, no_gradient="strings")
def string_format(inputs: tuple[Any, ...], *, template: bytes, placeholder: bytes, summarize: int) -> Any:
    """The template with each placeholder replaced by an input.

    summarize  how many elements at both ends of each dimension are written; all if it is -1
    raises     InvalidArgumentError if there are not as many placeholders as inputs
    """
    parts = template.split(placeholder)
    if len(parts) != len(inputs) + 1:
        raise InvalidArgumentError(
            f"num placeholders in template and num inputs must match: {len(parts) - 1} vs. {len(inputs)}"
        )
    out = parts[0]
    for value, part in zip(inputs, parts[1:], strict=True):
        out += _written(np.asarray(value), summarize, 0) + part
    return single(out)


def _written(value: Any, edge: int, depth: int) -> bytes:
    if np.ndim(value) == 0:
        return _element(np.asarray(value)[()], np.asarray(value).dtype)
    count = len(value)
    if edge < 0 or count <= 2 * edge:
        rows = [_written(value[i], edge, depth + 1) for i in range(count)]
    else:
        rows = [_written(value[i], edge, depth + 1) for i in range(edge)]
        rows += [b"..."] + [_written(value[i], edge, depth + 1) for i in range(count - edge, count)]
    between = b" " if value.ndim == 1 else b"\n" * (value.ndim - 1) + b" " * (depth + 1)
    return b"[" + between.join(rows) + b"]"


def _element(value: Any, dtype: Any) -> bytes:
    if isinstance(value, bytes):
        return b'"' + value + b'"'
    if dtype.kind in "biu":
        return str(int(value)).encode()
    if dtype.kind == "c":
        return f"({_real(value.real)},{_real(value.imag)})".encode()
    return _real(value).encode()


def _real(value: Any) -> str:
    """The fewest of 6 or 15 digits that read back as the same number, else 9 or 17."""
    short, full = (15, 17) if np.asarray(value).dtype == np.float64 else (6, 9)
    text = f"{float(value):.{short}g}"
    kind = type(value)
    return text if kind(float(text)) == value or value != value else f"{float(value):.{full}g}"
