"""Reading V1 checkpoints: tables that hold the values themselves, one file or one for each shard.

Key "" holds the names, shapes and slices in that file (SavedTensorSliceMeta); a slice's key holds its values.
"""

import math
from dataclasses import dataclass, field

from regraft import proto
from regraft.base.dtypes import DType
from regraft.base.errors import DataLossError, FailedPreconditionError, InvalidArgumentError, NotFoundError
from regraft.checkpoint import files, v1_values
from regraft.checkpoint.arrays import Allocate, Array, new_array, stored_dtype, stored_shape
from regraft.checkpoint.slices import TensorSlice, count, covered, overlap, within
from regraft.wire import fields
from regraft.wire.ordered_code import encode_tensor_slice
from regraft.wire.table import Table

META_KEY = b""
VERSION = 1
# Fields of SavedTensorSlices and SavedSlice on the way to a slice's TensorProto.
_DATA, _SLICE_DATA = 2, 3


@dataclass
class _Tensor:
    dtype: DType
    shape: tuple[int, ...]
    slices: dict[TensorSlice, int] = field(default_factory=dict)  # to the number of its file


class V1Reader:
    """The tensors of a V1 checkpoint by name, from all files that `pattern` matches."""

    def __init__(self, pattern: str) -> None:
        self.prefix = pattern
        self.path = pattern
        paths = [pattern] if files.exists(pattern) else files.matching(pattern)
        if not paths:
            raise NotFoundError(
                f"Unsuccessful TensorSliceReader constructor: Failed to find any matching files for {pattern}",
                hint=f"neither {pattern}.index (V2) nor {pattern} (V1) exists",
            )
        self._sources: list[files.Source] = []
        self._tables: list[Table] = []
        self._tensors: dict[str, _Tensor] = {}
        try:
            for path in paths:
                self._add(path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for source in self._sources:
            source.close()

    def _add(self, path: str) -> None:
        source = files.open_source(path)
        self._sources.append(source)
        try:
            table = Table(source.read_at, source.size, path)
            record = table.get(META_KEY)
        except DataLossError as e:
            raise DataLossError(f"Unable to open table file {path}: {e}") from e
        if record is None:
            raise DataLossError("no record says which tensors the file holds", where=(path,))
        try:
            meta = proto.parse(record, proto.SavedTensorSlices).meta
        except proto.DecodeError as e:
            raise DataLossError(f"the first record is no SavedTensorSlices: {e}", where=(path,)) from e
        if meta.versions.min_consumer > VERSION or VERSION in meta.versions.bad_consumers:
            raise FailedPreconditionError(
                f"Checkpoint min consumer version {meta.versions.min_consumer} above current version {VERSION}",
                where=(path,),
            )
        self._tables.append(table)
        for saved in meta.tensor:
            self._add_tensor(saved, len(self._tables) - 1, path)

    def _add_tensor(self, saved: proto.SavedSliceMeta, number: int, path: str) -> None:
        where = f"{path}, record of {saved.name!r}"
        dtype, shape = stored_dtype(saved.type, where), stored_shape(saved.shape, where)
        tensor = self._tensors.setdefault(saved.name, _Tensor(dtype, shape))
        if (tensor.dtype, tensor.shape) != (dtype, shape):
            raise DataLossError(
                f"here {dtype.name} of shape {list(shape)}, in another file of this checkpoint {tensor.dtype.name} of"
                f" shape {list(tensor.shape)}",
                where=(where,),
            )
        for message in saved.slice:
            part = TensorSlice.from_proto(message)
            try:
                part.bounds(shape)
            except InvalidArgumentError as e:
                raise DataLossError(f"a part does not lie in its tensor: {e}", where=(where,)) from e
            tensor.slices[part] = number

    def names(self) -> list[str]:
        """The names of all tensors, sorted."""
        return sorted(self._tensors)

    def has_tensor(self, name: str) -> bool:
        return name in self._tensors

    def _tensor(self, name: str) -> _Tensor:
        tensor = self._tensors.get(name)
        if tensor is None:
            raise NotFoundError(f"{name} not found in checkpoint file", where=(self.path,))
        return tensor

    def dtype(self, name: str) -> DType:
        return self._tensor(name).dtype

    def shape(self, name: str) -> tuple[int, ...]:
        return self._tensor(name).shape

    def place(self, name: str) -> tuple[int, int, int]:
        """The number of the file with the first part of a tensor, 0, and the tensor's size in memory."""
        tensor = self._tensor(name)
        return min(tensor.slices.values(), default=0), 0, math.prod(tensor.shape) * tensor.dtype.numpy.itemsize

    def mapped(self, name: str) -> None:
        """None: values of this format are not stored as they lie in memory."""

    def read(
        self, name: str, part: TensorSlice | None = None, out: Array | None = None, allocate: Allocate = new_array
    ) -> Array:
        """Tensor `name` or a part of it, into `out` (same dtype and shape, writable) or one of `allocate`."""
        tensor = self._tensor(name)
        whole = TensorSlice.whole(len(tensor.shape))
        wanted = (part or whole).bounds(tensor.shape)
        needed = []
        for stored, number in tensor.slices.items():
            bounds = stored.bounds(tensor.shape)
            shared = overlap(wanted, bounds)
            if shared is not None:
                needed.append((stored, bounds, shared, number))
        self._check_room(name, tensor)
        if not covered(wanted, [shared for _, _, shared, _ in needed]):
            raise InvalidArgumentError(
                f"the slices in the checkpoint do not cover {part or whole} of tensor {name}",
                where=(self.path,),
                hint=f"stored are {', '.join(map(str, tensor.slices)) or 'none'} of shape {list(tensor.shape)}",
            )
        if out is None:
            out = allocate(tuple(stop - start for start, stop in wanted), tensor.dtype)
        for stored, bounds, shared, number in needed:
            values = self._values(name, tensor, stored, number)
            values = values.reshape([stop - start for start, stop in bounds])
            out[within(shared, wanted)] = values[within(shared, bounds)]
        return out

    def _check_room(self, name: str, tensor: _Tensor) -> None:
        size = sum(source.size for source in self._sources)
        if v1_values.smallest_size(tensor.dtype, tensor.shape) > size:
            raise DataLossError(
                f"{name!r} claims to be {tensor.dtype.name} of shape {list(tensor.shape)}, in {size:,} bytes",
                where=(self.path,),
            )

    def _values(self, name: str, tensor: _Tensor, stored: TensorSlice, number: int) -> Array:
        where = f"{self._sources[number].name}, part {stored} of {name!r}"
        record = self._tables[number].get(encode_tensor_slice(name.encode(), stored.extents))
        if record is None:
            raise DataLossError("the record with the values is missing", where=(where,))
        data = _last(_last(record, _DATA), _SLICE_DATA)
        return v1_values.decode(data, tensor.dtype, count(stored.bounds(tensor.shape)), where)


def _last(message: memoryview, number: int) -> memoryview:
    """The content of field `number`; as in protobuf, the last one counts."""
    found = memoryview(b"")
    for field_number, kind, content in fields.split(message):
        if field_number == number and kind == fields.BYTES:
            found = content
    return found
