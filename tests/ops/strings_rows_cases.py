"""Rows of `ops/strings_rows.py`."""

import numpy as np

from tests.ops.case import Case

WORDS = np.array([b"a", b"b", b"c", b"d", b"e"], object)
SPLITS = np.int64([0, 3, 3, 5])
PAIRS = np.array([[b"a", b"b"], [b"c", b"d"], [b"e", b"f"]], object)


def grams(*widths: int, pads: tuple[str, str] = ("L", "R"), pad: int = 0, short: bool = False) -> Case:
    attrs = {
        "separator": "-",
        "ngram_widths": list(widths),
        "left_pad": pads[0],
        "right_pad": pads[1],
        "pad_width": pad,
        "preserve_short_sequences": short,
    }
    return Case("StringNGrams", [WORDS, SPLITS], attrs)


CASES = [
    grams(2, 3),
    grams(2, 3, pad=-1),
    grams(3, pads=("", ""), short=True),
    grams(4, pads=("L", ""), pad=1, short=True),
    grams(4, 5, pad=1, short=True),
    grams(2, pad=5),
    Case("UnsortedSegmentJoin", [PAIRS, np.int32([1, 0, 1]), np.int32(3)], {"separator": "|"}),
    Case("UnsortedSegmentJoin", [PAIRS, np.int64([[1, 0], [0, 0], [1, 1]]), np.int32(2)]),
    Case("UnsortedSegmentJoin", [PAIRS[:, :0], np.int32([1, 0, 1]), np.int32(2)]),
]
