"""Colours and brightness of images, exact and at random; conversions between types and colour spaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.v1._array import concat, expand_dims, identity, ones, rank, shape
from regraft.v1._graph_control import with_dependencies
from regraft.v1._image_checks import checked, checked_grayscale, demand, is_tensor
from regraft.v1._linalg import tensordot
from regraft.v1._math import add, cast, divide, floordiv, multiply, rsqrt, saturate_cast
from regraft.v1._opening import opened
from regraft.v1._random import random_uniform
from regraft.v1._reduction import reduce_mean, reduce_prod, reduce_std

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_jpeg_quality",
    "adjust_saturation",
    "convert_image_dtype",
    "grayscale_to_rgb",
    "per_image_standardization",
    "per_image_whitening",
    "random_brightness",
    "random_contrast",
    "random_hue",
    "random_jpeg_quality",
    "random_saturation",
    "rgb_to_grayscale",
    "rgb_to_yiq",
    "rgb_to_yuv",
    "yiq_to_rgb",
    "yuv_to_rgb",
]

# Types


def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Any:
    """Values scaled to the range of another type: 0 to its maximum for integers, 0 to 1 for floats.

    saturate  whether values beyond the range are cut off; else they wrap around
    raises    AttributeError for a type of no numbers
    """
    from regraft.v1 import _context

    image = _context.builder().convert(image, name="image")
    wanted = as_dtype(dtype)
    kind = image.dtype.base
    if not wanted.is_floating and not wanted.is_integer:
        raise AttributeError("dtype must be either floating point or integer")
    if not kind.is_floating and not kind.is_integer:
        raise AttributeError("image dtype must be either floating point or integer")
    if wanted is kind:
        return identity(image, name=name)
    with opened(name, "convert_image", image) as (_, scope):
        to_type = saturate_cast if saturate else cast
        if kind.is_floating:
            if wanted.is_floating:
                return cast(image, wanted, name=scope)
            scaled = multiply(image, wanted.max + 0.5)  # rounded by what follows
            return to_type(scaled, wanted, name=scope)
        if wanted.is_floating:
            return multiply(cast(image, wanted), 1.0 / kind.max, name=scope)
        if kind.max > wanted.max:
            scaled = floordiv(image, (kind.max + 1) // (wanted.max + 1))
            return to_type(scaled, wanted, name=scope)
        return multiply(to_type(image, wanted), (wanted.max + 1) // (kind.max + 1), name=scope)


def _as_float(image: Any) -> Any:
    """The image as floats from 0 to 1; float16 and float32 as they are."""
    return image if image.dtype.base in (dtypes.half, dtypes.float32) else convert_image_dtype(image, dtypes.float32)


# Exact


def per_image_standardization(image: Any) -> Any:
    """(x - mean) / max(standard deviation, 1 / sqrt(number of values)), image by image, as float32."""
    with opened(None, "per_image_standardization", image) as (b, scope):
        image = checked(b.convert(image, name="image"))
        image = cast(image, dtypes.float32)
        number = reduce_prod(shape(image)[-3:])
        mean = reduce_mean(image, axis=[-1, -2, -3], keepdims=True)
        deviation = reduce_std(image, axis=[-1, -2, -3], keepdims=True)
        least = rsqrt(cast(number, dtypes.float32))
        divisor = b.Maximum(deviation, least)
        image -= mean
        return divide(image, divisor, name=scope)


per_image_whitening = per_image_standardization


def adjust_brightness(image: Any, delta: Any) -> Any:
    """`delta`, a part of the whole range, added to all values."""
    with opened(None, "adjust_brightness", image, delta) as (b, scope):
        image = b.convert(image, name="image")
        values = _as_float(image)
        adjusted = add(values, cast(delta, values.dtype), name=scope)
        return convert_image_dtype(adjusted, image.dtype.base, saturate=True)


def adjust_contrast(images: Any, contrast_factor: Any) -> Any:
    """The distance of each value from its channel's mean, times a factor."""
    with opened(None, "adjust_contrast", images, contrast_factor) as (b, scope):
        images = b.convert(images, name="images")
        adjusted = b.AdjustContrastv2(_as_float(images), contrast_factor, name=scope)
        return convert_image_dtype(adjusted, images.dtype.base, saturate=True)


def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Any:
    """gain * x ** gamma, with x from 0 to 1. ValueError for a negative gamma."""
    with opened(None, "adjust_gamma", image, gamma, gain) as (b, _):
        image = b.convert(image, name="image")
        values = _as_float(image)
        check = demand(gamma >= 0, "Gamma should be a non-negative real number.")
        if check:
            gamma = with_dependencies(check, gamma)
        return convert_image_dtype(gain * values**gamma, image.dtype.base, saturate=True)


def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Any:
    """Colours turned by `delta`, from -1 to 1, around the circle of hues."""
    with opened(name, "adjust_hue", image) as (b, _):
        image = b.convert(image, name="image")
        return convert_image_dtype(b.AdjustHue(_as_float(image), delta), image.dtype.base)


