"""Rows of `ops/strings_format.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
ODD = [0, 1.5, -2.25, 1e10, 1e-10, np.nan, np.inf, -np.inf, 1234567.891]
WHOLE = np.array([0, -5, 123], np.int32)


def text(*items: str) -> np.ndarray:
    return np.array([i.encode() for i in items], object)


FORMATS = [
    {},
    {"precision": 3},
    {"scientific": True},
    {"shortest": True},
    *({"width": 12, "fill": fill} for fill in ("", "0", "-", "+", " ")),
    {"precision": 2, "scientific": True, "width": 14, "fill": "0"},
]
NUMBERS = ["1", " 1 ", "1e3", "0x10", "-Infinity", "+5", ".5", "5.", "1e400", "1e-50"]

CASES = [
    *(Case("AsString", [np.array(ODD, t)], f) for t in (np.float32, np.float64) for f in FORMATS),
    *(Case("AsString", [WHOLE], f) for f in ({}, {"width": 7}, {"width": 7, "fill": "0"}, {"width": 7, "fill": "-"})),
    Case("AsString", [np.array(ODD[:3], np.float16)]),
    Case("AsString", [np.array([True, False])], {"width": 7}),
    Case("AsString", [np.array([1 + 2j, 3 - 0.5j], np.complex64)], {"precision": 2}),
    Case("AsString", [F(3)]),
    Case("AsString", [WHOLE], {"precision": 2}, fails="precision not supported"),
    Case("AsString", [F([1])], {"scientific": True, "shortest": True}, fails="Cannot select both"),
    Case("StringToNumber", [text(*NUMBERS)]),
    Case("StringToNumber", [text(*NUMBERS)], {"out_type": "float64"}),
    Case("StringToNumber", [text(" 7 ", "-3", "+3")], {"out_type": "int32"}),
    Case("StringToNumber", [text("99999999999")], {"out_type": "int64"}),
    *(
        Case("StringToNumber", [text(t)], {"out_type": "int32"}, fails="could not correctly convert string")
        for t in ("1.0", "0x10", "99999999999", "")
    ),
    *(Case("StringToNumber", [text(t)], fails="could not correctly convert string") for t in ("1 2", "1_0", "abc")),
    Case(
        "StringFormat",
        [[np.arange(10), F([[1.5, 2], [3, 0.1]]), text("a", "b")]],
        {"template": "x %s y %s z %s"},
    ),
    Case("StringFormat", [[np.arange(10), F(2.5)]], {"template": "{} {}", "placeholder": "{}", "summarize": -1}),
    Case("StringFormat", [[np.arange(24.0).reshape(2, 3, 4) / 7]], {"template": "%s", "summarize": 1}),
    Case("StringFormat", [[np.arange(8).reshape(2, 2, 2)]], {"template": "%s"}),
]
