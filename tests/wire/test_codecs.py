"""Varints, checksums, ordered codes and protobuf fields: literals, and properties for all values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regraft.base.errors import DataLossError
from regraft.wire import crc32c, fields, ordered_code, varint

UINT64 = st.integers(0, 2**64 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)

VARINTS = [
    (0, "00"),
    (1, "01"),
    (127, "7f"),
    (128, "8001"),
    (300, "ac02"),
    (2**32 - 1, "ffffffff0f"),
    (2**64 - 1, "ffffffffffffffffff01"),
]


class TestVarint:
    @pytest.mark.parametrize(("value", "code"), VARINTS)
    def test_literals(self, value: int, code: str) -> None:
        data = bytes.fromhex(code)
        assert varint.encode(value) == data
        assert varint.decode(data, 0) == (value, len(data))
        assert varint.decode(memoryview(b"\xff" + data + b"\x05"), 1) == (value, len(data) + 1)

    @pytest.mark.parametrize(("value", "code"), VARINTS)
    def test_cut_short(self, value: int, code: str) -> None:
        with pytest.raises(DataLossError, match="a varint has no end"):
            varint.decode(bytes.fromhex(code)[:-1], 0)

    @pytest.mark.parametrize("code", ["ff" * 11, "ffffffffffffffffff02", "80" * 10 + "00"])
    def test_too_long(self, code: str) -> None:
        with pytest.raises(DataLossError, match="more than 64 bits"):
            varint.decode(bytes.fromhex(code), 0)

    @pytest.mark.parametrize("value", [-1, 2**64])
    def test_out_of_range(self, value: int) -> None:
        with pytest.raises(ValueError, match="2\\*\\*64"):
            varint.encode(value)

    @given(UINT64)
    def test_round_trip(self, value: int) -> None:
        data = varint.encode(value)
        assert varint.decode(data, 0) == (value, len(data))


class TestChecksum:
    def test_published_values(self) -> None:
        # RFC 3720, appendix B.4
        assert crc32c.value(b"123456789") == 0xE3069283
        assert crc32c.value(bytes(32)) == 0x8A9136AA
        assert crc32c.value(b"\xff" * 32) == 0x62A8AB43
        assert crc32c.value(bytes(range(32))) == 0x46DD794E

    def test_any_buffer(self) -> None:
        for data in (bytearray(b"123456789"), memoryview(b"x123456789")[1:], np.frombuffer(b"123456789", np.uint8)):
            assert crc32c.value(data) == 0xE3069283
        assert crc32c.value(np.array([[1, 2]], "<i4")) == crc32c.value(bytes.fromhex("0100000002000000"))
        for empty in (b"", bytearray(), memoryview(b""), np.empty(0, np.float32)):
            assert crc32c.value(empty) == 0

    def test_extend(self) -> None:
        assert crc32c.extend(crc32c.value(b"1234"), b"56789") == 0xE3069283

    def test_mask(self) -> None:
        # rotated right by 15, plus 0xa282ead8
        assert crc32c.mask(0) == 0xA282EAD8
        assert crc32c.mask(0x00008000) == 0xA282EAD9
        assert crc32c.mask(0xE3069283) != 0xE3069283

    @given(st.integers(0, 2**32 - 1))
    def test_mask_round_trip(self, crc: int) -> None:
        assert crc32c.unmask(crc32c.mask(crc)) == crc


class TestOrderedCode:
    @pytest.mark.parametrize(
        ("value", "code"),
        [(0, "00"), (1, "0101"), (255, "01ff"), (256, "020100"), (2**64 - 1, "08ffffffffffffffff")],
    )
    def test_numbers(self, value: int, code: str) -> None:
        assert ordered_code.encode_number(value).hex() == code

    @pytest.mark.parametrize(("value", "code"), [(b"", "0001"), (b"ab", "61620001"), (b"\x00\xff", "00ffff000001")])
    def test_strings(self, value: bytes, code: str) -> None:
        assert ordered_code.encode_string(value).hex() == code

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            (0, "80"),
            (-1, "7f"),
            (63, "bf"),
            (-64, "40"),
            (64, "c040"),
            (8500, "e02134"),
            (2**63 - 1, "ffc07fffffffffffffff"),
            (-(2**63), "003f8000000000000000"),
        ],
    )
    def test_signed(self, value: int, code: str) -> None:
        assert ordered_code.encode_signed(value).hex() == code

    def test_key_of_a_slice(self) -> None:
        # as TensorFlow writes it for tensor "q", slice "64,6:0,8500"
        key = ordered_code.encode_tensor_slice(b"q", [(64, 6), (0, 8500)])
        assert key == b"\x00q\x00\x01\x01\x02\xc0@\x86\x80\xe0!4"

    @pytest.mark.parametrize(
        ("encode", "value"),
        [
            (ordered_code.encode_number, -1),
            (ordered_code.encode_number, 2**64),
            (ordered_code.encode_signed, 2**63),
            (ordered_code.encode_signed, -(2**63) - 1),
        ],
    )
    def test_out_of_range(self, encode: object, value: int) -> None:
        with pytest.raises(ValueError, match="number holds"):
            encode(value)  # type: ignore[operator]

    @given(UINT64, UINT64)
    def test_numbers_sort(self, a: int, b: int) -> None:
        assert (a < b) == (ordered_code.encode_number(a) < ordered_code.encode_number(b))

    @given(INT64, INT64)
    def test_signed_sort(self, a: int, b: int) -> None:
        assert (a < b) == (ordered_code.encode_signed(a) < ordered_code.encode_signed(b))

    @given(st.binary(), st.binary())
    def test_strings_sort(self, a: bytes, b: bytes) -> None:
        assert (a < b) == (ordered_code.encode_string(a) < ordered_code.encode_string(b))


class TestFields:
    def test_split(self) -> None:
        # 1: varint 150, 2: "ab", 3: fixed32, 4: fixed64
        message = bytes.fromhex("089601120261621d01020304210102030405060708")
        found = [(number, kind, bytes(content).hex()) for number, kind, content in fields.split(memoryview(message))]
        assert found == [(1, 0, "9601"), (2, 2, "6162"), (3, 5, "01020304"), (4, 1, "0102030405060708")]

    @pytest.mark.parametrize("message", ["1203ab", "1d0102", "21010203", "12ffffffffff0f00"])
    def test_cut_short(self, message: str) -> None:
        with pytest.raises(DataLossError, match="behind its message"):
            list(fields.split(memoryview(bytes.fromhex(message))))

    def test_groups_are_refused(self) -> None:
        with pytest.raises(DataLossError, match="field 1 has wire type 3"):
            list(fields.split(memoryview(b"\x0b\x0c")))

    def test_tagged(self) -> None:
        assert fields.tagged(2, b"ab").hex() == "12026162"

    @given(st.lists(INT64))
    def test_packed_varints(self, values: list[int]) -> None:
        one_by_one = b"".join(varint.encode(value % 2**64) for value in values)
        assert fields.encode_varints(np.array(values, np.int64)) == one_by_one
        decoded = fields.decode_varints(memoryview(one_by_one))
        assert decoded.view(np.int64).tolist() == values

    @given(st.lists(UINT64))
    def test_packed_unsigned(self, values: list[int]) -> None:
        packed = fields.encode_varints(np.array(values, np.uint64))
        assert fields.decode_varints(memoryview(packed)).tolist() == values

    def test_small_types(self) -> None:
        assert fields.encode_varints(np.array([True, False])) == b"\x01\x00"
        assert fields.encode_varints(np.array([-1], np.int8)) == b"\xff" * 9 + b"\x01"

    @pytest.mark.parametrize("packed", ["80", "0180", "ff" * 11 + "00"])
    def test_damaged_varints(self, packed: str) -> None:
        with pytest.raises(DataLossError):
            fields.decode_varints(memoryview(bytes.fromhex(packed)))
