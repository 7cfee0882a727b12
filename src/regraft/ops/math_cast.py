"""Cast: numbers of one dtype as another."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.opkit.arrays import lax, namespace, on_host
from regraft.opkit.elementwise import quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import same_as

_FLOATING = (
    dtypes.half,
    dtypes.float32,
    dtypes.float64,
    dtypes.bfloat16,
    dtypes.complex64,
    dtypes.complex128,
)

_NARROW = {"int8": np.int32, "uint8": np.int32, "int16": np.int32, "uint16": np.int32, "uint32": np.int64}


@op("Cast", shape=same_as(0), elementwise=True, surplus="keeps")
@quiet
def cast(x: Any, *, DstT: DType, Truncate: bool) -> Any:  # the attributes' names
    """The numbers of x as `DstT`.

    Floats go to integers towards 0, integers wrap, anything but 0 is True; complex numbers count by their real part.
    Truncate  floats go to half and bfloat16 towards 0 instead of to the nearest
    differs   compiled, floats beyond the range of a wide integer give its nearest value, and nan gives 0
    """
    wanted = DstT.numpy
    if x.dtype == wanted:
        return x
    if x.dtype.kind == "c" and wanted.kind != "c":
        x = namespace(x).real(x)
        if x.dtype == wanted:
            return x
    if wanted == np.bool_:
        return x != np.zeros((), x.dtype)
    if Truncate and wanted.itemsize == 2 and wanted.kind not in "iu":
        return _towards_zero(x, wanted)
    if on_host(x):
        return np.asarray(x).astype(wanted)
    if wanted.kind in "iu" and x.dtype.kind not in "biu" and wanted.name in _NARROW:
        # By way of the integer that the processor converts to: what does not fit the narrow one wraps.
        x = lax.convert_element_type(x, _NARROW[wanted.name])
    return lax.convert_element_type(x, wanted)


def _towards_zero(x: Any, wanted: Any) -> Any:
    """x in a format of 16 bits: where the nearest number is farther from 0, the one before it."""
    xp = namespace(x)
    near = x.astype(wanted)
    bits = near.view(np.uint16) if on_host(x) else lax.bitcast_convert_type(near, np.uint16)
    beyond = xp.isfinite(near) & (xp.abs(near.astype(x.dtype)) > xp.abs(x))
    bits = bits - beyond.astype(np.uint16)
    return bits.view(wanted) if on_host(x) else lax.bitcast_convert_type(bits, wanted)


@cast.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    source = node.inputs[0].dtype.base
    if source in _FLOATING and dy.dtype.base in _FLOATING:
        return [b.cast(dy, source)]
    return [None]
