"""Where a variable lies in the tensor that checkpoints keep, when it is a part of a larger one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regraft import proto
from regraft.base import names


class SaveSliceInfo:
    """One part of a partitioned variable.

    full_name   the key of the whole tensor in checkpoints
    full_shape  its shape
    var_offset  where this part begins, a number a dimension
    var_shape   the shape of this part
    """

    def __init__(
        self,
        full_name: str | None = None,
        full_shape: Sequence[int] | None = None,
        var_offset: Sequence[int] | None = None,
        var_shape: Sequence[int] | None = None,
        save_slice_info_def: Any = None,
        import_scope: str | None = None,
    ) -> None:
        if save_slice_info_def is not None:
            message = proto.as_ours(save_slice_info_def, proto.SaveSliceInfoDef)
            self.full_name: str | None = names.prepend_scope(message.full_name, import_scope or "")
            self.full_shape: list[int] = list(message.full_shape)
            self.var_offset: list[int] = list(message.var_offset)
            self.var_shape: list[int] | None = list(message.var_shape)
        else:
            self.full_name = full_name
            self.full_shape = [] if full_shape is None else [int(d) for d in full_shape]
            self.var_offset = [] if var_offset is None else [int(d) for d in var_offset]
            self.var_shape = None if var_shape is None else [int(d) for d in var_shape]

    @property
    def spec(self) -> str:
        """The part as SaveV2 and RestoreV2 take it: `10 4 0,5:0,4`, with a blank where there is no full shape."""
        full = " ".join(str(d) for d in self.full_shape) + " "
        parts = ":".join(f"{o},{s}" for o, s in zip(self.var_offset, self.var_shape or [], strict=True))
        return full + parts

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The SaveSliceInfoDef, or None when the tensor lies outside `export_scope`."""
        if not names.in_scope(self.full_name or "", export_scope or ""):
            return None
        return proto.SaveSliceInfoDef(
            full_name=names.strip_scope(self.full_name or "", export_scope or ""),
            full_shape=self.full_shape,
            var_offset=self.var_offset,
            var_shape=self.var_shape,
        )
