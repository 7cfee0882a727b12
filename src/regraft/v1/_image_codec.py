"""Images from files, and into them."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.v1._image_color import convert_image_dtype
from regraft.v1._opening import on, opened

__all__ = ["decode_image", "encode_png", "is_jpeg"]


def is_jpeg(contents: Any, name: str | None = None) -> Any:
    """Whether the bytes begin as those of a JPEG file do."""
    with opened(name, "is_jpeg") as (b, _):
        return b.Equal(b.Substr(contents, 0, 3), b"\xff\xd8\xff", name=name)


def encode_png(image: Any, compression: int = -1, name: str | None = None) -> Any:
    """The bytes of a PNG file with the image [height, width, channels], uint8 or uint16."""
    b = on(image)
    return b.EncodePng(b.convert(image), compression=compression, name=name)


def decode_image(
    contents: Any,
    channels: int | None = None,
    dtype: Any = dtypes.uint8,
    name: str | None = None,
    expand_animations: bool = True,
) -> Any:
    """The image in the bytes of a BMP, GIF, JPEG or PNG file, [height, width, channels]; a GIF has frames before.

    channels           how many to make; None or 0 for those of the file
    expand_animations  False for the first frame of a GIF alone
    """
    with opened(name, "decode_image") as (b, _):
        count = channels or 0
        wanted = dtypes.as_dtype(dtype)
        kind = wanted if wanted in (dtypes.float32, dtypes.uint8, dtypes.uint16) else dtypes.uint16
        image = b.DecodeImage(contents, channels=count, expand_animations=expand_animations, dtype=kind)
        if kind is not wanted:
            image = convert_image_dtype(image, wanted)
        if not expand_animations:
            image.set_shape([None, None, count or None])
        return image
