"""Memory that many arrays are read into."""

import mmap

import numpy as np
import pytest

from regraft.base.dtypes import float32, int16, string
from regraft.checkpoint import arrays

SHAPES = [(3,), (1 << 18, 5), (0, 2), (), (1 << 20,), (7, 11), (1 << 21,)]


@pytest.mark.parametrize("slowest", [0.0, float("inf")], ids=["small pages", "large pages"])
def test_arrays_from_slabs_are_aligned_and_apart(monkeypatch: pytest.MonkeyPatch, slowest: float) -> None:
    monkeypatch.setattr(arrays, "_SLOW_PAGE", slowest)
    slabs = arrays.Slabs(40 << 20)
    made = [slabs.new_array(shape, kind) for shape in SHAPES for kind in (float32, int16)]
    for number, array in enumerate(made):
        assert array.ctypes.data % 64 == 0
        array[...] = number
    assert [(a.shape, a.dtype) for a in made] == [(s, np.dtype(k)) for s in SHAPES for k in (np.float32, np.int16)]
    assert all((array == number).all() for number, array in enumerate(made))


def test_a_system_without_sizes_of_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(mmap, "MADV_HUGEPAGE", raising=False)
    monkeypatch.delattr(mmap, "MADV_NOHUGEPAGE", raising=False)
    array = arrays.Slabs(80 << 20).new_array((1 << 21,), float32)
    array[...] = 1
    assert array.sum() == 1 << 21


def test_strings_are_objects() -> None:
    assert arrays.Slabs(40 << 20).new_array((2,), string).dtype == object
