"""Colours: conversion between RGB and HSV, and adjustments."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import namespace, static_shape
from regraft.opkit.elementwise import quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank


def _three_channels(c: ShapeContext) -> list[Sizes]:
    x = at_least_rank(c, c.input(0), 1)
    if x is None:
        return [None]
    if x[-1] not in (None, 3):
        raise c.fail(f"Dimension must be 3 but is {x[-1]}")
    return [(*x[:-1], 3)]


def _image(c: ShapeContext) -> list[Sizes]:
    return [at_least_rank(c, c.input(0), 3)]


def _check(x: Any) -> None:
    sizes = static_shape(x)
    if not sizes or sizes[-1] != 3:
        raise InvalidArgumentError(f"input must have 3 channels but instead has shape {list(sizes)}")


def _number(x: Any, value: float) -> Any:
    return np.asarray(value, x.dtype)[()]


def _to_hsv(x: Any) -> tuple[Any, Any, Any]:
    xp = namespace(x)
    red, green, blue = x[..., 0], x[..., 1], x[..., 2]
    value = xp.maximum(xp.maximum(red, green), blue)
    spread = value - xp.minimum(xp.minimum(red, green), blue)
    zero = xp.zeros_like(value)
    saturation = xp.where(value > 0, spread / value, zero)
    unit = _number(x, 1) / (_number(x, 6) * spread)
    of_red = unit * (green - blue)
    of_green = unit * (blue - red) + _number(x, 2 / 6)
    of_blue = unit * (red - green) + _number(x, 4 / 6)
    hue = xp.where(red == value, of_red, xp.where(green == value, of_green, of_blue))
    hue = xp.where(spread > 0, hue, zero)
    return xp.where(hue < 0, hue + _number(x, 1), hue), saturation, value


def _to_rgb(hue: Any, saturation: Any, value: Any) -> Any:
    xp = namespace(hue, saturation, value)
    one, low, high = (_number(value, n) for n in (1, 0, 1))
    six = hue * _number(value, 6)
    shares = (
        xp.abs(six - _number(value, 3)) - one,
        _number(value, 2) - xp.abs(six - _number(value, 2)),
        _number(value, 2) - xp.abs(six - _number(value, 4)),
    )
    channels = [((one - saturation) + saturation * xp.minimum(xp.maximum(s, low), high)) * value for s in shares]
    return xp.stack(channels, -1)


@op("RGBToHSV", shape=_three_channels)
@quiet
def rgb_to_hsv(images: Any) -> Any:
    """Hue, saturation and value, each in [0, 1], of red, green and blue in [0, 1] along the last axis."""
    _check(images)
    return namespace(images).stack(_to_hsv(images), -1)


@op("HSVToRGB", shape=_three_channels)
@quiet
def hsv_to_rgb(images: Any) -> Any:
    """Red, green and blue of hue, saturation and value along the last axis."""
    _check(images)
    return _to_rgb(images[..., 0], images[..., 1], images[..., 2])


def _wide(x: Any) -> Any:
    return x.astype(np.float32) if x.dtype.itemsize == 2 else x


@op("AdjustContrastv2", shape=_image)
@quiet
def adjust_contrast(images: Any, contrast_factor: Any) -> Any:
    """(x - mean) * factor + mean, with the mean of each channel of each image [..., height, width, channels]."""
    xp = namespace(images, contrast_factor)
    x = _wide(images)
    mean = xp.mean(x, axis=(-3, -2), keepdims=True, dtype=x.dtype)
    return ((x - mean) * contrast_factor + mean).astype(images.dtype)


@op("AdjustHue", shape=_image)
@quiet
def adjust_hue(images: Any, delta: Any) -> Any:
    """Turn the hue of RGB images [..., 3] by delta, a part of the whole circle."""
    _check(images)
    xp = namespace(images, delta)
    hue, saturation, value = _to_hsv(_wide(images))
    turned = hue + delta
    return _to_rgb(turned - xp.floor(turned), saturation, value).astype(images.dtype)


@op("AdjustSaturation", shape=_image)
@quiet
def adjust_saturation(images: Any, scale: Any) -> Any:
    """Multiply the saturation of RGB images [..., 3] by scale, to at most 1."""
    _check(images)
    xp = namespace(images, scale)
    hue, saturation, value = _to_hsv(_wide(images))
    low, high = _number(value, 0), _number(value, 1)
    return _to_rgb(hue, xp.minimum(xp.maximum(saturation * scale, low), high), value).astype(images.dtype)
