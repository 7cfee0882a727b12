"""TensorProto: every dtype and form, as TensorFlow reads and writes it."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from regraft import proto
from regraft.base import dtypes
from regraft.base.errors import DataLossError, InvalidArgumentError
from regraft.ir.attr import TensorValue
from regraft.serde.tensor import tensor_from_proto, tensor_to_proto
from tests import oracle

ARRAYS = [
    np.array([1.5, -2.0], np.float32),
    np.array(3.25, np.float32),
    np.array([[1.0, 2.0, 3.0]], np.float64),
    np.array([1, -1, 2], np.int8),
    np.array([1, 255], np.uint8),
    np.array([1, -1], np.int16),
    np.array([1, 65535], np.uint16),
    np.array([7], np.int32),
    np.array([2**31, 5], np.uint32),
    np.array([-(2**62), 5], np.int64),
    np.array([2**63, 5], np.uint64),
    np.array([True, False]),
    np.array([1 + 2j, 3 - 1j], np.complex64),
    np.array(1 - 2j, np.complex128),
    np.array([1.5, -0.5], np.float16),
    np.array([1.5, -0.5], ml_dtypes.bfloat16),
    np.array(1.5, ml_dtypes.bfloat16),
    np.array([1.5, 2.0], ml_dtypes.float8_e5m2),
    np.array(1.5, ml_dtypes.float8_e4m3fn),
    np.array([[b"a", b"\0b"], [b"", b"long" * 40]], object),
    np.array(b"scalar", object),
    np.zeros((0, 3), np.float32),
    np.zeros((2, 0), np.int64),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{list(a.shape)}")
def test_written_as_tensorflow_writes_it(array: Any) -> None:
    theirs = oracle.tensorflow().make_tensor_proto(array)
    ours = tensor_to_proto(TensorValue(dtypes.as_dtype(array.dtype), array))
    assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{list(a.shape)}")
def test_what_tensorflow_wrote_is_read(array: Any) -> None:
    theirs = oracle.tensorflow().make_tensor_proto(array)
    value = tensor_from_proto(proto.TensorProto.FromString(theirs.SerializeToString()))
    assert value.dtype is dtypes.as_dtype(array.dtype)
    np.testing.assert_array_equal(value.array, array)
    assert value.array.dtype == array.dtype


FORMS = {
    "last value repeats": ("dtype: DT_FLOAT tensor_shape { dim { size: 4 } } float_val: 1 float_val: 2", [1, 2, 2, 2]),
    "one value for all": ("dtype: DT_INT32 tensor_shape { dim { size: 2 } dim { size: 2 } } int_val: 7", [[7, 7]] * 2),
    "no value is zero": ("dtype: DT_DOUBLE tensor_shape { dim { size: 3 } }", [0, 0, 0]),
    "no string is empty": ("dtype: DT_STRING tensor_shape { dim { size: 2 } }", [b"", b""]),
    "strings repeat": ('dtype: DT_STRING tensor_shape { dim { size: 2 } } string_val: "x"', [b"x", b"x"]),
    "raw strings": (r'dtype: DT_STRING tensor_shape { dim { size: 2 } } tensor_content: "\001\002abb"', [b"a", b"bb"]),
    "raw bools": (r'dtype: DT_BOOL tensor_shape { dim { size: 2 } } tensor_content: "\001\000"', [True, False]),
    "half by its bits": ("dtype: DT_HALF tensor_shape { dim { size: 1 } } half_val: 15360", [1.0]),
    "quantized": ("dtype: DT_QUINT8 tensor_shape { dim { size: 2 } } int_val: 3 int_val: 250", [3, 250]),
}


@pytest.mark.parametrize("text", FORMS)
def test_forms_that_files_have(text: str) -> None:
    message, wanted = FORMS[text]
    value = tensor_from_proto(proto.parse_text(message, proto.TensorProto))
    assert value.array.tolist() == wanted


def test_one_value_for_many_elements_takes_no_room_and_stays_one() -> None:
    text = "dtype: DT_FLOAT tensor_shape { dim { size: 1000000 } dim { size: 1000 } } float_val: 2.5"
    message = proto.parse_text(text, proto.TensorProto)
    value = tensor_from_proto(message)
    assert value.array.shape == (1000000, 1000)
    assert value.array.strides == (0, 0)
    assert value.array[999, 7] == 2.5
    assert tensor_to_proto(value) == message


@pytest.mark.parametrize("field", ["float_val", "int64_val", "int_val", "double_val", "bool_val", "uint64_val"])
def test_long_lists(field: str) -> None:
    kind = {"float_val": 1, "double_val": 2, "int_val": 3, "int64_val": 9, "bool_val": 10, "uint64_val": 23}[field]
    numpy = {1: np.float32, 2: np.float64, 3: np.int32, 9: np.int64, 10: np.bool_, 23: np.uint64}[kind]
    signed = np.arange(5000) - (0 if kind in (10, 23) else 2500)
    array = signed.astype(numpy)
    message = proto.TensorProto(dtype=kind)
    message.tensor_shape.dim.add().size = 6000
    getattr(message, field).extend(array.tolist())
    value = tensor_from_proto(message)
    np.testing.assert_array_equal(value.array[:5000], array)
    np.testing.assert_array_equal(value.array[5000:], np.full(1000, array[-1]))


def test_content_is_not_copied() -> None:
    array = np.arange(1000, dtype=np.float32)
    value = tensor_from_proto(tensor_to_proto(TensorValue(dtypes.float32, array)))
    assert not value.array.flags.owndata


def test_resource_handles_come_back_as_they_were() -> None:
    text = 'dtype: DT_RESOURCE tensor_shape { } resource_handle_val { container: "c" name: "n" }'
    message = proto.parse_text(text, proto.TensorProto)
    value = tensor_from_proto(message)
    assert value.array[()].name == "n"
    assert tensor_to_proto(value) == message


REFUSED = {
    "short content": (DataLossError, r'dtype: DT_FLOAT tensor_shape { dim { size: 3 } } tensor_content: "\000\000"'),
    "too many values": (InvalidArgumentError, "dtype: DT_FLOAT tensor_shape { } float_val: 1 float_val: 2"),
    "unknown size": (InvalidArgumentError, "dtype: DT_FLOAT tensor_shape { dim { size: -1 } }"),
    "unknown rank": (InvalidArgumentError, "dtype: DT_FLOAT tensor_shape { unknown_rank: true }"),
    "no type": (InvalidArgumentError, "tensor_shape { }"),
    "no such type": (InvalidArgumentError, "dtype: 77 tensor_shape { }"),
    "more than any machine holds": (
        InvalidArgumentError,
        "dtype: DT_FLOAT tensor_shape { dim { size: 4611686018427387904 } dim { size: 4 } } float_val: 1",
    ),
    "more strings than bytes": (
        DataLossError,
        r'dtype: DT_STRING tensor_shape { dim { size: 1000000000 } } tensor_content: "\000"',
    ),
    "strings past the end": (
        DataLossError,
        r'dtype: DT_STRING tensor_shape { dim { size: 1 } } tensor_content: "\177abc"',
    ),
    "half a complex number": (InvalidArgumentError | DataLossError, "dtype: DT_COMPLEX64 scomplex_val: 1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    kind, text = REFUSED[case]
    kinds = getattr(kind, "__args__", kind)
    with pytest.raises(kinds):
        tensor_from_proto(proto.parse_text(text, proto.TensorProto))


def test_a_value_where_there_is_no_room_is_passed_over():
    """TensorFlow writes one for zeros([0], string)."""
    message = proto.TensorProto(dtype=dtypes.string.enum, string_val=[b""])
    message.tensor_shape.dim.add(size=0)
    array = tensor_from_proto(message).array
    assert array.shape == (0,)
    assert array.dtype == object
