"""tf.signal: transforms of signals. Those that are one op come from the table."""

# ruff: noqa: F403  each module names in __all__ what it gives
from __future__ import annotations

from regraft.v1 import _plain
from regraft.v1._signal_fft import dct as dct
from regraft.v1._signal_fft import fftshift as fftshift
from regraft.v1._signal_fft import idct as idct
from regraft.v1._signal_fft import ifftshift as ifftshift
from regraft.v1._signal_fft import irfft as irfft
from regraft.v1._signal_fft import irfft2d as irfft2d
from regraft.v1._signal_fft import irfft3d as irfft3d
from regraft.v1._signal_fft import rfft as rfft
from regraft.v1._signal_fft import rfft2d as rfft2d
from regraft.v1._signal_fft import rfft3d as rfft3d
from regraft.v1._signal_frames import *
from regraft.v1._signal_windows import *

__getattr__ = _plain.attribute_of("signal")
