"""Slices of tensors: what they spell, where they lie, and whether parts make a whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regraft.base.errors import InvalidArgumentError
from regraft.checkpoint.slices import WHOLE, ShapeAndSlice, TensorSlice, covered, overlap, within


@pytest.mark.parametrize(
    ("text", "extents"),
    [("", ()), ("-", ((0, WHOLE),)), ("0,40:-", ((0, 40), (0, WHOLE))), ("64,6:0,8500", ((64, 6), (0, 8500)))],
)
def test_text(text: str, extents: tuple[tuple[int, int], ...]) -> None:
    assert TensorSlice.parse(text).extents == extents
    assert str(TensorSlice(extents)) == text


# The words are TensorFlow's, from its SaveV2 kernel.
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x", "Need least two elements in shape_and_slice specification: x"),
        ("3 2", "Expected a pair of numbers or '-' but got '2': string = 2"),
        ("3 a,b", "Expected a pair of numbers or '-' but got 'a,b'"),
        ("3 0,0", "Expected non-negative start and positive length but got start = 0, length = 0"),
        ("3 -1,3", "Expected non-negative start and positive length but got start = -1"),
        ("3  0,3", "Non numerical dimension in shape_and_slice: 3  0,3"),
        (" 3 0,3", "Non numerical dimension in shape_and_slice"),
        ("3 0,3 ", "Non numerical dimension in shape_and_slice"),
        ("-3 0,3", "Non numerical dimension in shape_and_slice"),
        ("3 0,4", "Extent in dimension 0 out of bounds: shape = [3], slice = 0,4"),
        ("2 3 0,2", "Mismatching ranks: shape = [2,3], slice = 0,2"),
    ],
)
def test_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        ShapeAndSlice.parse(text)
    assert words in str(caught.value)


def test_shape_and_slice() -> None:
    assert ShapeAndSlice.parse("") is None
    found = ShapeAndSlice.parse("100 300 0,40:-")
    assert found == ShapeAndSlice((100, 300), TensorSlice(((0, 40), (0, WHOLE))))
    assert str(found) == "100 300 0,40:-"
    assert found.slice.shape_in(found.shape) == (40, 300)
    assert not found.slice.covers(found.shape)
    assert TensorSlice.parse("0,100:-").covers((100, 300))


def test_message() -> None:
    part = TensorSlice.parse("5,2:-:0,3")
    message = part.to_proto()
    # extent { start: 5 length: 2 } extent { } extent { length: 3 }
    assert message.SerializeToString().hex() == "0a04080510020a000a021003"
    assert TensorSlice.from_proto(message) == part


def test_boxes() -> None:
    a, b = ((0, 4), (2, 6)), ((3, 9), (0, 3))
    assert overlap(a, b) == ((3, 4), (2, 3))
    assert overlap(a, ((4, 5), (2, 6))) is None
    assert overlap((), ()) == ()
    assert within(((3, 4), (2, 3)), b) == (slice(0, 1), slice(2, 3))


boxes = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)).map(
        lambda p: ((min(p[:2]), max(p[:2])), (min(p[2:]), max(p[2:])))
    ),
    min_size=1,
    max_size=6,
)


@given(boxes)
def test_covered(parts: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    seen = np.zeros((4, 4), bool)
    for rows, columns in parts:
        seen[slice(*rows), slice(*columns)] = True
    assert covered(((0, 4), (0, 4)), parts) == seen.all()
