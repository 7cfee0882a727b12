"""Writing V1 checkpoints, as TensorFlow does; new files are better written in V2."""

from regraft import proto
from regraft.base.errors import InvalidArgumentError
from regraft.checkpoint import files, v1_values
from regraft.checkpoint.items import Prepared, Tensors, items_of, prepare
from regraft.checkpoint.slices import TensorSlice
from regraft.checkpoint.v1_reader import META_KEY, VERSION
from regraft.wire import fields
from regraft.wire.ordered_code import encode_tensor_slice
from regraft.wire.table import TableWriter

_MOST_BYTES = (1 << 31) - 1  # of a protobuf message, which one record is
# Fields of SavedTensorSlices and SavedSlice.
_DATA, _NAME, _SLICE, _SLICE_DATA = 2, 1, 2, 3


def write_v1_checkpoint(path: files.PathLike, tensors: Tensors) -> None:
    """Write a V1 checkpoint file. All arrays are held until it is written: the format sorts them by name.

    A sharded one is several such files, named `prefix-00000-of-00002` and so on.

    raises   NotFoundError if the folder does not exist; InvalidArgumentError for what cannot be saved;
             UnimplementedError for dtypes that V1 does not know
    """
    saved: dict[str, proto.SavedSliceMeta] = {}
    records: dict[bytes, Prepared] = {}
    for item in items_of(tensors):
        tensor = prepare(item)
        if not tensor.name:
            raise InvalidArgumentError("a tensor without a name cannot be saved")
        meta = proto.SavedSliceMeta(name=tensor.name, type=tensor.dtype.enum)
        meta.shape.SetInParent()
        for size in tensor.shape:
            meta.shape.dim.add(size=size)
        known = saved.setdefault(tensor.name, meta)
        if (known.type, known.shape) != (meta.type, meta.shape):
            raise InvalidArgumentError(f"the parts of {tensor.name!r} are of different dtypes or shapes")
        part = _part(tensor)
        key = encode_tensor_slice(tensor.name.encode(), part.extents)
        if key in records:
            raise InvalidArgumentError(f"Adding duplicate key: {tensor.name} (part {part})")
        known.slice.append(part.to_proto())
        records[key] = tensor
    with files.Publication(path) as file:
        table = TableWriter(file.write)
        table.add(META_KEY, _meta([saved[name] for name in sorted(saved, key=str.encode)]))
        for key in sorted(records):
            table.add(key, _record(records[key]))
        table.finish()


def _part(tensor: Prepared) -> TensorSlice:
    return tensor.part or TensorSlice.whole(len(tensor.shape))


def _meta(tensors: list[proto.SavedSliceMeta]) -> bytes:
    message = proto.SavedTensorSlices()
    message.meta.tensor.extend(tensors)
    message.meta.versions.producer = VERSION
    return message.SerializeToString()


def _record(tensor: Prepared) -> bytes:
    values = v1_values.encode(tensor.array, tensor.dtype)
    if len(values) > _MOST_BYTES:
        raise InvalidArgumentError(
            f"Tensor slice is too large to serialize: {tensor.name!r} takes {len(values):,} bytes, a record holds 2 GB",
            hint="write a V2 checkpoint",
        )
    part = _part(tensor).to_proto().SerializeToString()
    return fields.tagged(
        _DATA,
        fields.tagged(_NAME, tensor.name.encode()) + fields.tagged(_SLICE, part) + fields.tagged(_SLICE_DATA, values),
    )
