"""Rows of `ops/parse_example.py`."""

import numpy as np

from regraft import proto
from tests.ops.case import Case

F = np.float32


def example(**features: list[object]) -> bytes:
    message = proto.Example()
    for name, values in features.items():
        feature = message.features.feature[name]
        kind = {bytes: feature.bytes_list, int: feature.int64_list, float: feature.float_list}[type(values[0])]
        kind.value.extend(values)
    return message.SerializeToString(deterministic=True)


def text(*items: bytes) -> np.ndarray:
    return np.array(items, object)


def one(item: bytes) -> np.ndarray:
    return np.array(item, object)


E1 = example(a=[1.0, 2.0], b=[3], s=[b"x", b"y"])
E2, LONG, SHORT = example(a=[5.0, 6.0]), example(a=[5.0, 6.0, 7.0, 8.0]), example(a=[1.0])
OTHER, UNSET = example(a=[1, 2]), example(b=[1])
UNSET_KIND = proto.Example(features=proto.Features(feature={"a": proto.Feature()})).SerializeToString()
NO_NAMES, NO_DEFAULT = np.empty(0, object), F([])


def batch(data: list[bytes], default: np.ndarray, shape: list[object], fails: str | None = None) -> Case:
    inputs = [text(*data), NO_NAMES, [one(b"s")], [one(b"a")], [default]]
    return Case("ParseExample", inputs, {"sparse_types": ["string"], "dense_shapes": [shape]}, fails=fails)


def single(data: bytes, default: np.ndarray, shape: list[object], fails: str | None = None) -> Case:
    attrs = {"num_sparse": 2, "sparse_keys": ["s", "zz"], "dense_keys": ["a"], "sparse_types": ["string", "int64"]}
    return Case("ParseSingleExample", [one(data), [default]], {**attrs, "dense_shapes": [shape]}, fails=fails)


def both(data: np.ndarray) -> Case:
    types = {"ragged_value_types": ["int64"], "ragged_split_types": ["int32"]}
    inputs = [data, NO_NAMES, text(b"s"), text(b"a"), text(b"b"), [F([0, 0])]]
    return Case("ParseExampleV2", inputs, {"num_sparse": 1, "sparse_types": ["string"], "dense_shapes": [[2]], **types})


CASES = [
    batch([E1, E2], NO_DEFAULT, [2]),
    batch([E1, UNSET, UNSET_KIND, b""], F([8, 9]), [2]),
    batch([E1, LONG, UNSET], F([0]), [None]),
    batch([E1, LONG], F([9]), [None, 2]),
    batch([], NO_DEFAULT, [2]),
    batch([E1, UNSET], NO_DEFAULT, [2], fails=r"Feature: a \(data type: float\) is required but could not be found"),
    batch([E1, SHORT], NO_DEFAULT, [2], fails="Key: a, Index: 1.  Number of float values != expected"),
    batch([E1, OTHER], NO_DEFAULT, [2], fails="Key: a, Index: 1.  Data types don't match. Data type: int64"),
    single(E1, NO_DEFAULT, [2]),
    single(E1, F([0]), [None]),
    single(b"", F([3]), [None]),
    single(b"", F([3, 4]), [2]),
    single(b"", NO_DEFAULT, [2], fails=r"Feature: a \(data type: float\) is required but could not be found"),
    single(OTHER, NO_DEFAULT, [2], fails="Key: a.  Data types don't match. Data type: int64"),
    both(text(E1, E2)),
    both(one(E1)),
]
