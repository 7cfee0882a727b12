"""The features of Examples that are parsed together: those of each by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from regraft import proto
from regraft.base import dtypes
from regraft.base.errors import InvalidArgumentError
from regraft.serde.example import as_array, features_of, features_of_all

RNG = np.random.default_rng(11)


def example(number: int) -> bytes:
    features: dict[str, Any] = {
        "label": proto.Feature(int64_list=proto.Int64List(value=[number])),
        "image": proto.Feature(bytes_list=proto.BytesList(value=[RNG.bytes(number * 37)])),
        "unset": proto.Feature(),
    }
    if number % 2:
        features["box"] = proto.Feature(float_list=proto.FloatList(value=RNG.standard_normal(number)))
    return proto.Example(features=proto.Features(feature=features)).SerializeToString()


def plain(features: Any) -> Any:
    return {name: (dtype, as_array(dtype, values).tolist()) for name, (dtype, values) in features.items()}


@pytest.mark.parametrize("count", [0, 1, 3, 4, 70])
def test_together_as_one_by_one(count: int) -> None:
    data = [example(number) for number in range(count)]
    wanted = {"label", "image", "box", "unset", "missing"}
    assert [plain(f) for f in features_of_all(data, wanted)] == [plain(features_of(d, wanted)) for d in data]


def test_examples_without_bytes() -> None:
    assert features_of_all([b""] * 9, {"label"}) == [{}] * 9


def test_only_what_is_wanted() -> None:
    found = features_of_all([example(5)] * 6, {"label"})
    assert [plain(f) for f in found] == [{"label": (dtypes.int64, [5])}] * 6


@pytest.mark.parametrize("damaged", [b"\x0a\xff", b"\x0b", b"no Example at all", example(9)[:-1]])
def test_the_damaged_one_is_named(damaged: bytes) -> None:
    data = [example(number) for number in range(8)]
    data[6] = damaged
    with pytest.raises(InvalidArgumentError, match="Could not parse example input") as e:
        features_of_all(data, {"label"})
    assert repr(damaged[:80]) in e.value.message
