"""Rows of `ops/strings_decode.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
SOME = np.array([b"\1\0\2\0", b"\3\0\4\0"], object)


def text(*items: str) -> np.ndarray:
    return np.array([i.encode() for i in items], object)


def one(item: bytes) -> np.ndarray:
    return np.array(item, object)


def csv(records: list[str], *defaults: np.ndarray, **attrs: object) -> Case:
    fails = attrs.pop("fails", None)
    return Case("DecodeCSV", [text(*records), list(defaults)], attrs, fails=fails)  # type: ignore[arg-type]


INT, REAL, WORD, NONE = np.int32([0]), F([7]), text("d"), F([])
TENSOR = b'\x08\x01\x12\x04\x12\x02\x08\x02"\x08\x00\x00\x80?\x00\x00\x00@'

CASES = [
    *(Case("DecodeRaw", [SOME], {"out_type": t}) for t in ("int16", "uint8", "float32")),
    Case("DecodeRaw", [SOME], {"out_type": "int16", "little_endian": False}),
    Case("DecodeRaw", [one(b"\0\1")], {"out_type": "bool"}),
    Case("DecodeRaw", [np.zeros((2, 0), object)], {"out_type": "int16"}),
    Case("DecodeRaw", [text("ab", "c")], {"out_type": "uint8"}, fails="to all be the same size"),
    Case("DecodeRaw", [text("abc")], {"out_type": "int16"}, fails="not a multiple of 2, the size of int16"),
    *(Case("EncodeBase64", [np.array([b"a", b"ab\xff", b"abc?>"], object)], {"pad": p}) for p in (False, True)),
    Case("DecodeBase64", [text("YQ", "YQ==", "_-8", "")]),
    Case("DecodeBase64", [text("Y")], fails="cannot be 1 modulo 4"),
    Case("DecodeBase64", [text("Y+")], fails="Invalid character found in base64"),
    *(
        Case("SerializeTensor", [value])
        for value in (F([1, 2]), F(1), np.array([True, False]), np.zeros((0, 2), np.int32), np.complex64([1j]))
    ),
    Case("SerializeTensor", [text("a", "b")]),
    Case("ParseTensor", [one(TENSOR)], {"out_type": "float32"}),
    Case("ParseTensor", [one(TENSOR)], {"out_type": "int32"}, fails="Type mismatch between parsed tensor"),
    Case("ParseTensor", [one(b"xx?")], {"out_type": "int32"}, fails="Could not parse `serialized` as TensorProto"),
    csv(["1,2.5,x", '3,,"q,""z"'], INT, REAL, WORD),
    csv(["1|NA|3"], INT, REAL, WORD, field_delim="|", na_value="NA"),
    csv(["1,2,3"], INT, WORD, select_cols=(0, 2)),
    csv(['1,"2"x'], INT, WORD, use_quote_delim=False),
    csv([" 1 , x", '"1",""'], INT, WORD),
    csv([",x"], NONE, WORD, fails="Field 0 is required but missing in record 0!"),
    csv(["1,2"], INT, REAL, WORD, fails="Expect 3 fields but have 2 in record 0"),
    csv(["1,2,3,4"], INT, REAL, WORD, fails="Expect 3 fields but have 4 in record 0"),
    csv(["a,x"], INT, WORD, fails="Field 0 in record 0 is not a valid int32: a"),
    csv(["b,x"], REAL, WORD, fails="Field 0 in record 0 is not a valid float: b"),
    csv(['1,"2,3'], INT, WORD, fails="Quoted field has to end with quote followed by delim or end"),
    csv(['1,"2"x'], INT, WORD, fails="Quote inside a string has to be escaped by another quote"),
    csv(['1,2"x'], INT, WORD, fails="Unquoted fields cannot have quotes/CRLFs inside"),
    csv([""], INT, fails="Expect 1 fields but have 0 in record 0"),
    *(
        Case(
            "DecodePaddedRaw",
            [np.array([[b"abcd", b"ef"], [b"abcdefgh", b""]], object), np.int32(4)],
            {"out_type": out_type, "little_endian": little},
        )
        for out_type in ("uint8", "int16", "float32")
        for little in (True, False)
    ),
    Case("DecodePaddedRaw", [np.array([b"abcd"], object), np.int32(3)], {"out_type": "int16"}, fails="fixed_length"),
]
