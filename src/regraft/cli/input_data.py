"""`tensorflow.examples.tutorials.mnist.input_data`: the MNIST files, read from a folder, and handed out in batches."""

from __future__ import annotations

import gzip
import os
from typing import Any, NamedTuple

import numpy as np

from regraft.base import dtypes
from regraft.base.errors import DataLossError, NotFoundError
from regraft.checkpoint import files
from regraft.v1._context import get_default_graph

_FILES = {
    "train images": "train-images-idx3-ubyte",
    "train labels": "train-labels-idx1-ubyte",
    "test images": "t10k-images-idx3-ubyte",
    "test labels": "t10k-labels-idx1-ubyte",
}
_IMAGES, _LABELS = 2051, 2049


class DataSet:
    """Images and labels, handed out in an order that is shuffled anew in each epoch, from NumPy's global state.

    images  [count, 28, 28, 1] uint8; kept flat with `reshape`, and as float32 from 0 to 1 unless dtype is uint8
    """

    def __init__(
        self,
        images: Any,
        labels: Any,
        fake_data: bool = False,
        one_hot: bool = False,
        dtype: Any = dtypes.float32,
        reshape: bool = True,
        seed: int | None = None,
    ) -> None:
        # A seed of the graph counts for the order of the images too.
        np.random.seed(get_default_graph().seed if seed is None else seed)
        if len(images) != len(labels):
            raise ValueError(f"{len(images)} images and {len(labels)} labels")
        if reshape:
            images = images.reshape(len(images), -1)
        if dtypes.as_dtype(dtype) is dtypes.float32:
            images = images.astype(np.float32) * np.float32(1 / 255)
        self._images, self._labels = images, labels
        self._epochs = 0
        self._at = 0

    @property
    def images(self) -> Any:
        return self._images

    @property
    def labels(self) -> Any:
        return self._labels

    @property
    def num_examples(self) -> int:
        return len(self._images)

    @property
    def epochs_completed(self) -> int:
        return self._epochs

    def next_batch(self, batch_size: int, fake_data: bool = False, shuffle: bool = True) -> tuple[Any, Any]:
        """The next images and labels; a batch over the end of an epoch takes its rest from the next one."""
        if self._at == 0 and self._epochs == 0 and shuffle:
            self._shuffle()
        start, end = self._at, self._at + batch_size
        if end <= self.num_examples:
            self._at = end
            return self._images[start:end], self._labels[start:end]
        self._epochs += 1
        rest = self._images[start:], self._labels[start:]
        if shuffle:
            self._shuffle()
        self._at = end - self.num_examples
        images, labels = self._images[: self._at], self._labels[: self._at]
        return np.concatenate([rest[0], images]), np.concatenate([rest[1], labels])

    def _shuffle(self) -> None:
        order = np.arange(self.num_examples)
        np.random.shuffle(order)
        self._images, self._labels = self._images[order], self._labels[order]


class Datasets(NamedTuple):
    train: DataSet
    validation: DataSet
    test: DataSet


def read_data_sets(
    train_dir: Any,
    fake_data: bool = False,
    one_hot: bool = False,
    dtype: Any = dtypes.float32,
    reshape: bool = True,
    validation_size: int = 5000,
    seed: int | None = None,
    source_url: str = "",
) -> Datasets:
    """The three sets, from the files of MNIST in a folder, gzipped or not. Nothing is fetched from the network.

    raises  NotFoundError naming the files that are missing; DataLossError for what is no such file
    """
    paths = {kind: _path(train_dir, name) for kind, name in _FILES.items()}
    missing = [_FILES[kind] for kind, path in paths.items() if path is None]
    if missing:
        raise NotFoundError(
            f"no MNIST in {os.path.abspath(files.as_text(train_dir))}: {', '.join(missing)} missing (also as .gz)",
            hint="put the four files there; regraft run downloads nothing",
        )
    images, labels = _read_images(paths["train images"]), _read_labels(paths["train labels"], one_hot)
    if not 0 <= validation_size <= len(images):
        raise ValueError(f"validation_size must be from 0 to {len(images)}, got {validation_size}")
    test = _read_images(paths["test images"]), _read_labels(paths["test labels"], one_hot)
    parts = (
        (images[validation_size:], labels[validation_size:]),
        (images[:validation_size], labels[:validation_size]),
        test,
    )
    return Datasets(*(DataSet(i, n, dtype=dtype, reshape=reshape, seed=seed) for i, n in parts))


def _path(folder: Any, name: str) -> str | None:
    for candidate in (f"{name}.gz", name):
        path = os.path.join(files.as_text(folder), candidate)
        if files.exists(path):
            return path
    return None


def _read(path: Any, magic: int, header: int) -> tuple[list[int], Any]:
    """The numbers after the magic one, and the bytes behind them."""
    data = files.read_bytes(path)
    if path.endswith(".gz"):
        data = gzip.decompress(data)
    numbers = np.frombuffer(data[: 4 * header], ">u4").tolist()
    if numbers[:1] != [magic] or len(data) != 4 * header + int(np.prod(numbers[1:])):
        raise DataLossError(f"{path} is no MNIST file: it begins with {numbers[:1]}, not {magic}, or is cut off")
    return numbers[1:], np.frombuffer(data, np.uint8, offset=4 * header)


def _read_images(path: Any) -> Any:
    (count, rows, columns), values = _read(path, _IMAGES, 4)
    return values.reshape(count, rows, columns, 1)


def _read_labels(path: Any, one_hot: bool) -> Any:
    _, values = _read(path, _LABELS, 2)
    return np.eye(10)[values] if one_hot else values
