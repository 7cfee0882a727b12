"""Dimensions and vectors of them from one data format to another (NHWC to NCHW), and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import namespace, on_host, shape_text, static_shape
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, same_as


def _order(source: bytes, target: bytes) -> list[int]:
    """For each letter of the target where it stands in the source. InvalidArgumentError if one does not."""
    if len(source) != len(target) or set(source) != set(target):
        raise InvalidArgumentError(f"Format {target.decode()!r} is no permutation of format {source.decode()!r}")
    return [source.index(letter) for letter in target]


@op("DataFormatDimMap", shape=same_as(0), no_gradient="a position")
def data_format_dim_map(x: Any, *, src_format: bytes, dst_format: bytes) -> Any:
    """Where each dimension of the source format (from the end if negative) stands in the target format."""
    xp = namespace(x)
    places = np.array(_order(dst_format, src_format), x.dtype)
    count = len(places)
    if on_host(x) and ((x < -count) | (x >= count)).any():
        raise InvalidArgumentError(f"dimension out of range [{-count}, {count}): {x.tolist()}")
    return xp.asarray(places)[xp.where(x < 0, x + np.asarray(count, x.dtype), x)]


def _permuted_shape(c: ShapeContext) -> list[Sizes]:
    sizes = c.input(0)
    if sizes is not None and len(sizes) > 2:
        raise c.fail(f"Shape must be at most rank 2 but is rank {len(sizes)}")
    return [sizes]


@op("DataFormatVecPermute", shape=_permuted_shape, no_gradient="sizes and positions")
def data_format_vec_permute(x: Any, *, src_format: bytes, dst_format: bytes) -> Any:
    """What belongs to each dimension (a number, or a pair), in the order of the target format.

    x  [dimensions] or [dimensions, 2]; of two entries alone, those of H and W
    """
    shape = static_shape(x)
    if len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] != 2):
        raise InvalidArgumentError(f"input must be a vector or 2D tensor of pairs, but got shape {shape_text(x)}")
    if shape[0] == 2:
        keep = b"HW"
        source = bytes(letter for letter in src_format if letter in keep)
        target = bytes(letter for letter in dst_format if letter in keep)
    else:
        source, target = src_format, dst_format
    if len(source) != shape[0]:
        raise InvalidArgumentError(f"input of shape {shape_text(x)} must have {len(src_format)} entries, or 2")
    return x[np.array(_order(source, target))]
