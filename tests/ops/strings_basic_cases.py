"""Rows for `regraft.ops.strings_basic`."""

import numpy as np

from tests.ops.case import Case


def text(*items: str) -> np.ndarray:
    return np.array([i.encode() for i in items], object)


ONE = np.array(b"-x", object)

CASES = [
    Case("StringJoin", [[text("a", "b"), text("c", "d")]], {"separator": "/"}),
    Case("StringJoin", [[text("a", "b"), ONE]]),
    Case("StringJoin", [[ONE, ONE]]),
    Case("StaticRegexFullMatch", [text("s3://bucket", "local")], {"pattern": "^s3://.*"}),
    Case("RegexFullMatch", [text("abc", "b"), np.array(b"a.*", object)]),
]
