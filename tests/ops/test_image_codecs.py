"""What the encoders write is read by TensorFlow; more kinds of files are read as TensorFlow reads them."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image

from regraft.base import errors
from regraft.opkit import image_files
from regraft.ops import image_codecs
from tests import oracle
from tests.ops.image_codecs_cases import GIF, GREY, JPEG, PIXELS, RGB, written

NEEDS_TENSORFLOW = pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed")


def encoded(pixels: Any, **options: Any) -> bytes:
    return image_codecs.encode_png(pixels, compression=options.get("compression", -1)).item()  # type: ignore[no-any-return]


@NEEDS_TENSORFLOW
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_is_what_tensorflow_reads(dtype: str, channels: int) -> None:
    pixels = PIXELS[..., :channels].astype(dtype) * (257 if dtype == "uint16" else 1)
    (found,) = oracle.run_op("DecodePng", [np.array(encoded(pixels), object)], {"dtype": dtype})
    np.testing.assert_array_equal(found, pixels)


def test_png_of_a_batch() -> None:
    files = image_codecs.encode_png(np.stack([RGB, RGB[::-1]])[None], compression=1)
    assert files.shape == (1, 2)
    np.testing.assert_array_equal(image_files.png(files[0, 1]), RGB[::-1])


@NEEDS_TENSORFLOW
@pytest.mark.parametrize("pixels", [RGB, GREY[..., None]])
@pytest.mark.parametrize("options", [{}, {"progressive": True, "optimize_size": True, "chroma_downsampling": False}])
def test_jpeg_is_what_tensorflow_writes(pixels: Any, options: dict[str, bool]) -> None:
    """The pixels are; the tables around them may be laid out otherwise."""
    attrs = {"format": "", "quality": 90, "density_unit": "in", "x_density": 300, "y_density": 300}
    flags = {"progressive": False, "optimize_size": False, "chroma_downsampling": True, **options}
    (theirs,) = oracle.run_op("EncodeJpeg", [pixels], {**attrs, **flags})
    given = {k: v.encode() if isinstance(v, str) else v for k, v in attrs.items()}
    ours = image_codecs.encode_jpeg(pixels, **given, **flags).item()
    np.testing.assert_array_equal(image_files.jpeg(ours), image_files.jpeg(theirs))
    assert Image.open(io.BytesIO(ours)).info["dpi"] == (300, 300)


def test_jpeg_of_a_format_that_does_not_fit() -> None:
    attrs = {"quality": 90, "density_unit": b"in", "x_density": 300, "y_density": 300, "progressive": False}
    flags = {"optimize_size": False, "chroma_downsampling": True}
    with pytest.raises(errors.InvalidArgumentError, match="format 'grayscale' does not fit an image of 3 channels"):
        image_codecs.encode_jpeg(RGB, format=b"grayscale", **attrs, **flags)


@NEEDS_TENSORFLOW
def test_jpeg_by_the_default_method_is_nearly_that_of_tensorflow() -> None:
    (theirs,) = oracle.run_op("DecodeJpeg", [JPEG], {})
    assert np.abs(image_files.jpeg(JPEG.item()).astype(int) - theirs).max() <= 4


@NEEDS_TENSORFLOW
@pytest.mark.parametrize(
    "file",
    [
        written(np.array(Image.fromarray(RGB).quantize(16)), "PNG", "P"),
        written(GREY > 100, "PNG"),
        written(PIXELS[..., :2], "PNG", "LA"),
        written(PIXELS, "BMP"),
        written(GREY, "BMP"),
    ],
    ids=["palette", "one bit", "grey with alpha", "bmp with alpha", "grey bmp"],
)
@pytest.mark.parametrize("channels", [0, 3, 4])
@pytest.mark.filterwarnings("ignore:'mode' parameter")
def test_kinds_of_files(file: Any, channels: int) -> None:
    (theirs,) = oracle.run_op("DecodeImage", [file], {"channels": channels})
    ours = image_codecs._decode(file.item(), "DecodeImage", channels)
    np.testing.assert_array_equal(ours, theirs)


@NEEDS_TENSORFLOW
def test_an_animation() -> None:
    frames = [Image.fromarray(np.roll(RGB, n, 0)) for n in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    (theirs,) = oracle.run_op("DecodeGif", [np.array(out.getvalue(), object)], {})
    np.testing.assert_array_equal(image_codecs._decode(out.getvalue(), "DecodeGif", 0, animated=True), theirs)
    with pytest.raises(errors.InvalidArgumentError, match="Got 3 frames, but animated gifs can only be decoded by"):
        image_codecs._decode(out.getvalue(), "DecodePng", 0)


def test_16_bits_in_colour_are_not_read_as_such() -> None:
    file = encoded(RGB.astype(np.uint16) * 256)
    np.testing.assert_array_equal(image_files.png(file), RGB)
    with pytest.raises(errors.UnimplementedError, match="can only be decoded to uint8"):
        image_files.png(file, wide=True)


def test_a_picture_of_too_many_pixels_is_refused() -> None:
    file = bytearray(encoded(RGB))
    file[16:24] = b"\x00\x0f\xff\xff" * 2
    with pytest.raises(errors.InvalidArgumentError, match="Invalid PNG|too large"):
        image_files.png(bytes(file))


def test_without_pillow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(errors.UnimplementedError, match=r"needs Pillow\n  pip install regraft\[image\]"):
        image_files.gif(GIF.item())
