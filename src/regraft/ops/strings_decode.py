"""Strings that hold something: raw numbers, base64, lines of CSV, tensors."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.csv_fields import csv_fields, csv_value
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, same_as, scalar, unknown
from regraft.opkit.texts import each, single, text
from regraft.serde.tensor_bytes import parse_tensor, serialize_tensor


def _raw_shape(c: ShapeContext) -> list[Sizes]:
    sizes = c.input(0)
    return [None if sizes is None else (*sizes, None)]


@op("DecodeRaw", shape=_raw_shape, runs=Runs.HOST, no_gradient="numbers from strings")
def decode_raw(bytes: Any, *, out_type: DType, little_endian: bool) -> Any:
    """The numbers whose bytes each string holds, [*shape, count].

    raises InvalidArgumentError for strings of different lengths, and for a length that is no whole count
    """
    values = np.asarray(bytes, object)
    if not values.size:
        return np.zeros((*values.shape, 0), out_type.numpy)
    items = values.reshape(-1).tolist()
    size = len(items[0])
    for i, item in enumerate(items):
        if len(item) != size:
            raise InvalidArgumentError(
                "DecodeRaw requires input strings to all be the same size, "
                f"but element {i} has size {size} != {len(item)}"
            )
    dtype = out_type.numpy
    if size % dtype.itemsize:
        raise InvalidArgumentError(
            f"Input to DecodeRaw has length {size} that is not a multiple of {dtype.itemsize}, "
            f"the size of {out_type.name}"
        )
    wire = dtype.newbyteorder("<" if little_endian else ">") if dtype.kind in "iufc" else dtype
    flat = np.frombuffer(b"".join(items), wire).astype(dtype)
    return flat.reshape(*values.shape, size // dtype.itemsize)


@decode_raw.rows
def _(bytes: Any, *, out_type: DType, little_endian: bool, rows: Sequence[Any]) -> Any:
    return decode_raw(bytes, out_type=out_type, little_endian=little_endian)


def _padded_shape(c: ShapeContext) -> list[Sizes]:
    sizes, length = c.input(0), c.value(1)
    item = c.attr("out_type").size
    if length is not None and int(length) % item:
        raise c.fail(f"Dimension size must be evenly divisible by {item} but is {int(length)}")
    width = None if length is None else int(length) // item
    return [None if sizes is None else (*sizes, width)]


@op("DecodePaddedRaw", shape=_padded_shape, runs=Runs.HOST, no_gradient="numbers from strings")
def decode_padded_raw(input_bytes: Any, fixed_length: Any, *, out_type: DType, little_endian: bool) -> Any:
    """The numbers whose bytes each string holds, cut or filled up with zeros to `fixed_length` bytes."""
    length = int(fixed_length)
    if length <= 0:
        raise InvalidArgumentError(f"fixed_length must be greater than zero, but got {length}.")
    if length % out_type.size:
        raise InvalidArgumentError(
            f"fixed_length ({length}) must be a multiple of the size of out_type ({out_type.size})"
        )
    fitted = each(lambda s: s[:length].ljust(length, b"\0"), input_bytes)
    return decode_raw(fitted, out_type=out_type, little_endian=little_endian).reshape(
        *np.shape(fitted), length // out_type.size
    )


@op("EncodeBase64", shape=same_as(0), runs=Runs.HOST, no_gradient="strings")
def encode_base64(input: Any, *, pad: bool) -> Any:
    """Each string in web-safe base64, without `=` at the end unless `pad`."""
    return each(lambda s: base64.urlsafe_b64encode(s) if pad else base64.urlsafe_b64encode(s).rstrip(b"="), input)


_WEB_SAFE = re.compile(rb"[A-Za-z0-9_-]*={0,2}")


@op("DecodeBase64", shape=same_as(0), runs=Runs.HOST, no_gradient="strings")
def decode_base64(input: Any) -> Any:
    """What each string in web-safe base64 stands for. InvalidArgumentError for other characters or lengths."""

    def decoded(value: bytes) -> bytes:
        if not _WEB_SAFE.fullmatch(value):
            raise InvalidArgumentError("Invalid character found in base64.")
        bare = value.rstrip(b"=")
        if len(bare) % 4 == 1:
            raise InvalidArgumentError("Base64 string length cannot be 1 modulo 4.")
        try:
            return base64.urlsafe_b64decode(bare + b"=" * (-len(bare) % 4))
        except binascii.Error as e:
            raise InvalidArgumentError(f"Invalid base64: {e}") from e

    return each(decoded, input)


@op("ParseTensor", shape=unknown, runs=Runs.HOST, no_gradient="numbers from strings")
def parse_tensor_op(serialized: Any, *, out_type: DType) -> Any:
    """The tensor in a serialized TensorProto. InvalidArgumentError for other bytes or another dtype."""
    return parse_tensor(text(serialized), out_type)


@op("SerializeTensor", shape=scalar, runs=Runs.HOST, no_gradient="strings")
def serialize_tensor_op(tensor: Any, *, T: DType) -> Any:
    """The tensor as a serialized TensorProto."""
    return single(serialize_tensor(np.asarray(tensor), T))


def _csv_shape(c: ShapeContext) -> list[Sizes]:
    for sizes in c.inputs[1:]:
        if sizes is not None and (len(sizes) > 1 or (len(sizes) == 1 and sizes[0] is not None and sizes[0] > 1)):
            raise c.fail("Shape of a default must be a length-0 or length-1 vector, or a scalar.")
    return [c.input(0)] * c.output_count


@op("DecodeCSV", shape=_csv_shape, runs=Runs.HOST, no_gradient="numbers from strings")
def decode_csv(
    records: Any,
    record_defaults: tuple[Any, ...],
    *,
    OUT_TYPE: tuple[DType, ...],
    field_delim: bytes,
    use_quote_delim: bool,
    na_value: bytes,
    select_cols: tuple[int, ...],
) -> Any:
    """The columns of lines of CSV, each in the shape of `records`; a field without content is the column's default.

    raises InvalidArgumentError for a wrong number of fields, a field that is no number, a field without content where
           the default is empty, and quotes where none can be
    """
    records = np.asarray(records, object)
    columns: list[list[Any]] = [[] for _ in OUT_TYPE]
    for row, record in enumerate(records.reshape(-1).tolist()):
        fields = csv_fields(record, field_delim, use_quote_delim)
        if select_cols:
            fields = [fields[i] for i in select_cols if i < len(fields)]
        if len(fields) != len(OUT_TYPE):
            raise InvalidArgumentError(f"Expect {len(OUT_TYPE)} fields but have {len(fields)} in record {row}")
        for i, (field, dtype, default) in enumerate(zip(fields, OUT_TYPE, record_defaults, strict=True)):
            columns[i].append(csv_value(field, dtype, default, na_value, f"Field {i}", f"record {row}"))
    out = []
    for dtype, column in zip(OUT_TYPE, columns, strict=True):
        array = np.empty(len(column), dtype.numpy)
        array[:] = column
        out.append(array.reshape(records.shape))
    return tuple(out)
