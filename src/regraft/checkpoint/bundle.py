"""V2 checkpoints, the tensor bundle: names of the files, and the records of the index."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from regraft import proto
from regraft.base.dtypes import DType, resource, string, variant
from regraft.base.errors import DataLossError, FailedPreconditionError, InvalidArgumentError
from regraft.checkpoint import files
from regraft.checkpoint.arrays import stored_dtype, stored_shape
from regraft.checkpoint.slices import TensorSlice
from regraft.wire.table import Table

HEADER_KEY = b""
VERSION = 1  # of the format, as producer and as consumer
_UNSIZED = frozenset({string, variant, resource})


def index_path(prefix: str) -> str:
    return f"{prefix}.index"


def data_path(prefix: str, shard: int, shards: int) -> str:
    return f"{prefix}.data-{shard:05d}-of-{shards:05d}"


@dataclass(frozen=True)
class Header:
    """How many data files there are, and the byte order of their numbers."""

    shards: int
    big_endian: bool

    @classmethod
    def parse(cls, data: memoryview, where: str) -> "Header":
        """The header record. DataLossError if it is none; FailedPreconditionError if it asks for a newer reader."""
        try:
            message = proto.parse(data, proto.BundleHeaderProto)
        except proto.DecodeError as e:
            raise DataLossError(f"the header is no BundleHeaderProto: {e}", where=(where,)) from e
        if message.num_shards < 1:
            raise DataLossError(f"the header counts {message.num_shards} data files", where=(where,))
        if message.version.min_consumer > VERSION or VERSION in message.version.bad_consumers:
            raise FailedPreconditionError(
                f"Checkpoint min consumer version {message.version.min_consumer} above current version {VERSION}",
                where=(where,),
                hint="it was written by a newer format than this reader knows",
            )
        return cls(message.num_shards, message.endianness == proto.BundleHeaderProto.BIG)


class Entry(NamedTuple):
    """One tensor: what it is, and where its bytes are. A partitioned one has slices, stored under keys of their own."""

    dtype: DType
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int  # masked
    slices: tuple[TensorSlice, ...]

    @classmethod
    def parse(cls, data: memoryview, where: str, shards: int) -> "Entry":
        """The entry in an index record. DataLossError if its numbers do not fit together."""
        try:
            message = proto.parse(data, proto.BundleEntryProto)
        except proto.DecodeError as e:
            raise DataLossError(f"the record is no BundleEntryProto: {e}", where=(where,)) from e
        entry = cls(
            stored_dtype(message.dtype, where),
            stored_shape(message.shape, where),
            message.shard_id,
            message.offset,
            message.size,
            message.crc32c,
            tuple(map(TensorSlice.from_proto, message.slices)),
        )
        entry._check(where, shards)
        return entry

    def _check(self, where: str, shards: int) -> None:
        if self.slices:
            try:
                for part in self.slices:
                    part.bounds(self.shape)
            except InvalidArgumentError as e:
                raise DataLossError(f"a part does not lie in its tensor: {e}", where=(where,)) from e
            return
        if not 0 <= self.shard < shards or self.offset < 0 or self.size < 0:
            raise DataLossError(
                f"{self.size:,} bytes at offset {self.offset} of data file {self.shard} of {shards}", where=(where,)
            )
        if self.dtype in _UNSIZED:
            return
        needed = self.elements * self.dtype.numpy.itemsize
        if self.size != needed:
            raise DataLossError(
                f"a {self.dtype.name} tensor of shape {list(self.shape)} takes {needed:,} bytes,"
                f" the entry has {self.size:,}",
                where=(where,),
            )

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


def read_index(prefix: str) -> tuple[Header, dict[bytes, memoryview]]:
    """The header, and the records of all tensors and slices by key. DataLossError if the file is damaged."""
    path = index_path(prefix)
    source = files.open_source(path)
    try:
        records: Iterator[tuple[bytes, memoryview]] = Table(source.read_at, source.size, path).items()
        key, header = next(records, (None, memoryview(b"")))
        if key != HEADER_KEY:
            raise DataLossError(f"the first key is {key!r}, where the header's empty one belongs", where=(path,))
        return Header.parse(header, path), dict(records)
    finally:
        source.close()
