"""Checkpoints of strangers: every tensor equals what TensorFlow reads."""

from pathlib import Path

import numpy as np
import pytest

from regraft.base.errors import NotFoundError
from regraft.checkpoint import open_checkpoint
from tests.checkpoint import tensorflow_io

WILD = Path(__file__).resolve().parents[3] / "shared" / "wild"

V1 = [
    "255BITS__vocal-autoencoder__vocal_ae/model.ckpt",
    "NVIDIA__tensorflow__half_plus_two_v1/export-?????-of-00001",
    "ardiya__siamesenetwork-tensorflow__siamese/model.ckpt",
    "checkpoints_without_graph/siamese_v1/model.ckpt",
]
# Their data files are not there; the index is.
WITHOUT_DATA = (
    "Mutekeri__Tensorflow-on-Android-phone-__keras_mnist",
    "crownpku__Information-Extraction-Chinese__bilstm",
)

pytestmark = pytest.mark.skipif(not WILD.is_dir(), reason="the strangers' models are not beside the project")


def prefixes() -> list[str]:
    found = [str(path.relative_to(WILD)).removesuffix(".index") for path in WILD.rglob("*.index")]
    return sorted({*found, *V1}) if found else []


@pytest.mark.parametrize("prefix", prefixes())
def test_equals_tensorflow(prefix: str) -> None:
    theirs = tensorflow_io.reader(WILD / prefix)
    with open_checkpoint(WILD / prefix) as reader:
        shapes = {name: tuple(shape) for name, shape in theirs.get_variable_to_shape_map().items()}
        assert reader.shapes() == shapes
        dtypes = {name: dtype.as_datatype_enum for name, dtype in theirs.get_variable_to_dtype_map().items()}
        assert {name: dtype.enum for name, dtype in reader.dtypes().items()} == dtypes
        if prefix.startswith(WITHOUT_DATA):
            with pytest.raises(NotFoundError, match=r"data-00000-of-00001; No such file or directory"):
                reader.get_tensors()
            return
        tensors = reader.get_tensors()
    assert tensors.keys() == shapes.keys()
    for name, value in tensors.items():
        expected = np.asarray(theirs.get_tensor(name))
        if value.dtype == object:
            assert value.tolist() == expected.tolist(), name
        else:
            assert (value.dtype, value.shape) == (expected.dtype, expected.shape), name
            assert value.tobytes() == expected.tobytes(), name
