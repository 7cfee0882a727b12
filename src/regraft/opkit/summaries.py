"""What summaries show, as serialized protos: histograms, images as PNG, sounds as WAV."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.histograms import histogram
from regraft.serde import summary
from regraft.wire import png, wav


def histogram_of(tag: bytes, values: Any) -> bytes:
    """A histogram of all values. InvalidArgumentError for values that are not finite."""
    numbers = np.asarray(values).astype(np.float64)
    if not np.isfinite(numbers).all():
        what = "Nan in summary histogram" if np.isnan(numbers).any() else "Infinity in Histogram"
        raise InvalidArgumentError(f"{what} for: {tag.decode(errors='replace')}")
    return summary.histogram_summary(tag, histogram(numbers))


def _tagged(tag: bytes, kind: bytes, index: int, most: int) -> bytes:
    return tag + b"/" + kind + (b"/%d" % index if most > 1 else b"")


def _bytes_of(image: Any, bad_color: Any) -> Any:
    """One image as 8-bit numbers. Floats are scaled so that the largest fits, around 128 if any is negative."""
    if image.dtype == np.uint8:
        return image
    # TensorFlow finds the scale in float32 and applies it in the image's own dtype.
    narrow = image.astype(np.float32)
    good = np.isfinite(narrow).all(axis=2)
    finite = narrow[good]
    zero = np.float32(0)
    low, high = (finite.min(), finite.max()) if finite.size else (zero, zero)
    most, room, middle = (max(abs(low), abs(high)), 127, 128) if low < 0 else (high, 255, 0)
    scale = image.dtype.type(zero if most < 1e-6 else np.float32(room) / most)
    out = np.empty(image.shape, np.uint8)
    out[good] = (image[good] * scale + image.dtype.type(middle)).astype(np.uint8)
    out[~good] = bad_color[: image.shape[2]]
    return out


def images_of(tag: bytes, tensor: Any, most: int, bad_color: Any) -> bytes:
    """The first images of [batch, height, width, channels] as PNG files, with `bad_color` where they are not finite."""
    if tensor.ndim != 4 or tensor.shape[3] not in (1, 3, 4):
        raise InvalidArgumentError(f"Tensor must be 4-D with last dim 1, 3, or 4, not {list(tensor.shape)}")
    height, width, channels = tensor.shape[1:]
    bad = np.asarray(getattr(bad_color, "array", bad_color)).reshape(-1)
    if len(bad) < channels:
        raise InvalidArgumentError(f"expected bad_color to have {channels} entries at least, got {len(bad)}")
    images = (
        (
            _tagged(tag, b"image", i, most),
            png.encode(np.ascontiguousarray(_bytes_of(image, bad)).tobytes(), height, width, channels),
        )
        for i, image in enumerate(tensor[:most])
    )
    return summary.image_summary(images, height, width, channels)


def sounds_of(tag: bytes, tensor: Any, rate: float, most: int) -> bytes:
    """The first clips of [batch, frames] or [batch, frames, channels] in [-1, 1] as WAV files."""
    if tensor.ndim not in (2, 3):
        raise InvalidArgumentError(f"Tensor must be 3-D or 2-D, got: {list(tensor.shape)}")
    if rate <= 0:
        raise InvalidArgumentError(f"sample_rate must be > 0, got {rate}")
    frames, channels = tensor.shape[1], tensor.shape[2] if tensor.ndim == 3 else 1
    scaled = tensor[:most].astype(np.float32) * np.float32(1 << 15)
    rounded = np.copysign(np.floor(np.abs(scaled) + np.float32(0.5)), scaled)
    samples = rounded.clip(-(1 << 15), (1 << 15) - 1).astype("<i2")
    clips = (
        (_tagged(tag, b"audio", i, most), wav.encode(clip.tobytes(), channels, int(rate)))
        for i, clip in enumerate(samples)
    )
    return summary.audio_summary(clips, rate, frames, channels)
