"""tf.train.NewCheckpointReader: `regraft.checkpoint.CheckpointReader` under the names of TensorFlow's reader."""

from __future__ import annotations

from typing import Any

from regraft.base.dtypes import DType
from regraft.checkpoint import open_checkpoint
from regraft.checkpoint.management import load_checkpoint as _load


class CheckpointReader:
    """The tensors of a checkpoint by name.

    prefix  what the checkpoint's files begin with; for the old format, the file, or a pattern over those of its shards
    raises  NotFoundError if there is none; DataLossError if the index is damaged
    """

    def __init__(self, prefix: Any) -> None:
        self._reader = open_checkpoint(prefix)

    def has_tensor(self, tensor_str: Any) -> bool:
        """Whether there is a tensor of this name."""
        return self._reader.has_tensor(_text(tensor_str))

    def get_tensor(self, tensor_str: Any) -> Any:
        """The value of a tensor: an array, for a scalar one of NumPy's (or bytes). NotFoundError if there is none."""
        return self._reader.get_tensor(_text(tensor_str))[()]

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """The shapes of all tensors; partitioned ones count as one."""
        return {name: list(shape) for name, shape in self._reader.shapes().items()}

    def get_variable_to_dtype_map(self) -> dict[str, DType]:
        """The dtypes of all tensors."""
        return self._reader.dtypes()

    def debug_string(self) -> bytes:
        """A line `name (DT_FLOAT) [2,3]` for each tensor."""
        return self._reader.debug_string().encode()


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def NewCheckpointReader(filepattern: Any) -> CheckpointReader:
    """A reader of the checkpoint with this prefix."""
    return CheckpointReader(filepattern)


def load_checkpoint(ckpt_dir_or_file: Any) -> CheckpointReader:
    """A reader of the checkpoint with this prefix, or of the newest in a folder. ValueError if the folder has none."""
    with _load(ckpt_dir_or_file) as reader:
        return CheckpointReader(reader.prefix)
