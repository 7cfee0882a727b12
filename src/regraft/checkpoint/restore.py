"""What the RestoreV2 kernel does: tensors by key, part and dtype, from a checkpoint of either format."""

from collections.abc import Sequence

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError, NotFoundError
from regraft.checkpoint.arrays import Array
from regraft.checkpoint.reader import CheckpointReader
from regraft.checkpoint.slices import ShapeAndSlice


def restore(
    reader: CheckpointReader, names: Sequence[str], shape_and_slices: Sequence[str], dtypes: Sequence[DType]
) -> list[Array]:
    """The tensors `names`, or the parts of them that `shape_and_slices` spells ("" for all), in that order.

    All names and dtypes are looked at before anything is read, so one error lists all that is wrong.

    raises   NotFoundError for names that are not there; InvalidArgumentError for other dtypes or shapes;
             DataLossError if bytes are damaged
    """
    parts = [ShapeAndSlice.parse(text) for text in shape_and_slices]
    missing = [name for name in names if not reader.has_tensor(name)]
    if missing:
        raise NotFoundError("\n".join(missing_text(reader, name) for name in missing), where=(reader.prefix,))
    mismatched = [
        mismatch_text(reader, name, dtype, stored)
        for name, dtype in zip(names, dtypes, strict=True)
        if (stored := reader.dtype(name)) != dtype.base
    ]
    if mismatched:
        raise InvalidArgumentError("\n".join(mismatched), where=(reader.prefix,))
    wholly = [name for name, part in zip(names, parts, strict=True) if part is None]
    whole = reader.get_tensors(wholly, mapped=True)
    found = []
    for name, part in zip(names, parts, strict=True):
        if part is not None:
            found.append(reader.get_slice(name, part))
        else:
            # A name may be asked for twice; each result is an array of its own.
            found.append(whole.pop(name) if name in whole else reader.get_tensor(name))
    return found


def missing_text(reader: CheckpointReader, name: str) -> str:
    """That a tensor is not there, in the words of the format."""
    if reader.version == 1:
        return f'Tensor name "{name}" not found in checkpoint files {reader.prefix}'
    return f"Key {name} not found in checkpoint"


def mismatch_text(reader: CheckpointReader, name: str, wanted: DType, stored: DType) -> str:
    """That a tensor is of another dtype, in the words of the format."""
    if reader.version == 1:
        return (
            f"Expected to restore a tensor of type {wanted.status_name}, got a tensor of type {stored.status_name}"
            f" instead: tensor_name = {name}"
        )
    return (
        f"tensor_name = {name}; expected dtype {wanted.status_name} does not equal original dtype {stored.status_name}"
    )
