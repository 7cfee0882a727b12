"""The RestoreV2 kernel's work, beside the kernel."""

from pathlib import Path

import numpy as np
import pytest

from regraft.base import dtypes
from regraft.base.errors import InvalidArgumentError, NotFoundError
from regraft.checkpoint import open_checkpoint, write_checkpoint
from regraft.checkpoint.restore import restore
from regraft.checkpoint.v1_writer import write_v1_checkpoint
from tests.checkpoint import tensorflow_io

MATRIX = np.arange(24, dtype=np.float32).reshape(4, 6)


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "c", {"m": MATRIX, "n": np.int32(7), "h": np.float16(2)})
    write_v1_checkpoint(tmp_path / "old", {"m": MATRIX})
    return tmp_path / "c"


def test_values(prefix: Path) -> None:
    names, specs = ["n", "m", "m", "m"], ["", "4 6 1,2:-", "", ""]
    found = restore(
        open_checkpoint(prefix), names, specs, [dtypes.int32, dtypes.float32, dtypes.float32, dtypes.float32]
    )
    assert found[0] == 7
    np.testing.assert_array_equal(found[1], MATRIX[1:3])
    np.testing.assert_array_equal(found[2], MATRIX)
    np.testing.assert_array_equal(found[3], MATRIX)
    assert not np.shares_memory(found[2], found[3])


def test_all_missing_names_at_once(prefix: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        restore(open_checkpoint(prefix), ["x", "n", "y"], [""] * 3, [dtypes.int32] * 3)
    assert str(caught.value).splitlines()[:2] == ["Key x not found in checkpoint", "Key y not found in checkpoint"]


def test_all_other_dtypes_at_once(prefix: Path) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        restore(open_checkpoint(prefix), ["m", "n", "h"], [""] * 3, [dtypes.float64, dtypes.int32, dtypes.float32])
    assert str(caught.value).splitlines()[:2] == [
        "tensor_name = m; expected dtype double does not equal original dtype float",
        "tensor_name = h; expected dtype float does not equal original dtype half",
    ]


def test_the_words_are_the_kernels(prefix: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    for name, dtype, status in (
        ("q", "float32", tf.errors.NotFoundError),
        ("m", "int32", tf.errors.InvalidArgumentError),
    ):
        with pytest.raises((NotFoundError, InvalidArgumentError)) as ours:
            restore(open_checkpoint(prefix), [name], [""], [dtypes.as_dtype(dtype)])
        with pytest.raises(status) as theirs:
            tensorflow_io.restore(prefix, name, dtype)
        assert str(ours.value).splitlines()[0] in str(theirs.value)


def test_v1(prefix: Path) -> None:
    reader = open_checkpoint(prefix.with_name("old"))
    np.testing.assert_array_equal(restore(reader, ["m"], [""], [dtypes.float32])[0], MATRIX)
    with pytest.raises(NotFoundError, match='Tensor name "q" not found in checkpoint files'):
        restore(reader, ["q"], [""], [dtypes.float32])
    words = "Expected to restore a tensor of type int32, got a tensor of type float instead: tensor_name = m"
    with pytest.raises(InvalidArgumentError, match=words):
        restore(reader, ["m"], [""], [dtypes.int32])
