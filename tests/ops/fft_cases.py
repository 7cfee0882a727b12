"""Rows for Fourier transforms."""

import numpy as np

from regraft.base.dtypes import complex128, float64
from tests.ops.case import Case

X = (np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5) % 7 - 2.5).astype(np.float32)
Z = (X + 0.5j * X[::-1]).astype(np.complex64)
SPECTRUM = np.fft.rfft2(X).astype(np.complex64)


def lengths(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


WAVES = (np.arange(12).reshape(1, 3, 4) % 5 + 1j * np.arange(12).reshape(1, 3, 4)).astype(np.complex64)

CASES = [
    *[
        case
        for op in ("FFT", "IFFT", "FFT2D", "IFFT2D", "FFT3D", "IFFT3D")
        for case in (Case(op, [Z]), Case(op, [Z[0].astype(np.complex128)]), Case(op, [Z[:, :0]]))
    ],
    Case("RFFT", [X, lengths(5)]),
    Case("RFFT", [X[0], lengths(4)]),
    Case("RFFT", [X[0, 0, 0].astype(np.float64), lengths(5)], {"Tcomplex": complex128}),
    Case("RFFT2D", [X, lengths(4, 5)]),
    Case("RFFT2D", [X[0, 0], lengths(3, 4)]),
    Case("RFFT3D", [X, lengths(3, 4, 5)]),
    Case("IRFFT", [SPECTRUM, lengths(5)]),
    Case("IRFFT", [SPECTRUM, lengths(4)]),
    Case("IRFFT", [SPECTRUM[0, 0, 0].astype(np.complex128), lengths(4)], {"Treal": float64}),
    Case("IRFFT2D", [SPECTRUM, lengths(4, 4)]),
    Case("IRFFT2D", [SPECTRUM[0, 0], lengths(3, 5)]),
    Case("IRFFT3D", [SPECTRUM, lengths(3, 4, 5)]),
    # The names of TensorFlow before 0.9, which today's refuses to build; expected by NumPy.
    *(
        Case(
            f"Batch{'' if forward else 'I'}FFT{suffix}",
            [WAVES],
            expected=[getattr(np.fft, "fftn" if forward else "ifftn")(WAVES, axes=axes).astype(np.complex64)],
            why="today's TensorFlow builds no such node",
        )
        for suffix, axes in (("", (-1,)), ("2D", (-2, -1)), ("3D", (-3, -2, -1)))
        for forward in (True, False)
    ),
]
