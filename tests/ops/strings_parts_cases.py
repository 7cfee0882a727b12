"""Rows of `ops/strings_parts.py`."""

import numpy as np

from tests.ops.case import Case


def text(*items: str) -> np.ndarray:
    return np.array([i.encode() for i in items], object)


def one(item: str) -> np.ndarray:
    return np.array(item.encode(), object)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


SPACED = text("a b  c", "", "d", " x  y ")
GRID = np.array([[b"a", b"b"], [b"c", b"d"]], object)
UTF8 = {"unit": "UTF8_CHAR"}

CASES = [
    *(Case("StringSplit", [SPACED, one(" ")], {"skip_empty": s}) for s in (True, False)),
    Case("StringSplit", [text("a,b;;c"), one(",;")], {"skip_empty": False}),
    Case("StringSplit", [text("abc", "de"), one("")]),
    *(Case("StringSplitV2", [SPACED, one("")], {"maxsplit": n}) for n in (-1, 1, 2)),
    *(Case("StringSplitV2", [text("a<>b<>", "", "d"), one("<>")], {"maxsplit": n}) for n in (-1, 1)),
    Case("Substr", [text("hello", "hi"), np.int32(1), np.int32(3)]),
    Case("Substr", [text("hello", "hi"), ints(1, -2), ints(3, 1)]),
    Case("Substr", [one("hello"), ints(0, 1), ints(2, 2)]),
    Case("Substr", [text("hello"), np.int64(5), np.int64(3)]),
    Case("Substr", [text("hé€lo"), np.int32(1), np.int32(2)], UTF8),
    Case("Substr", [text("hé€lo"), np.int32(-3), np.int32(2)], UTF8),
    Case("Substr", [text("hello", "hi"), np.int32(3), np.int32(3)], fails="pos 3 out of range for string"),
    Case("StringLength", [text("hé€", "")]),
    Case("StringLength", [text("hé€", "")], UTF8),
    *(Case(op, [text("Hé€ß", "Ab")], {"encoding": e}) for op in ("StringUpper", "StringLower") for e in ("", "utf-8")),
    Case("StringStrip", [text(" \t\n\x0b\x0c\rabc \x00 ")]),
    *(
        Case("RegexReplace", [text(s), one(p), one(r)], {"replace_global": g})
        for s, p, r in (
            ("foo bar", "(o+) (b)", "\\2-\\1\\0\\\\"),
            ("foo bar", "o", "x"),
            ("fxxo", "x*", "-"),
            ("fxxo", "x", "\\3"),
        )
        for g in (True, False)
    ),
    Case("RegexReplace", [text("a"), one("("), one("")], fails="Invalid pattern: "),
    Case("StaticRegexReplace", [SPACED], {"pattern": "[a-c]", "rewrite": "<\\0>"}),
    Case("ReduceJoin", [GRID, ints(0)], {"separator": "-"}),
    Case("ReduceJoin", [GRID, ints(-1, 0)], {"separator": "-", "keep_dims": True}),
    Case("ReduceJoin", [GRID, ints()]),
    Case("ReduceJoin", [GRID, np.int32(1)]),
]
