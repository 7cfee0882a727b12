"""The one table of element types: TensorFlow's enum numbers and names beside NumPy's dtypes."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

_REF_OFFSET = 100


class DType:
    """An element type, or a reference to one. There is one object for each enum number; compare with `is` or `==`.

    enum   TensorFlow's DataType number (DT_FLOAT is 1; a reference adds 100)
    name   TensorFlow's name ("float32", "float32_ref")
    numpy  the NumPy dtype; quantized types map to their plain integer, string, resource and variant to object
    """

    __slots__ = ("_base", "_ref", "enum", "is_ref", "name", "numpy")

    def __init__(self, enum: int, name: str, numpy: Any, base: DType | None = None) -> None:
        self.enum = enum
        self.name = name
        self.numpy: np.dtype[Any] = np.dtype(numpy)
        self.is_ref = base is not None
        self._base = base
        self._ref: DType | None = None

    @property
    def base(self) -> DType:
        """The type without the reference."""
        return self._base or self

    @property
    def ref(self) -> DType:
        """The reference to this type."""
        if self.is_ref:
            return self
        if self._ref is None:
            self._ref = DType(self.enum + _REF_OFFSET, f"{self.name}_ref", self.numpy, self)
            _BY_ENUM[self._ref.enum] = self._ref
        return self._ref

    @property
    def status_name(self) -> str:
        """The name in TensorFlow's error messages, where float32 is "float"."""
        base = {"float32": "float", "float64": "double", "float16": "half"}.get(self.base.name, self.base.name)
        return f"{base}_ref" if self.is_ref else base

    # The names that programs written for TensorFlow use.

    @property
    def base_dtype(self) -> DType:
        return self.base

    @property
    def _is_ref_dtype(self) -> bool:
        return self.is_ref

    @property
    def _as_ref(self) -> DType:
        return self.ref

    @property
    def as_numpy_dtype(self) -> type:
        return self.numpy.type

    @property
    def as_datatype_enum(self) -> int:
        return self.enum

    @property
    def real_dtype(self) -> DType:
        return {complex64: float32, complex128: float64}.get(self.base, self)

    @property
    def is_bool(self) -> bool:
        return self.base is bool_

    @property
    def is_floating(self) -> bool:
        return self.base in _FLOATING

    @property
    def is_complex(self) -> bool:
        return self.base in (complex64, complex128)

    @property
    def is_integer(self) -> bool:
        return self.base in _INTEGER

    @property
    def is_unsigned(self) -> bool:
        return self.base in _UNSIGNED

    @property
    def is_quantized(self) -> bool:
        return self.base in _QUANTIZED

    @property
    def is_numpy_compatible(self) -> bool:
        return self.base not in (resource, variant)

    @property
    def min(self) -> Any:
        """The smallest finite value. TypeError for types without an order."""
        return self._limits()[0]

    @property
    def max(self) -> Any:
        """The largest finite value. TypeError for types without an order."""
        return self._limits()[1]

    @property
    def limits(self) -> tuple[Any, Any]:
        """The range that images of this type use: (0, 1) for floats, the type's own for integers."""
        return (0, 1) if self.is_floating else self._limits()

    def _limits(self) -> tuple[Any, Any]:
        base = self.base
        if base is bool_:
            return (False, True)
        if base.is_floating:
            info: Any = ml_dtypes.finfo(base.numpy)  # type: ignore[no-untyped-call]  # ml_dtypes ships partial stubs
            return (info.min, info.max)
        if base.is_integer or base.is_quantized:
            info = ml_dtypes.iinfo(base.numpy)  # type: ignore[no-untyped-call]  # as above
            return (info.min, info.max)
        raise TypeError(f"{self.name} has no smallest or largest value")

    @property
    def size(self) -> int:
        """Bytes an element takes in a tensor's buffer; 1 for types without a fixed size, as in TensorFlow."""
        return 1 if self.numpy.kind == "O" else self.numpy.itemsize

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a tensor of type `other` fits where this type is wanted: a reference accepts its base."""
        other = as_dtype(other)
        return self is other or self.base is other

    def __eq__(self, other: object) -> bool:
        if other is self:
            return True
        if isinstance(other, DType) or other is None:
            return False
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return self.enum

    def __int__(self) -> int:
        return self.enum

    def __reduce__(self) -> tuple[Any, ...]:
        return (as_dtype, (self.enum,))

    def __deepcopy__(self, memo: Any) -> DType:
        return self

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: {self.name!r}>"


float32 = DType(1, "float32", np.float32)
float64 = DType(2, "float64", np.float64)
int32 = DType(3, "int32", np.int32)
uint8 = DType(4, "uint8", np.uint8)
int16 = DType(5, "int16", np.int16)
int8 = DType(6, "int8", np.int8)
string = DType(7, "string", object)
complex64 = DType(8, "complex64", np.complex64)
int64 = DType(9, "int64", np.int64)
bool_ = DType(10, "bool", np.bool_)
qint8 = DType(11, "qint8", np.int8)
quint8 = DType(12, "quint8", np.uint8)
qint32 = DType(13, "qint32", np.int32)
bfloat16 = DType(14, "bfloat16", ml_dtypes.bfloat16)
qint16 = DType(15, "qint16", np.int16)
quint16 = DType(16, "quint16", np.uint16)
uint16 = DType(17, "uint16", np.uint16)
complex128 = DType(18, "complex128", np.complex128)
half = DType(19, "float16", np.float16)
resource = DType(20, "resource", object)
variant = DType(21, "variant", object)
uint32 = DType(22, "uint32", np.uint32)
uint64 = DType(23, "uint64", np.uint64)
float8_e5m2 = DType(24, "float8_e5m2", ml_dtypes.float8_e5m2)
float8_e4m3fn = DType(25, "float8_e4m3fn", ml_dtypes.float8_e4m3fn)
float8_e4m3fnuz = DType(26, "float8_e4m3fnuz", ml_dtypes.float8_e4m3fnuz)
float8_e4m3b11fnuz = DType(27, "float8_e4m3b11fnuz", ml_dtypes.float8_e4m3b11fnuz)
float8_e5m2fnuz = DType(28, "float8_e5m2fnuz", ml_dtypes.float8_e5m2fnuz)
int4 = DType(29, "int4", ml_dtypes.int4)
uint4 = DType(30, "uint4", ml_dtypes.uint4)
int2 = DType(31, "int2", ml_dtypes.int2)
uint2 = DType(32, "uint2", ml_dtypes.uint2)
float16 = half

ALL: tuple[DType, ...] = tuple(v for k, v in list(globals().items()) if isinstance(v, DType) and k != "float16")

# The type of an output of which neither the op's signature nor a consumer tells the type; it has no number in any file.
unknown = DType(0, "unknown", object)

_BY_ENUM: dict[int, DType] = {t.enum: t for t in ALL}
_BY_NAME: dict[str, DType] = {t.name: t for t in ALL} | {"half": half, "float": float32, "double": float64}
_FLOATING = frozenset(t for t in ALL if "float" in t.name)
_QUANTIZED = frozenset({qint8, quint8, qint16, quint16, qint32})
_UNSIGNED = frozenset({uint2, uint4, uint8, uint16, uint32, uint64})
_INTEGER = _UNSIGNED | {int2, int4, int8, int16, int32, int64}
_BY_NUMPY: dict[Any, DType] = {t.numpy: t for t in ALL if t not in _QUANTIZED and t.numpy.kind != "O"}
_BY_PYTHON: dict[Any, DType] = {
    float: float32,
    int: int32,
    bool: bool_,
    complex: complex128,
    str: string,
    bytes: string,
}


def as_dtype(value: Any) -> DType:
    """The DType for an enum number, a name, a NumPy dtype or scalar type, or a Python type. TypeError if there is none.

    `float` is float32 and `int` is int32, as in TensorFlow; NumPy's own `dtype(float)` is float64.
    """
    if isinstance(value, DType):
        return value
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        found = _BY_ENUM.get(int(value))
        if found is None and value > _REF_OFFSET and int(value) - _REF_OFFSET in _BY_ENUM:
            found = _BY_ENUM[int(value) - _REF_OFFSET].ref
        if found is not None:
            return found
        raise TypeError(f"{value!r} is no number of a TensorFlow DataType")
    if isinstance(value, str):
        found = _BY_NAME.get(value)
        if found is not None:
            return found
        if value.endswith("_ref") and value[:-4] in _BY_NAME:
            return _BY_NAME[value[:-4]].ref
        raise TypeError(f"{value!r} is no name of a TensorFlow dtype")
    try:
        if value in _BY_PYTHON:
            return _BY_PYTHON[value]
        dtype: np.dtype[Any] = np.dtype(value)
    except TypeError as e:
        raise TypeError(f"cannot convert {value!r} to a TensorFlow DType") from e
    found = _BY_NUMPY.get(dtype)
    if found is not None:
        return found
    if dtype.kind in "OSU":
        return string
    raise TypeError(f"cannot convert {value!r} to a TensorFlow DType")
