"""Reading V2 checkpoints: bytes go straight from the file into the array that is handed out.

Each chunk is checksummed while it is in the processor's cache, so the memory is passed over once.
"""

import threading

from regraft.base.dtypes import DType, resource, string, variant
from regraft.base.errors import DataLossError, InvalidArgumentError, NotFoundError, UnimplementedError
from regraft.checkpoint import bundle, files, string_tensors
from regraft.checkpoint.arrays import Allocate, Array, as_octets, new_array
from regraft.checkpoint.bundle import Entry
from regraft.checkpoint.slices import TensorSlice, covered, overlap, within
from regraft.wire import crc32c
from regraft.wire.ordered_code import encode_tensor_slice

_CHUNK = 1 << 20
_LEAST_MAPPED = 1 << 20


class BundleReader:
    """The tensors of a V2 checkpoint by name. The index is in memory; data files open when they are first needed."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.path = bundle.index_path(prefix)
        self._header, self._records = bundle.read_index(prefix)
        self._entries: dict[bytes, Entry] = {}
        self._sources: dict[int, files.Source] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            for source in self._sources.values():
                source.close()
            self._sources.clear()

    def names(self) -> list[str]:
        """The names of all tensors, sorted by their bytes; the parts of a partitioned one do not count."""
        return [key.decode("utf-8", "surrogateescape") for key in self._records if not key.startswith(b"\0")]

    def has_tensor(self, name: str) -> bool:
        return _key(name) in self._records

    def entry(self, name: str) -> Entry:
        """What the index says of tensor `name`. NotFoundError if it is not there."""
        return self._entry(_key(name), name)

    def _entry(self, key: bytes, name: str) -> Entry:
        entry = self._entries.get(key)
        if entry is None:
            record = self._records.get(key)
            if record is None:
                raise NotFoundError(f"Key {name} not found in checkpoint", where=(self.path,))
            entry = Entry.parse(record, f"{self.path}, record of {name!r}", self._header.shards)
            self._entries[key] = entry
        return entry

    def dtype(self, name: str) -> DType:
        return self.entry(name).dtype

    def shape(self, name: str) -> tuple[int, ...]:
        return self.entry(name).shape

    def place(self, name: str) -> tuple[int, int, int]:
        """Data file, offset and size of a tensor: the order of the disk. A partitioned one counts at its first part."""
        entry = self.entry(name)
        if entry.slices:
            first = self._part(name, entry, entry.slices[0])
            return first.shard, first.offset, entry.elements * entry.dtype.numpy.itemsize
        return entry.shard, entry.offset, entry.size

    def read(
        self, name: str, part: TensorSlice | None = None, out: Array | None = None, allocate: Allocate = new_array
    ) -> Array:
        """Tensor `name` or a part of it, into `out` (of its dtype and shape, C-contiguous, writable) or a new array."""
        entry = self.entry(name)
        if part is None and not entry.slices:
            return self._read_entry(entry, name, out, allocate)
        whole = TensorSlice.whole(len(entry.shape))
        shape = entry.shape if part is None else part.shape_in(entry.shape)
        if not entry.slices and shape == entry.shape:
            return self._read_entry(entry, name, out, allocate)
        wanted = (part or whole).bounds(entry.shape)
        needed = []
        for stored in entry.slices or (whole,):
            bounds = stored.bounds(entry.shape)
            shared = overlap(wanted, bounds)
            if shared is not None:
                stored_entry = self._part(name, entry, stored) if entry.slices else entry
                self._locate(stored_entry, name)
                needed.append((bounds, shared, stored_entry))
        if not covered(wanted, [shared for _, shared, _ in needed]):
            raise InvalidArgumentError(
                f"Does not have sufficient slices for partitioned tensor {name} to restore in slice_spec:"
                f" {part or whole}",
                where=(self.path,),
                hint=f"stored are {', '.join(map(str, entry.slices))} of shape {list(entry.shape)}",
            )
        if out is None:
            out = allocate(shape, entry.dtype)
        for bounds, shared, stored_entry in needed:
            target = out[within(shared, wanted)]
            if shared == bounds and target.flags.c_contiguous and target.ndim:
                self._read_entry(stored_entry, name, target, allocate)
            else:
                target[...] = self._read_entry(stored_entry, name, None, new_array)[within(shared, bounds)]
        return out

    def mapped(self, name: str) -> Array | None:
        """Tensor `name`, whole and checked, as a map of the file; None where it is small or must be copied."""
        entry = self.entry(name)
        if entry.size < _LEAST_MAPPED or entry.slices or entry.dtype is string or self._header.big_endian:
            return None
        source = self._locate(entry, name)
        if entry.offset % entry.dtype.numpy.alignment:
            return None
        octets = source.mapped(entry.offset, entry.size)
        if octets is None:
            return None
        _check(crc32c.value(octets), source, entry, name)
        return octets.view(entry.dtype.numpy).reshape(entry.shape)

    def _part(self, name: str, entry: Entry, stored: TensorSlice) -> Entry:
        part = self._entry(encode_tensor_slice(_key(name), stored.extents), f"{name} (part {stored})")
        if part.slices or part.dtype != entry.dtype or part.shape != stored.shape_in(entry.shape):
            raise DataLossError(
                f"part {stored} of {name!r}, {entry.dtype.name} of shape {list(entry.shape)}, is stored as"
                f" {part.dtype.name} of shape {list(part.shape)}",
                where=(self.path,),
            )
        return part

    def _locate(self, entry: Entry, name: str) -> files.Source:
        """The file that holds the bytes of `entry`, checked to hold them."""
        if entry.dtype in (variant, resource):
            raise UnimplementedError(
                f"{name!r} is a {entry.dtype.name} tensor: its bytes stand for objects of the program that wrote it",
                where=(self.path,),
                hint="read the other tensors by name",
            )
        source = self._source(entry.shard)
        if entry.offset + entry.size > source.size:
            raise DataLossError(
                f"the data file has {source.size:,} bytes, the tensor ends at {entry.offset + entry.size:,}",
                where=(_where(source, entry, name),),
                hint="the file is truncated or belongs to another checkpoint; copy it again",
            )
        return source

    def _read_entry(self, entry: Entry, name: str, out: Array | None, allocate: Allocate) -> Array:
        source = self._locate(entry, name)
        if entry.dtype is string:
            data = memoryview(source.read_at(entry.offset, entry.size))
            where = _where(source, entry, name)
            values, crc = string_tensors.decode(data, entry.elements, where, self._header.big_endian)
            _check(crc, source, entry, name)
            if out is None:
                return values.reshape(entry.shape)
            out[...] = values.reshape(entry.shape)
            return out
        if out is None:
            out = allocate(entry.shape, entry.dtype)
        _fill(source, entry, as_octets(out), name)
        if self._header.big_endian:
            out.byteswap(inplace=True)
        return out

    def _source(self, shard: int) -> files.Source:
        with self._lock:
            source = self._sources.get(shard)
            if source is None:
                path = bundle.data_path(self.prefix, shard, self._header.shards)
                try:
                    source = files.open_source(path)
                except NotFoundError as e:
                    raise NotFoundError(
                        f"{path}; No such file or directory",
                        where=(f"{self.path}, which counts {self._header.shards} data files",),
                        hint="copy all files of the checkpoint",
                    ) from e
                self._sources[shard] = source
            return source


def _key(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _where(source: files.Source, entry: Entry, name: str) -> str:
    return f"{source.name}, {name!r}, {entry.size:,} bytes at offset {entry.offset}"


def _fill(source: files.Source, entry: Entry, out: Array, name: str) -> None:
    view = out.data
    size = len(out)
    crc = start = 0
    while start < size:
        stop = min(start + _CHUNK, size)
        read = source.read_into(entry.offset + start, view[start:stop])
        if read < stop - start:
            raise DataLossError(
                f"the data file ends after {start + read:,} bytes of the tensor", where=(_where(source, entry, name),)
            )
        crc = crc32c.extend(crc, out[start:stop])
        start = stop
    _check(crc, source, entry, name)


def _check(crc: int, source: files.Source, entry: Entry, name: str) -> None:
    stored = crc32c.unmask(entry.checksum)
    if crc != stored:
        raise DataLossError(
            f"Checksum does not match: stored {stored:08} vs. calculated on the restored bytes {crc}",
            where=(_where(source, entry, name),),
            hint="the file was changed after it was written, or belongs to another checkpoint; copy it again",
        )
