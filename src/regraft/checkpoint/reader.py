"""Opening a checkpoint of either format, and reading tensors from it."""

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Protocol, Self

from regraft import proto
from regraft.base.dtypes import DType, as_dtype
from regraft.base.errors import InvalidArgumentError
from regraft.base.heap import one_heap
from regraft.checkpoint import bundle, files
from regraft.checkpoint.arrays import Allocate, Array, Slabs, new_array
from regraft.checkpoint.bundle_reader import BundleReader
from regraft.checkpoint.slices import ShapeAndSlice, TensorSlice, bracketed
from regraft.checkpoint.v1_reader import V1Reader

_MOST_THREADS = 4
_WORTH_THREADS = 32 << 20  # bytes; below, starting threads takes longer than they save


class _Format(Protocol):
    prefix: str
    path: str

    def names(self) -> list[str]: ...
    def has_tensor(self, name: str) -> bool: ...
    def dtype(self, name: str) -> DType: ...
    def shape(self, name: str) -> tuple[int, ...]: ...
    def place(self, name: str) -> tuple[int, int, int]: ...
    def mapped(self, name: str) -> Array | None: ...
    def read(
        self, name: str, part: TensorSlice | None = None, out: Array | None = None, allocate: Allocate = new_array
    ) -> Array: ...
    def close(self) -> None: ...


class CheckpointReader:
    """The tensors of a checkpoint by name. Safe to share between threads; `close` it, or use it in a `with` block.

    version  2 for a tensor bundle, 1 for the older table files
    prefix   what it was opened by
    """

    def __init__(self, version: int, content: _Format) -> None:
        self.version = version
        self._content = content

    @property
    def prefix(self) -> str:
        return self._content.prefix

    def close(self) -> None:
        self._content.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def names(self) -> list[str]:
        """The names of all tensors, sorted. The parts of a partitioned one do not count."""
        return self._content.names()

    def has_tensor(self, name: str) -> bool:
        return self._content.has_tensor(name)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of one tensor, a partitioned one's whole. NotFoundError if it is not there."""
        return self._content.shape(name)

    def dtype(self, name: str) -> DType:
        """The dtype of one tensor. NotFoundError if it is not there."""
        return self._content.dtype(name)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: self._content.shape(name) for name in self.names()}

    def dtypes(self) -> dict[str, DType]:
        return {name: self._content.dtype(name) for name in self.names()}

    def debug_string(self) -> str:
        """A line `name (DT_FLOAT) [2,3]` for each tensor, sorted by name.

        differs  TensorFlow lists the parts of a partitioned tensor under their keys instead; V1 lists are not sorted
        """
        return "".join(
            f"{name} ({proto.DataType.Name(self.dtype(name).enum)}) {bracketed(self.shape(name))}\n"
            for name in self.names()
        )

    def get_tensor(self, name: str) -> Array:
        """A tensor as a new array, aligned to 64 bytes; strings as an object array of bytes.

        raises   NotFoundError if it is not there; DataLossError if its bytes are damaged;
                 InvalidArgumentError if it is partitioned and parts are missing;
                 UnimplementedError if it is a variant
        """
        return self._content.read(name)

    def get_slice(self, name: str, part: TensorSlice | ShapeAndSlice | str) -> Array:
        """A part of a tensor, as a new array; `part` may be the text of a shape-and-slice, "" for all of it.

        raises   as get_tensor; InvalidArgumentError if the shape is another, or the part does not lie in it
        """
        if isinstance(part, str):
            parsed = ShapeAndSlice.parse(part)
            if parsed is None:
                return self.get_tensor(name)
            part = parsed
        if isinstance(part, ShapeAndSlice):
            stored = self.shape(name)
            if part.shape != stored:
                raise InvalidArgumentError(
                    f"tensor_name = {name}; shape in shape_and_slice spec {bracketed(part.shape)} does not match the"
                    f" shape stored in checkpoint: {bracketed(stored)}",
                    where=(self._content.path,),
                )
            part = part.slice
        return self._content.read(name, part)

    def read_into(self, name: str, out: Array) -> None:
        """Read a tensor into an array of its dtype and shape; fastest where that is C-contiguous.

        raises   as get_tensor; InvalidArgumentError if dtype or shape differ. After a DataLossError `out` holds garbage
        """
        stored, shape = self.dtype(name), self.shape(name)
        if out.dtype != stored.numpy:
            raise InvalidArgumentError(
                f"tensor_name = {name}; expected dtype {as_dtype(out.dtype).status_name} does not equal"
                f" original dtype {stored.status_name}",
                where=(self._content.path,),
            )
        if out.shape != shape:
            raise InvalidArgumentError(
                f"tensor_name = {name}; expected shape {bracketed(out.shape)} does not equal the shape stored in"
                f" checkpoint: {bracketed(shape)}",
                where=(self._content.path,),
            )
        if out.flags.c_contiguous and out.flags.writeable:
            self._content.read(name, None, out)
        else:
            out[...] = self._content.read(name)

    def get_tensors(
        self, names: Iterable[str] | None = None, into: Mapping[str, Array] | None = None, mapped: bool = False
    ) -> dict[str, Array]:
        """Many tensors (all of them by default), read in the order of the disk, large ones by a few threads at once.

        into     arrays to read into, as in read_into; the others are new
        mapped   give large ones as private maps of the file, which are copied a few seconds later, see `mapping`: until
                 then it must not be overwritten in place (replacing or deleting it does no harm). They are aligned as
                 the file has them
        raises   as get_tensor, for the first that fails
        """
        given = into or {}
        wanted = list(dict.fromkeys(self.names() if names is None else names))
        found: dict[str, Array] = {}
        places = {name: self._content.place(name) for name in wanted}
        total = sum(size for _, _, size in places.values())
        slabs = Slabs(total)

        def read(name: str) -> None:
            if name in given:
                self.read_into(name, given[name])
                found[name] = given[name]
            else:
                there = self._content.mapped(name) if mapped else None
                found[name] = self._content.read(name, allocate=slabs.new_array) if there is None else there

        ordered = sorted(wanted, key=places.__getitem__)
        threads = min(_MOST_THREADS, os.cpu_count() or 1)
        if threads < 2 or total < _WORTH_THREADS:
            for name in ordered:
                read(name)
        else:
            one_heap()
            with ThreadPoolExecutor(threads) as pool:
                for done in [pool.submit(read, name) for name in ordered]:
                    done.result()
        return {name: found[name] for name in wanted}


def open_checkpoint(prefix: files.PathLike) -> CheckpointReader:
    """Open the checkpoint of this prefix: `prefix.index` if there is one (V2), else `prefix` itself (V1).

    A V1 prefix may be a pattern over the files of its shards, `model.ckpt-?????-of-00002`.

    raises   NotFoundError if there is neither; DataLossError if the index is damaged
    """
    text = files.as_text(prefix)
    if files.exists(bundle.index_path(text)):
        return CheckpointReader(2, BundleReader(text))
    return CheckpointReader(1, V1Reader(text))
