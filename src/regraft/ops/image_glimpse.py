"""Glimpses: windows cut from images at places that a program computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, merge_dim, with_rank

F = np.float32


def _shape(c: ShapeContext) -> list[Sizes]:
    images, offsets = with_rank(c, c.input(0), 4), with_rank(c, c.input(2), 2)
    merge_dim(c, with_rank(c, c.input(1), 1)[0], 2)
    merge_dim(c, offsets[1], 2, 1)
    batch = merge_dim(c, images[0], offsets[0])
    sizes = c.sizes(1)
    tall, wide = sizes if sizes is not None else (None, None)
    return [(batch, tall, wide, images[3])]


def _noise(image: Any, shape: tuple[int, ...], kind: bytes) -> Any:
    """What stands where a window leaves the image."""
    if kind == b"zero":
        return np.zeros(shape, F)
    draws = np.random.default_rng()
    if kind == b"uniform":
        low, high = (image.min(), image.max()) if image.size else (F(0), F(0))
        return (draws.random(shape, F) * (high - low) + low).astype(F)
    if kind == b"gaussian":
        mean, deviation = image.mean(axis=(0, 1)), image.std(axis=(0, 1))
        return np.maximum(draws.standard_normal(shape, F) * deviation + mean, 0).astype(F)
    raise InvalidArgumentError(f"Unknown noise {kind.decode()!r}: uniform, gaussian or zero")


def _around(places: Any, image: Any, window: Any, centered: bool, normalized: bool) -> Any:
    """Where the windows around these centres begin."""
    places = places * image if normalized else places
    places = places / F(2) + image / F(2) if centered else places
    return places - window / F(2)


def _corners(places: Any, image: Any, window: Any, centered: bool, normalized: bool) -> Any:
    """Where the windows begin that these places stand for in the second version: their corners, or centres."""
    places = places * image if normalized else places
    if not centered:
        return places
    return places / F(2) + image / F(2) - window / F(2) if normalized else places + image / F(2)


def _glimpses(
    images: Any, size: Any, offsets: Any, begin: Callable[..., Any], centered: bool, normalized: bool, noise: bytes
) -> Any:
    images, places = np.asarray(images), np.asarray(offsets)
    _check(images, size, places)
    starts = begin(places, np.array(images.shape[1:3], F), np.asarray(size, F), centered, normalized)
    starts = np.trunc(starts).astype(np.int64)
    tall, wide = (int(d) for d in size)
    if tall <= 0 or wide <= 0:
        raise InvalidArgumentError(f"got negative or zero size: [{tall}, {wide}]")
    batch, height, width, channels = images.shape
    out = np.empty((batch, tall, wide, channels), F)
    for i in range(batch):
        top, left = (int(v) for v in starts[i])
        y0, y1 = max(top, 0), min(top + tall, height)
        x0, x1 = max(left, 0), min(left + wide, width)
        if y1 - y0 < tall or x1 - x0 < wide:
            out[i] = _noise(images[i], (tall, wide, channels), noise)
        if y0 < y1 and x0 < x1:
            out[i, y0 - top : y1 - top, x0 - left : x1 - left] = images[i, y0:y1, x0:x1]
    return out


def _check(images: Any, size: Any, offsets: Any) -> None:
    if images.ndim != 4:
        raise InvalidArgumentError(f"input must be 4-dimensional, got {list(images.shape)}")
    if np.shape(size) != (2,):
        raise InvalidArgumentError(f"input must be a vector of size 2 (height, width), got {list(np.shape(size))}")
    if offsets.shape != (len(images), 2):
        raise InvalidArgumentError(f"offsets should be of shape [{len(images)}, 2], got {list(offsets.shape)}")


@op("ExtractGlimpse", shape=_shape, runs=Runs.HOST, pure=False, no_gradient="TensorFlow has none")
def extract_glimpse(
    input: Any, size: Any, offsets: Any, *, centered: bool, normalized: bool, uniform_noise: bool, noise: bytes
) -> Any:
    """A window of each image.

    input    [batch, height, width, channels] float32
    size     [2], height and width of the windows
    offsets  [batch, 2], the y and x of their centres: in pixels, or parts of the image if `normalized`; counted from
             the upper left corner, or if `centered` from -1 to 1 around the image's centre
    differs  noise, where a window leaves its image, is drawn by NumPy; TensorFlow's has no seed either
    """
    return _glimpses(input, size, offsets, _around, centered, normalized, noise)


@op("ExtractGlimpseV2", shape=_shape, runs=Runs.HOST, pure=False, no_gradient="TensorFlow has none")
def extract_glimpse_v2(
    input: Any, size: Any, offsets: Any, *, centered: bool, normalized: bool, uniform_noise: bool, noise: bytes
) -> Any:
    """ExtractGlimpse, where offsets that are not `centered` are upper left corners of windows."""
    return _glimpses(input, size, offsets, _corners, centered, normalized, noise)
