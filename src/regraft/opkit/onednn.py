"""Products and convolutions by oneDNN, which XLA's CPU library carries.

XLA's compiler keeps to its own kernels unless a program names oneDNN's, as calls to `__onednn$matmul` and
`__onednn$convolution` with a message of XLA's (`onednn_config.proto`, as JSON) that describes them. These calls are
XLA's inner business: what they expect may change with every release, and one that oneDNN refuses ends the process. So
they are made only with releases for which the tests here have run, and only in forms that the tests cover.

A program with such calls cannot be serialized: see `traced_calls`.
"""

from __future__ import annotations

import json
import math
import os
import platform
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np

from regraft.opkit.arrays import jax, lax
from regraft.opkit.padding import extent
from regraft.opkit.platforms import on_cpu

# Releases of jaxlib whose calls have the form that is written here.
_RELEASES = frozenset({"0.9.2", "0.10.0", "0.10.1", "0.10.2"})
# The legacy form of XLA's custom calls: a status is returned, the message is text.
_CALL_VERSION = 2
_PREFIX = "__onednn$"
_MESSAGES = {"matmul": "onednn_matmul_config", "convolution": "onednn_conv_config"}
# Multiplications from which oneDNN's fixed cost per call, some 20 microseconds, is made up for.
_WORTH_A_PRODUCT = 1 << 23
_WORTH_A_CONVOLUTION = 1 << 21
_WORTH_A_DEPTHWISE = 1 << 20
# Where something is fused into it, a product is worth a call sooner.
_WORTH_FUSING = 1 << 21
# Shorter sums are no faster than XLA's.
_LONG_SUM = 128
# Smaller matrices were not measured in batches; those from here on take a third to two thirds of XLA's time.
_WIDE_BATCHES = 16


class _Traced(threading.local):
    calls = 0


_traced = _Traced()


def traced_calls() -> int:
    """How many calls this thread has traced so far. A program that has any cannot be serialized."""
    return _traced.calls


@cache
def _carried() -> bool:
    """Whether this machine's XLA carries oneDNN in a release that is known; REGRAFT_ONEDNN=0 says no."""
    if os.environ.get("REGRAFT_ONEDNN") == "0" or sys.platform != "linux" or platform.machine() != "x86_64":
        return False
    try:
        return metadata.version("jaxlib") in _RELEASES
    except metadata.PackageNotFoundError:
        return False


def multiplies(rows: int, inner: int, columns: int, *dtypes: Any) -> bool:
    """Whether `matmul` should be used for a product [rows, inner] @ [inner, columns]."""
    return inner >= _LONG_SUM and rows * inner * columns >= _WORTH_A_PRODUCT and _serves(dtypes)


def multiplies_batches(batches: int, rows: int, inner: int, columns: int, *dtypes: Any) -> bool:
    """Whether `matmul` should be used for so many products [rows, inner] @ [inner, columns]."""
    enough = batches * rows * inner * columns >= _WORTH_A_PRODUCT
    return enough and min(rows, inner, columns) >= _WIDE_BATCHES and _serves(dtypes)


def convolves(multiplications: int, *dtypes: Any) -> bool:
    """Whether `convolution` should be used where so many multiplications are to be made."""
    return multiplications >= _WORTH_A_CONVOLUTION and _serves(dtypes)


def convolves_channels(multiplications: int, *dtypes: Any) -> bool:
    """Whether `convolution` should be used, with a group for each channel, for so many multiplications."""
    return multiplications >= _WORTH_A_DEPTHWISE and _serves(dtypes)


def _serves(dtypes: Sequence[Any]) -> bool:
    return all(d == np.float32 for d in dtypes) and on_cpu() and _carried()


def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    """The product of two matrices, or of batches [..., rows, columns] with the same batch axes, of float32.

    Each matrix is transposed if so said.
    """
    rows, columns = a.shape[-1 if transpose_a else -2], b.shape[-2 if transpose_b else -1]
    message = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    return Call("matmul", message, (*a.shape[:-2], rows, columns))(a, b)


def convolution(
    x: Any,
    filters: Any,
    places: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[tuple[int, int]],
    dilations: Sequence[int],
    swapped: bool = False,
    groups: int = 1,
) -> Any:
    """The convolution of `x` [batch, ..., in] with `filters` [window..., in / groups, out], all float32.

    places   the sizes of the result between batch and channels
    pads     cells of zeros before and after each spatial axis; below 0, cells that are cut off, never all
    swapped  the filters are [window..., out, in / groups]

    returns  [batch, places..., out]
    """
    rank = len(places)
    lone = [places[i] == 1 for i in range(rank)]
    # Of one channel with strides, oneDNN takes wrong rows where the result is one cell wide.
    strides = [1 if one else s for one, s in zip(lone, strides, strict=True)]
    covered = [extent(k, d) for k, d in zip(filters.shape[:rank], dilations, strict=True)]
    after = [covered[i] - x.shape[1 + i] - pads[i][0] if lone[i] else pads[i][1] for i in range(rank)]
    x, pads = _cut(x, [(before, a) for (before, _), a in zip(pads, after, strict=True)])
    spatial = list(range(1, rank + 1))
    data = {"dims": rank + 2, "data": {"batch_dim": 0, "feature_dim": rank + 1, "spatial_dims": spatial}}
    inner, outer = (rank + 1, rank) if swapped else (rank, rank + 1)
    layout = {"input_feature_dim": inner, "output_feature_dim": outer, "spatial_dims": list(range(rank))}
    window = {
        "size": filters.shape[:rank],
        "pad_left": [before for before, _ in pads],
        "pad_right": [after for _, after in pads],
        "strides": list(strides),
        "window_dilations": list(dilations),
    }
    message = {
        "dims": rank + 2,
        "input": data,
        "kernel": {"dims": rank + 2, "filter": layout},
        "output": data,
        "window": window,
        "feature_groups": groups,
    }
    sizes = (x.shape[0], *places, filters.shape[outer])
    return Call("convolution", message, sizes)(x, filters)


