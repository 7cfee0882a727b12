"""Images as files: decoded and encoded with Pillow, which the extra `image` brings."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError, UnimplementedError

_SIGNATURES = {
    "JPEG": b"\xff\xd8\xff",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "GIF": b"GIF8",
    "BMP": b"BM",
}
# Weights with which libpng makes grey of red, green and blue, in 1/32768, as TensorFlow sets them.
_GREY = np.array([9797, 19234, 3737], np.uint32)
_BMP_HEADER = 32
# No picture of more pixels is decoded: a small file may claim to be huge.
_MOST_PIXELS = 1 << 29


def pillow() -> Any:
    """PIL.Image. UnimplementedError where Pillow is not installed."""
    try:
        from PIL import Image  # type: ignore[import-not-found, unused-ignore]  # an extra
    except ImportError as e:
        raise UnimplementedError(
            "reading and writing image files needs Pillow", hint="pip install regraft[image]"
        ) from e
    return Image


def format_of(contents: bytes) -> str:
    """The format of an image file by its first bytes: "JPEG", "PNG", "GIF", "BMP". InvalidArgumentError for another."""
    if not contents:
        raise InvalidArgumentError("Input is empty.")
    for name, signature in _SIGNATURES.items():
        if contents.startswith(signature):
            return name
    raise InvalidArgumentError("Unknown image file format. One of JPEG, PNG, GIF, BMP required.")


@contextlib.contextmanager
def opened(contents: bytes, kind: str) -> Iterator[Any]:
    """A file's picture. What can't be decoded inside is an InvalidArgumentError."""
    image_module = pillow()
    try:
        with image_module.open(io.BytesIO(contents), formats=[kind]) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise InvalidArgumentError(f"{kind} image of {image.width} x {image.height} pixels is too large")
            yield image
    except (OSError, SyntaxError, ValueError, EOFError, image_module.DecompressionBombError) as e:
        words = "jpeg::Uncompress failed. Invalid JPEG" if kind == "JPEG" else f"Invalid {kind}"
        raise InvalidArgumentError(f"{words} data, size {len(contents)}: {e}") from e


def jpeg(contents: bytes, channels: int = 0, ratio: int = 1, crop: Any = None) -> Any:
    """uint8 [height, width, channels]; 0 channels are those of the file.

    ratio    1, 2, 4 or 8: the size is divided by it
    crop     (y, x, height, width) of the part to give
    differs  always with accurate DCT and smooth upsampling of colours: up to 4 of 255 from TensorFlow's default
    """
    if channels == 4:
        raise InvalidArgumentError("JPEG does not support 4 channels")
    with opened(contents, "JPEG") as image:
        if ratio > 1:
            size = (-(-image.width // ratio), -(-image.height // ratio))
            image.draft(None, (max(image.width // ratio, 1), max(image.height // ratio, 1)))
            image.load()
            if image.size != size:
                raise InvalidArgumentError(f"JPEG image of size {image.size} can't be divided by {ratio}")
        if image.mode == "CMYK":
            if channels == 1:
                raise InvalidArgumentError("jpeg::Uncompress failed. Invalid JPEG data: CMYK as grey")
            array = _from_cmyk(np.asarray(image))
        else:
            if channels == 1 and image.mode != "L" and ratio == 1:
                image.draft("L", None)
            wanted = {0: image.mode, 1: "L", 3: "RGB"}[channels]
            array = np.asarray(image if image.mode == wanted else image.convert(wanted))
    array = array[..., None] if array.ndim == 2 else array
    if crop is not None:
        y, x, height, width = (int(n) for n in crop)
        if min(y, x) < 0 or min(height, width) <= 0 or y + height > array.shape[0] or x + width > array.shape[1]:
            raise InvalidArgumentError(
                f"jpeg::Uncompress failed. Invalid JPEG data or crop window: {[y, x, height, width]} of an image of "
                f"{array.shape[0]} x {array.shape[1]}"
            )
        array = array[y : y + height, x : x + width]
    return np.array(array)


def _from_cmyk(array: Any) -> Any:
    """RGB of CMYK as Pillow gives it, inverted."""
    wide = 255 - array.astype(np.uint32)
    return (wide[..., :3] * wide[..., 3:] // 255).astype(np.uint8)


def jpeg_shape(contents: bytes) -> tuple[int, int, int]:
    """(height, width, channels) of a JPEG file."""
    if format_of(contents) != "JPEG":
        raise InvalidArgumentError("Invalid JPEG data, no JPEG file")
    with opened(contents, "JPEG") as image:
        return image.height, image.width, len(image.getbands())


def png(contents: bytes, channels: int = 0, wide: bool = False) -> Any:
    """uint8, or uint16 for `wide`, [height, width, channels]; 0 channels are those of the file.

    raises  UnimplementedError for 16 bits a channel in colour, which Pillow does not read
    """
    with opened(contents, "PNG") as image:
        bits = contents[24] if len(contents) > 24 else 8
        if image.mode == "P":
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        elif image.mode == "1":
            image = image.convert("L")
        elif "transparency" in image.info and image.mode in ("L", "RGB"):
            image = image.convert("LA" if image.mode == "L" else "RGBA")
        array = np.asarray(image)
    if array.dtype.itemsize > 1:
        array = array.astype(np.uint16)
    elif bits == 16 and wide:
        raise UnimplementedError("PNG of 16 bits a channel with several channels can only be decoded to uint8")
    array = _with_channels(array[..., None] if array.ndim == 2 else array, channels, bits)
    if array.dtype == np.uint8:
        return array.astype(np.uint16) * 257 if wide else array
    return array if wide else (array >> 8).astype(np.uint8)


def _with_channels(array: Any, channels: int, bits: int) -> Any:
    """The image with so many channels, as libpng changes them; 0 leaves them.

    bits  of a channel in the file: TensorFlow makes a new alpha channel of the largest such number
    """
    found = array.shape[-1]
    if channels in (0, found):
        return np.array(array)
    full = (1 << bits) - 1
    colour, alpha = (array[..., :-1], array[..., -1:]) if found in (2, 4) else (array, None)
    if channels == 1 and colour.shape[-1] == 3:
        equal = (colour == colour[..., :1]).all(-1)
        grey = (colour.astype(np.uint32) @ _GREY + (0 if array.dtype == np.uint8 else 16384)) >> 15
        colour = np.where(equal, colour[..., 0], grey).astype(array.dtype)[..., None]
    elif channels in (3, 4) and colour.shape[-1] == 1:
        colour = np.repeat(colour, 3, -1)
    if channels == 4:
        return np.concatenate([colour, np.full_like(colour[..., :1], full) if alpha is None else alpha], -1)
    return np.array(colour)


def bmp(contents: bytes, channels: int = 0) -> Any:
    """uint8 [height, width, channels], of a file of 8, 24 or 32 bits a pixel without compression."""
    if channels not in (0, 3, 4):
        raise InvalidArgumentError(f"`channels` must be 0, 3 or 4 for BMP, but got {channels}")
    if len(contents) < _BMP_HEADER:
        raise InvalidArgumentError(f"Incomplete bmp content, requires at least 32 bytes, got {len(contents)}")
    start, width, height = (int.from_bytes(contents[at : at + 4], "little", signed=True) for at in (10, 18, 22))
    bits = int.from_bytes(contents[28:30], "little")
    if bits not in (8, 24, 32):
        raise InvalidArgumentError(f"BMP of {bits} bits a pixel: it must be 8, 24 or 32")
    depth, rows = bits // 8, abs(height)
    stride = -(-width * depth // 4) * 4
    if width <= 0 or start < 0 or len(contents) < start + rows * stride:
        raise InvalidArgumentError(
            f"Incomplete bmp content: an image of {rows} x {width} x {depth} does not fit into {len(contents)} bytes"
        )
    raw = np.frombuffer(contents, np.uint8, rows * stride, start).reshape(rows, stride)
    array = raw[:, : width * depth].reshape(rows, width, depth)[:: -1 if height > 0 else 1]
    if depth > 1:
        array = array[..., [2, 1, 0, 3][:depth]]
    return _with_channels(array, channels, 8)


def gif(contents: bytes, channels: int = 0, first: bool = False) -> Any:
    """uint8 [frames, height, width, 3]; with `first` one frame alone."""
    if channels not in (0, 3):
        raise InvalidArgumentError(f"channels must be 0 or 3 for GIF, got {channels}")
    frames: list[Any] = []
    with opened(contents, "GIF") as image:
        for number in range(1 if first else getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(np.asarray(image.convert("RGB")))
    return np.stack(frames)


def encode_jpeg(
    image: Any,
    quality: int,
    *,
    progressive: bool = False,
    optimize: bool = False,
    downsampling: bool = True,
    density: tuple[int, int] = (300, 300),
) -> bytes:
    """The file of an image, uint8 [height, width, 1 or 3].

    downsampling  colours at half the size
    density       pixels an inch
    """
    if image.ndim != 3 or image.shape[-1] not in (1, 3) or image.dtype != np.uint8:
        raise InvalidArgumentError(
            f"image must be uint8 [height, width, channels] with 1 or 3 channels, got {image.dtype}{list(image.shape)}"
        )
    if not 0 <= quality <= 100:
        raise InvalidArgumentError(f"quality must be in [0,100], got {quality}")
    out = io.BytesIO()
    pillow().fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(
        out,
        "JPEG",
        quality=quality,
        progressive=progressive,
        optimize=optimize,
        subsampling=2 if downsampling else 0,
        dpi=density,
    )
    return out.getvalue()
