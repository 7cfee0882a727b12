"""Rows of `ops/strings_unicode.py`."""

import numpy as np

from tests.ops.case import Case

TEXTS = np.array(["héllo\U0001f600".encode(), b"a\xffb\xe2\x82", b"", b"\x01z"], object)
WIDE = np.array(["hé\U0001f600".encode("utf-16-be"), b"\x00h\xd8"], object)
UTF8 = {"input_encoding": "UTF-8"}
POINTS = np.int32([104, 233, 0x1F600, 0xD800, 72, 0x110000])
SPLITS = np.int64([0, 2, 2, 6])
SETTINGS = (
    {},
    {"errors": "ignore"},
    {"replacement_char": 63, "replace_control_characters": True},
    {"errors": "ignore", "replace_control_characters": True},
)

CASES = [
    case
    for op in ("UnicodeDecode", "UnicodeDecodeWithOffsets")
    for case in (
        *(Case(op, [TEXTS], {**UTF8, **s}) for s in SETTINGS),
        Case(op, [TEXTS[:1].reshape(1, 1)], UTF8),
        Case(op, [WIDE[:1]], {"input_encoding": "UTF-16-BE"}),
        Case(op, [TEXTS], {**UTF8, "errors": "strict"}, fails="Invalid formatting on input string"),
    )
] + [
    Case("UnicodeDecode", [TEXTS], {**UTF8, "Tsplits": "int32"}),
    Case("UnicodeDecode", [np.array([b"\xe9"], object)], {"input_encoding": "ISO-8859-1"}),
    Case("UnicodeDecode", [TEXTS], {"input_encoding": "nonsense"}, fails="Could not create converter"),
    *(Case("UnicodeTranscode", [TEXTS], {**UTF8, "output_encoding": "UTF-16-BE", **s}) for s in SETTINGS),
    Case("UnicodeTranscode", [WIDE[:1]], {"input_encoding": "UTF-16-BE", "output_encoding": "UTF-8"}),
    *(
        Case("UnicodeEncode", [POINTS, SPLITS], {"output_encoding": encoding, "errors": errors})
        for encoding in ("UTF-8", "UTF-16-BE", "UTF-32-BE")
        for errors in ("replace", "ignore")
    ),
    Case("UnicodeEncode", [POINTS, SPLITS], {"output_encoding": "UTF-8", "errors": "strict"}, fails="ode point"),
    Case("UnicodeEncode", [POINTS, SPLITS[:2]], {"output_encoding": "UTF-8"}, fails="."),
]
