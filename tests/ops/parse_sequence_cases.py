"""Rows of `ops/parse_sequence.py`."""

import numpy as np

from regraft import proto
from tests.ops.case import Case


def feature(values: list[object]) -> proto.Feature:
    out = proto.Feature()
    if values:
        kind = {bytes: out.bytes_list, int: out.int64_list, float: out.float_list}[type(values[0])]
        kind.value.extend(values)
    return out


def sequence(context: dict[str, list[object]], lists: dict[str, list[list[object]]]) -> bytes:
    message = proto.SequenceExample()
    for name, values in context.items():
        message.context.feature[name].CopyFrom(feature(values))
    for name, rows in lists.items():
        message.feature_lists.feature_list[name].SetInParent()
        message.feature_lists.feature_list[name].feature.extend(feature(row) for row in rows)
    return message.SerializeToString(deterministic=True)


def text(*items: bytes) -> np.ndarray:
    return np.array(items, object)


def one(item: bytes) -> np.ndarray:
    return np.array(item, object)


FIRST = sequence({"n": [3], "t": [b"a", b"b"]}, {"d": [[1.0, 2.0], [3.0, 4.0]], "w": [[b"x"], [], [b"y", b"z"]]})
SECOND = sequence({"n": [4]}, {"d": [[5.0, 6.0]], "i": [[7], [8]]})
NONE = np.empty(0, object)
NO_DEFAULT = np.empty(0, np.int64)
TYPES = {
    "context_sparse_types": ["string"],
    "context_dense_shapes": [[]],
    "feature_list_sparse_types": ["string"],
    "feature_list_dense_types": ["float32", "int64"],
    "feature_list_dense_shapes": [[2], []],
}
COUNTS = {"Ncontext_sparse": 1, "Nfeature_list_sparse": 1, "Nfeature_list_dense": 2}
NO_RAGGED = {
    "context_ragged_value_types": [],
    "context_ragged_split_types": [],
    "feature_list_ragged_value_types": [],
    "feature_list_ragged_split_types": [],
}


def v2(data: np.ndarray, names: np.ndarray = NONE, may_miss: bool = True, fails: str | None = None) -> Case:
    return Case(
        "ParseSequenceExampleV2",
        [
            *(data, names, text(b"t"), text(b"n"), NONE, text(b"w"), text(b"d", b"i"), NONE),
            np.array([False, may_miss]),
            [NO_DEFAULT],
        ],
        {**TYPES, **COUNTS, **NO_RAGGED},
        fails=fails,
    )


CASES = [
    v2(one(FIRST)),
    v2(text(FIRST, SECOND)),
    v2(text(FIRST, SECOND), text(b"one", b"two"), may_miss=False, fails="Name: one, Feature list 'i' is required"),
    Case(
        "ParseSequenceExample",
        [text(FIRST, SECOND), NONE, [NO_DEFAULT]],
        {
            **TYPES,
            **COUNTS,
            "Ncontext_dense": 1,
            "feature_list_dense_missing_assumed_empty": ["i"],
            "context_sparse_keys": ["t"],
            "context_dense_keys": ["n"],
            "feature_list_sparse_keys": ["w"],
            "feature_list_dense_keys": ["d", "i"],
        },
    ),
    Case(
        "ParseSingleSequenceExample",
        [
            *(one(FIRST), text(b"i"), [one(b"t")], [one(b"n")], [one(b"w")], [one(b"d"), one(b"i")], [NO_DEFAULT]),
            one(b""),
        ],
        TYPES,
    ),
    Case(
        "ParseSingleSequenceExample",
        [one(FIRST), NONE, [], [], [], [one(b"d")], [], one(b"me")],
        {"feature_list_dense_types": ["int64"], "feature_list_dense_shapes": [[2]]},
        fails="Name: me, Feature list: d, Index: 0.  Data types don't match. Expected type: int64",
    ),
]
