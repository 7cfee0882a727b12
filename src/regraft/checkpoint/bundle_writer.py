"""Writing V2 checkpoints, byte for byte as TensorFlow does.

Tensors go to the data file as they come, in the order they are added; the index follows when all are there. Files
appear under their names when they are complete, the index last: a checkpoint that can be opened is whole.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from regraft import proto
from regraft.base.dtypes import string
from regraft.base.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError
from regraft.checkpoint import bundle, files, string_tensors
from regraft.checkpoint.arrays import Array, as_octets
from regraft.checkpoint.items import Item, Prepared, Tensors, items_of, prepare
from regraft.wire import crc32c
from regraft.wire.ordered_code import encode_tensor_slice
from regraft.wire.table import TableWriter

_CHUNK = 1 << 20


class BundleWriter:
    """Writes a checkpoint tensor by tensor. As a context manager it finishes at the end, and gives up on an error.

    shards   how many data files; each tensor names its own
    """

    def __init__(self, prefix: files.PathLike, shards: int = 1) -> None:
        self.prefix = files.as_text(prefix)
        self._entries: dict[bytes, proto.BundleEntryProto] = {}
        self._data: list[files.Publication] = []
        self._offsets = [0] * shards
        try:
            for shard in range(shards):
                self._data.append(files.Publication(bundle.data_path(self.prefix, shard, shards)))
        except BaseException:
            self.abort()
            raise

    def add(self, item: Item, shard: int = 0) -> None:
        """Write one tensor or part.

        raises   InvalidArgumentError for a name that is there already, or an array that does not fit the item
        """
        tensor = prepare(item)
        key = tensor.name.encode("utf-8", "surrogateescape")
        if tensor.part is None or tensor.part.covers(tensor.shape):
            self._add(key, tensor, shard)
            return
        whole = self._entries.get(key)
        part_key = encode_tensor_slice(key, tensor.part.extents)
        if part_key in self._entries or (whole is not None and not whole.slices):
            raise InvalidArgumentError(f"Adding duplicate key: {tensor.name} (part {tensor.part})")
        if whole is None:
            whole = self._entries[key] = _described(tensor, tensor.shape)
        elif whole != _described(tensor, tensor.shape, whole.slices):
            raise InvalidArgumentError(f"the parts of {tensor.name!r} are of different dtypes or shapes")
        whole.slices.append(tensor.part.to_proto())
        self._add(part_key, tensor, shard)

    def _add(self, key: bytes, tensor: Prepared, shard: int) -> None:
        if key in self._entries:
            raise InvalidArgumentError(f"Adding duplicate key: {tensor.name}")
        entry = _described(tensor, tensor.array.shape)
        entry.shard_id = shard
        entry.offset = self._offsets[shard]
        file = self._data[shard]
        if tensor.dtype == string:
            parts, crc = string_tensors.encode(tensor.array.reshape(-1).tolist())
            for part in parts:
                file.write(part)
            entry.size = sum(map(len, parts))
        else:
            crc = _write_octets(file, as_octets(tensor.array))
            entry.size = tensor.array.nbytes
        entry.crc32c = crc32c.mask(crc)
        self._offsets[shard] += entry.size
        self._entries[key] = entry

    def seal(self, shard: int) -> None:
        """Bring a data file to the disk, to which nothing will be added."""
        self._data[shard].seal()

    def finish(self) -> None:
        """Publish the data files, then the index; all are on the disk before the first takes its place."""
        try:
            for file in self._data:
                file.seal()
            with files.Publication(bundle.index_path(self.prefix)) as index:
                _put_index(index, len(self._data), self._entries)
                index.seal()
                for file in self._data:
                    file.commit()
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Remove what has been written and is not published."""
        for file in self._data:
            file.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self.abort()


def _described(
    tensor: Prepared, shape: Sequence[int], slices: Sequence[proto.TensorSliceProto] = ()
) -> proto.BundleEntryProto:
    entry = proto.BundleEntryProto(dtype=tensor.dtype.enum, slices=slices)
    entry.shape.SetInParent()
    for size in shape:
        entry.shape.dim.add(size=size)
    return entry


