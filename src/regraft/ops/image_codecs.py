"""Images from and into files: JPEG, PNG, GIF, BMP. See `opkit.image_files`."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit import image_files
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, fixed, with_rank
from regraft.wire import png as png_files

_GIF, _BMP, _PNG = "GIF", "BMP", "PNG"


def _channels(c: ShapeContext) -> int | None:
    channels = int(c.attr("channels", 0))
    if channels < 0:
        raise c.fail(f"channels must be non-negative, got {channels}")
    return channels or None


def _decoded(c: ShapeContext) -> list[Sizes]:
    return [(None, None, _channels(c))]


def _bytes(contents: Any) -> bytes:
    if contents.ndim:
        raise InvalidArgumentError(f"`contents` must be scalar but got shape {list(contents.shape)}")
    value: bytes = contents[()]
    return value


def _decode(contents: bytes, used: str, channels: int, dtype: Any = np.uint8, animated: bool = False) -> Any:
    """The image in a file, as op `used` gives it: of an animation all frames, [frames, height, width, channels]."""
    if channels not in (0, 1, 3, 4):
        raise InvalidArgumentError(f"`channels` must be 0, 1, 3 or 4 but got {channels}")
    kind = image_files.format_of(contents)
    if used == "DecodeBmp" and kind != _BMP:
        raise InvalidArgumentError(
            f"Trying to decode {kind} format using DecodeBmp op. Use `decode_{kind.lower()}` or `decode_image` instead."
        )
    if kind == _BMP and used not in ("DecodeBmp", "DecodeImage"):
        raise InvalidArgumentError(
            f"Trying to decode BMP format using a wrong op. Use `decode_bmp` or `decode_image` instead. Op used: {used}"
        )
    if kind == _PNG:
        found = image_files.png(contents, channels, dtype != np.uint8)
    elif kind == _BMP:
        found = image_files.bmp(contents, channels)
    elif kind == _GIF:
        found = image_files.gif(contents, channels, used == "DecodeImage" and not animated)
        if len(found) > 1 and not animated:
            raise InvalidArgumentError(
                f"Got {len(found)} frames, but animated gifs can only be decoded by tf.io.decode_gif or "
                "tf.io.decode_image"
            )
        if not animated:
            found = found[0]
    else:
        found = image_files.jpeg(contents, channels)
    return _scaled(found, np.dtype(dtype))


def _scaled(image: Any, dtype: np.dtype[Any]) -> Any:
    """An image of whole numbers in another dtype: floats are between 0 and 1."""
    if image.dtype == dtype:
        return image
    if dtype == np.uint16:
        return image.astype(np.uint16) << 8
    return image.astype(np.float32) * np.float32(1 / np.iinfo(image.dtype).max)


@op("DecodeJpeg", shape=_decoded, runs=Runs.HOST)
def decode_jpeg(contents: Any, *, channels: int, ratio: int) -> Any:
    """uint8 [height, width, channels] of a JPEG file (or PNG, or GIF of one frame).

    differs  the accurate DCT and smooth upsampling are always used: `INTEGER_ACCURATE`, `fancy_upscaling`
    """
    data = _bytes(contents)
    if ratio not in (1, 2, 4, 8):
        raise InvalidArgumentError(f"ratio must be 1, 2, 4, or 8, got {ratio}")
    if ratio > 1 and image_files.format_of(data) == "JPEG":
        return image_files.jpeg(data, channels, ratio)
    return _decode(data, "DecodeJpeg", channels)


def _cropped(c: ShapeContext) -> list[Sizes]:
    window = c.value(1)
    sizes = (None, None) if window is None else (int(window[2]), int(window[3]))
    return [(*sizes, _channels(c))]


@op("DecodeAndCropJpeg", shape=_cropped, runs=Runs.HOST)
def decode_and_crop_jpeg(contents: Any, crop_window: Any, *, channels: int) -> Any:
    """uint8 [height, width, channels] of the part (y, x, height, width) of a JPEG file. Differs as DecodeJpeg."""
    return image_files.jpeg(_bytes(contents), channels, crop=crop_window)


@op("DecodePng", shape=_decoded, runs=Runs.HOST)
def decode_png(contents: Any, *, channels: int, dtype: DType) -> Any:
    """uint8 or uint16 [height, width, channels] of a PNG file (or JPEG, or GIF of one frame)."""
    return _decode(_bytes(contents), "DecodePng", channels, dtype.numpy)


@op("DecodeBmp", shape=_decoded, runs=Runs.HOST)
def decode_bmp(contents: Any, *, channels: int) -> Any:
    """uint8 [height, width, channels] of a BMP file without compression."""
    return _decode(_bytes(contents), "DecodeBmp", channels)


@op("DecodeGif", shape=fixed((None, None, None, 3)), runs=Runs.HOST)
def decode_gif(contents: Any) -> Any:
    """uint8 [frames, height, width, 3] of a GIF file (or JPEG, or PNG)."""
    data = _bytes(contents)
    found = _decode(data, "DecodeGif", 0 if image_files.format_of(data) == _GIF else 3, animated=True)
    return found if found.ndim == 4 else found[None]


def _any_image(c: ShapeContext) -> list[Sizes]:
    return [None] if c.attr("expand_animations") else [(None, None, _channels(c))]


@op("DecodeImage", shape=_any_image, runs=Runs.HOST)
def decode_image(contents: Any, *, channels: int, dtype: DType, expand_animations: bool) -> Any:
    """[height, width, channels] of an image file; of a GIF [frames, height, width, 3], unless one frame will do.

    uint8, uint16, or float32 between 0 and 1.
    """
    return _decode(_bytes(contents), "DecodeImage", channels, dtype.numpy, expand_animations)


@op("ExtractJpegShape", shape=fixed((3,)), runs=Runs.HOST)
def extract_jpeg_shape(contents: Any, *, output_type: DType) -> Any:
    """[height, width, channels] of a JPEG file, which is not decoded for it."""
    return np.array(image_files.jpeg_shape(_bytes(contents)), output_type.numpy)


def _one_encoded(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(0), 3)
    return [()]


@op("EncodeJpeg", shape=_one_encoded, runs=Runs.HOST)
def encode_jpeg(
    image: Any,
    *,
    format: bytes,
    quality: int,
    progressive: bool,
    optimize_size: bool,
    chroma_downsampling: bool,
    density_unit: bytes,
    x_density: int,
    y_density: int,
) -> Any:
    """The JPEG file of an image, uint8 [height, width, 1 or 3]."""
    wanted = {b"": None, b"grayscale": 1, b"rgb": 3}.get(format, 0)
    if wanted is not None and image.shape[-1] != wanted:
        raise InvalidArgumentError(f"format {format.decode()!r} does not fit an image of {image.shape[-1]} channels")
    inch = 2.54 if density_unit == b"cm" else 1.0
    data = image_files.encode_jpeg(
        image,
        quality,
        progressive=progressive,
        optimize=optimize_size,
        downsampling=chroma_downsampling,
        density=(round(x_density * inch), round(y_density * inch)),
    )
    return np.array(data, object)


@op("EncodeJpegVariableQuality", shape=_one_encoded, runs=Runs.HOST)
def encode_jpeg_variable_quality(images: Any, quality: Any) -> Any:
    """The JPEG file of an image, uint8 [height, width, 1 or 3], in a quality from 0 to 100."""
    return np.array(image_files.encode_jpeg(images, int(quality)), object)


def _encoded(c: ShapeContext) -> list[Sizes]:
    sizes = at_least_rank(c, c.input(0), 3)
    return [None if sizes is None else sizes[:-3]]


@op("EncodePng", shape=_encoded, runs=Runs.HOST)
def encode_png(image: Any, *, compression: int) -> Any:
    """The PNG files of images [..., height, width, 1 to 4], of uint8 or uint16."""
    if image.ndim < 3 or not 1 <= image.shape[-1] <= 4:
        raise InvalidArgumentError(f"image must have 1, 2, 3, or 4 channels, got shape {list(image.shape)}")
    outer, (height, width, channels) = image.shape[:-3], image.shape[-3:]
    bits = 8 * image.dtype.itemsize
    big = image.astype(image.dtype.newbyteorder(">"), copy=False).reshape(-1, height, width, channels)
    level = compression if compression >= 0 else 6
    out = np.empty(len(big), object)
    out[:] = [png_files.encode(one.tobytes(), height, width, channels, level, bits) for one in big]
    return out.reshape(outer)