def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Any:
    """The saturation times a factor."""
    with opened(name, "adjust_saturation", image) as (b, _):
        image = b.convert(image, name="image")
        return convert_image_dtype(b.AdjustSaturation(_as_float(image), saturation_factor), image.dtype.base)


def adjust_jpeg_quality(image: Any, jpeg_quality: Any, dct_method: str = "", name: str | None = None) -> Any:
    """The image as it comes out of a JPEG file of this quality, 0 to 100."""
    with opened(name, "adjust_jpeg_quality", image) as (b, _):
        image = b.convert(image, name="image")
        channels = image.shape.as_list()[-1]
        plain = convert_image_dtype(image, dtypes.uint8, saturate=True)
        if not is_tensor(jpeg_quality):
            jpeg_quality = b.convert(jpeg_quality, dtypes.int32)
        encoded = b.EncodeJpegVariableQuality(plain, jpeg_quality)
        decoded = b.DecodeJpeg(encoded, channels=channels, dct_method=dct_method)
        return convert_image_dtype(decoded, image.dtype.base, saturate=True)


# At random


def _range(lower: Any, upper: Any) -> None:
    if upper <= lower:
        raise ValueError("upper must be > lower.")
    if lower < 0:
        raise ValueError("lower must be non-negative.")


def random_brightness(image: Any, max_delta: Any, seed: int | None = None) -> Any:
    """`adjust_brightness` by a number between -max_delta and max_delta, which must not be negative."""
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_brightness(image, random_uniform([], -max_delta, max_delta, seed=seed))


def random_contrast(image: Any, lower: Any, upper: Any, seed: int | None = None) -> Any:
    """`adjust_contrast` by a factor between the two. ValueError unless 0 <= lower < upper."""
    _range(lower, upper)
    return adjust_contrast(image, random_uniform([], lower, upper, seed=seed))


def random_hue(image: Any, max_delta: Any, seed: int | None = None) -> Any:
    """`adjust_hue` by a number between -max_delta and max_delta. ValueError unless that is from 0 to 0.5."""
    if max_delta > 0.5:
        raise ValueError("max_delta must be <= 0.5.")
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_hue(image, random_uniform([], -max_delta, max_delta, seed=seed))


def random_saturation(image: Any, lower: Any, upper: Any, seed: int | None = None) -> Any:
    """`adjust_saturation` by a factor between the two. ValueError unless 0 <= lower < upper."""
    _range(lower, upper)
    return adjust_saturation(image, random_uniform([], lower, upper, seed=seed))


def random_jpeg_quality(image: Any, min_jpeg_quality: int, max_jpeg_quality: int, seed: int | None = None) -> Any:
    """`adjust_jpeg_quality` by a quality between the two. ValueError unless 0 <= min < max <= 100."""
    if min(min_jpeg_quality, max_jpeg_quality) < 0 or max(min_jpeg_quality, max_jpeg_quality) > 100:
        raise ValueError("jpeg encoding range must be between 0 and 100.")
    if min_jpeg_quality >= max_jpeg_quality:
        raise ValueError("`min_jpeg_quality` must be less than `max_jpeg_quality`.")
    quality = random_uniform([], min_jpeg_quality, max_jpeg_quality, seed=seed, dtype=dtypes.int32)
    return adjust_jpeg_quality(image, quality)


# Colour spaces


def rgb_to_grayscale(images: Any, name: str | None = None) -> Any:
    """The luminance, as one channel."""
    with opened(name, "rgb_to_grayscale", images) as (b, scope):
        images = b.convert(images, name="images")
        values = convert_image_dtype(images, dtypes.float32)
        gray = tensordot(values, [0.2989, 0.587, 0.114], [-1, -1])
        return convert_image_dtype(expand_dims(gray, -1), images.dtype.base, name=scope)


def grayscale_to_rgb(images: Any, name: str | None = None) -> Any:
    """The one channel three times."""
    with opened(name, "grayscale_to_rgb", images) as (b, scope):
        images = checked_grayscale(images)
        images = b.convert(images, name="images")
        outer = expand_dims(rank(images) - 1, 0)
        multiples = concat([ones(outer, dtypes.int32), expand_dims(3, 0)], 0)
        rgb = b.Tile(images, multiples, name=scope)
        rgb.set_shape(images.shape[:-1].concatenate([3]))
        return rgb


def _mixed(name: str, kernel: list[list[float]]) -> Callable[[Any], Any]:
    def function(images: Any) -> Any:
        from regraft.v1 import _context

        b = _context.builder()
        images = b.convert(images, name="images")
        matrix = b.convert(kernel, images.dtype.base, name="kernel")
        return tensordot(images, matrix, axes=[[images.shape.rank - 1], [0]])

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"The channels of images of floats from 0 to 1, {name.replace('_', ' ')}."
    return function


rgb_to_yiq = _mixed(
    "rgb_to_yiq",
    [[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]],
)
yiq_to_rgb = _mixed(
    "yiq_to_rgb", [[1, 1, 1], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]]
)
rgb_to_yuv = _mixed(
    "rgb_to_yuv",
    [[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]],
)
yuv_to_rgb = _mixed("yuv_to_rgb", [[1, 1, 1], [0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0]])