def _write_octets(file: files.Publication, data: Array) -> int:
    """Write bytes, and return their checksum; each chunk is read once from memory."""
    crc = 0
    view = data.data
    for start in range(0, len(data), _CHUNK):
        stop = min(start + _CHUNK, len(data))
        crc = crc32c.extend(crc, data[start:stop])
        file.write(view[start:stop])
    return crc


def write_index(prefix: str, shards: int, entries: dict[bytes, proto.BundleEntryProto]) -> None:
    """Publish the index of a checkpoint whose data files are in place."""
    with files.Publication(bundle.index_path(prefix)) as file:
        _put_index(file, shards, entries)


def _put_index(file: files.Publication, shards: int, entries: dict[bytes, proto.BundleEntryProto]) -> None:
    header = proto.BundleHeaderProto(num_shards=shards)
    header.version.producer = bundle.VERSION
    table = TableWriter(file.write)
    table.add(bundle.HEADER_KEY, header.SerializeToString())
    for key in sorted(entries):
        table.add(key, entries[key].SerializeToString())
    table.finish()


def write_checkpoint(prefix: files.PathLike, tensors: Tensors) -> None:
    """Write a V2 checkpoint: `prefix.index` and `prefix.data-00000-of-00001`.

    tensors  arrays by name, or items; an iterator is drawn on as the writing goes, so not all arrays need exist at once
    raises   NotFoundError if the folder does not exist; InvalidArgumentError for what cannot be saved.
             Nothing is left behind then, and a checkpoint that was there stays as it was
    """
    write_sharded_checkpoint(prefix, [tensors])


def write_sharded_checkpoint(prefix: files.PathLike, shards: Sequence[Tensors]) -> None:
    """Write a V2 checkpoint with a data file for each of `shards`; otherwise as write_checkpoint."""
    with BundleWriter(prefix, len(shards)) as writer:
        for shard, tensors in enumerate(shards):
            for item in items_of(tensors):
                writer.add(item, shard)
            writer.seal(shard)


def merge_checkpoints(prefixes: Sequence[files.PathLike], prefix: files.PathLike, remove_folders: bool = True) -> None:
    """Make one V2 checkpoint of several: their data files are renamed, their indexes joined and removed.

    A tensor whose parts are spread over them becomes one again. Shards are numbered in the order of `prefixes`.

    remove_folders  remove the folders that the parts were in, if nothing else is there
    raises   NotFoundError if one is missing; AlreadyExistsError if a tensor is in two of them
    """
    target = files.as_text(prefix)
    sources = [files.as_text(source) for source in prefixes]
    entries: dict[bytes, proto.BundleEntryProto] = {}
    moves: list[str] = []
    for source in sources:
        header, records = bundle.read_index(source)
        for key, record in records.items():
            entry = proto.parse(record, proto.BundleEntryProto)
            if not entry.slices:
                entry.shard_id += len(moves)
            known = entries.get(key)
            if known is None:
                entries[key] = entry
            elif known.slices and entry.slices and (known.dtype, known.shape) == (entry.dtype, entry.shape):
                known.slices.extend(part for part in entry.slices if part not in known.slices)
            else:
                raise AlreadyExistsError(f"{key!r} is in more than one of the checkpoints to merge", where=(source,))
        moves.extend(bundle.data_path(source, shard, header.shards) for shard in range(header.shards))
    for path in moves:
        if not files.exists(path):
            raise NotFoundError(f"{path}; No such file or directory")
    for shard, path in enumerate(moves):
        files.rename(path, bundle.data_path(target, shard, len(moves)))
    write_index(target, len(moves), entries)
    for source in sources:
        files.remove(bundle.index_path(source))
    if remove_folders:
        for folder in {files.folder_of(source) for source in sources} - {files.folder_of(target)}:
            files.remove_if_empty(folder)
