"""AttrValue: each kind and its way back."""

from __future__ import annotations

import numpy as np
import pytest

from regraft import proto
from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.ir.attr import FunctionRef, Placeholder
from regraft.serde.attr import attr_from_proto, attr_to_proto

CASES = {
    "i: -7": -7,
    "f: 0.5": 0.5,
    "b: true": True,
    's: "x\\000"': b"x\0",
    "type: DT_HALF": dtypes.half,
    "type: DT_FLOAT_REF": dtypes.float32.ref,
    "shape { dim { size: 2 } dim { size: -1 } }": TensorShape([2, None]),
    "shape { unknown_rank: true }": TensorShape(None),
    "shape { }": TensorShape([]),
    "list { i: 1 i: 2 }": (1, 2),
    "list { f: 1.5 }": (1.5,),
    "list { b: true b: false }": (True, False),
    'list { s: "a" }': (b"a",),
    "list { type: DT_INT32 type: DT_FLOAT }": (dtypes.int32, dtypes.float32),
    "list { shape { } shape { unknown_rank: true } }": (TensorShape([]), TensorShape(None)),
    "list { }": (),
    'func { name: "f" attr { key: "T" value { type: DT_INT32 } } }': FunctionRef("f", {"T": dtypes.int32}),
    'list { func { name: "f" } func { name: "g" } }': (FunctionRef("f"), FunctionRef("g")),
    'placeholder: "T"': Placeholder("T"),
}


@pytest.mark.parametrize("text", CASES)
def test_both_ways(text: str) -> None:
    message = proto.parse_text(text, proto.AttrValue)
    value = attr_from_proto(message)
    assert value == CASES[text]
    assert type(value) is type(CASES[text])
    assert attr_to_proto(value) == message


def test_nothing_said_is_none() -> None:
    assert attr_from_proto(proto.AttrValue()) is None


def test_numpy_numbers_are_numbers() -> None:
    assert attr_to_proto(np.int64(3)).i == 3
    assert attr_to_proto(np.float32(0.5)).f == 0.5
    assert attr_to_proto(np.bool_(True)).b is True


def test_what_is_no_attribute() -> None:
    with pytest.raises(TypeError, match="no value of an attribute"):
        attr_to_proto(object())
    with pytest.raises(TypeError, match="list attribute"):
        attr_to_proto((object(),))
