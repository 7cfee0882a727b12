"""Where a part of a variable lies in the whole."""

from __future__ import annotations

from collections.abc import Sequence


class PartitionInfo:
    """Where a part lies in the whole, for initializers.

    full_shape  of the whole
    var_offset  of the part's first element
    """

    __slots__ = ("full_shape", "var_offset")

    def __init__(self, full_shape: Sequence[int], var_offset: Sequence[int]) -> None:
        if len(var_offset) != len(full_shape):
            raise ValueError(
                f"Expected equal length, but `var_offset` is of length {len(var_offset)} while full_shape is of "
                f"length {len(full_shape)}."
            )
        for offset, size in zip(var_offset, full_shape, strict=True):
            if not 0 <= offset < size:
                raise ValueError(
                    f"Expected 0 <= offset < shape but found offset={offset}, shape={size} for "
                    f"var_offset={var_offset}, full_shape={full_shape}"
                )
        self.full_shape = full_shape
        self.var_offset = var_offset

    def single_slice_dim(self, shape: Sequence[int]) -> int | None:
        """The dimension along which a part of `shape` is cut; None when it is the whole. ValueError for several."""
        cut = [i for i, (part, whole) in enumerate(zip(shape, self.full_shape, strict=True)) if part != whole]
        if len(cut) > 1:
            raise ValueError(
                f"Cannot use single_slice_dim() with shape={shape} and self.full_shape={self.full_shape} since "
                f"slice dim could be either dimension {cut[0]} or {cut[1]}."
            )
        return cut[0] if cut else None

    def single_offset(self, shape: Sequence[int]) -> int:
        """The offset of a part of `shape` along the dimension in which it is cut."""
        dim = self.single_slice_dim(shape)
        return 0 if dim is None else self.var_offset[dim]