def _cut(x: Any, pads: Sequence[tuple[int, int]]) -> tuple[Any, Sequence[tuple[int, int]]]:
    """`x` without the cells at its edges that negative pads cut off, and the pads that are left."""
    if all(p >= 0 for pair in pads for p in pair):
        return x, pads
    cut = [(0, 0, 0), *((min(before, 0), min(after, 0), 0) for before, after in pads), (0, 0, 0)]
    return lax.pad(x, np.zeros((), x.dtype), cut), [(max(before, 0), max(after, 0)) for before, after in pads]


@dataclass(frozen=True)
class Call:
    """A call of oneDNN's.

    name     of the target
    message  what it is told
    sizes    of its result
    """

    name: str
    message: Mapping[str, Any]
    sizes: tuple[int, ...]

    @property
    def batches(self) -> bool:
        """Whether it multiplies more than two matrices."""
        return self.name == "matmul" and len(self.sizes) > 2

    def swapping(self, first: bool, second: bool, result: bool) -> Call:
        """This call of a batch of products with axes 1 and 2 swapped in what is said to be so.

        oneDNN reads and writes it where it lies.
        """
        order = {"dims": 4, "tensor": {"dimensions": [1, 3, 2, 4]}}  # from 1 on
        which = {"lhs": first, "rhs": second, "result": result}
        sizes = self.sizes
        return Call(
            self.name,
            {**self.message, **{name: order for name, swapped in which.items() if swapped}},
            (sizes[0], sizes[2], sizes[1], sizes[3]) if result else sizes,
        )

    @property
    def filters_axis(self) -> int:
        """The axis of the second factor, or the filters, along which the result has its last one."""
        if self.name == "matmul":
            return 0 if self.message["transpose_b"] else 1
        return int(self.message["kernel"]["filter"]["output_feature_dim"])

    def __call__(self, x: Any, filters: Any, bias: Any = None, residual: Any = None, activation: str = "") -> Any:
        """The result. What there is of these is added, in this order; batches of products take none of them.

        bias        a number for each place of the last axis
        residual    as many elements as the result
        activation  "RELU", "RELU6" or "": applied last
        """
        operands, ops = [x, filters], []
        if bias is not None:
            operands.append(lax.reshape(bias, (1, bias.size)) if self.name == "matmul" else bias)
            ops.append("BIAS")
        if residual is not None:
            operands.append(lax.reshape(residual, self.sizes))
            ops.append("BINARY_ADD")
        ops += [activation] if activation else []
        _traced.calls += 1
        call = jax.ffi.ffi_call(
            f"{_PREFIX}{self.name}",
            jax.ShapeDtypeStruct(self.sizes, np.float32),
            custom_call_api_version=_CALL_VERSION,
            legacy_backend_config=json.dumps({_MESSAGES[self.name]: {**self.message, "fusions": {"ops": ops}}}),
        )
        return call(*operands)


def call_of(eqn: Any) -> Call | None:
    """The call that an equation of a jaxpr makes, or that might stand for it; it has no bias and no residual yet."""
    sizes = eqn.outvars[0].aval.shape if eqn.outvars else ()
    if eqn.primitive.name == "dot_general":
        a, b = (v.aval for v in eqn.invars)
        (contract_a, contract_b), batch = eqn.params["dimension_numbers"]
        if a.ndim != 2 or b.ndim != 2 or len(contract_a) != 1 or any(map(len, batch)):
            return None
        dtypes = a.dtype, b.dtype, eqn.outvars[0].aval.dtype
        if math.prod(sizes) * a.shape[contract_a[0]] < _WORTH_FUSING or not _serves(dtypes):
            return None
        return Call("matmul", {"transpose_a": contract_a[0] == 0, "transpose_b": contract_b[0] == 1}, sizes)
    if eqn.primitive.name != "ffi_call" or not eqn.params["target_name"].startswith(_PREFIX):
        return None
    name = eqn.params["target_name"].removeprefix(_PREFIX)
    message = json.loads(eqn.params["legacy_backend_config"])[_MESSAGES[name]]
    return None if message["fusions"]["ops"] else Call(name, message, sizes)
