"""Rows of `ops/image_codecs.py`. `test_image_codecs.py` looks at what the encoders write, and at more formats."""

import io
from typing import Any

import numpy as np
from PIL import Image

from tests.ops.case import Case

ROWS, COLUMNS = np.mgrid[:11, :13]
PIXELS = np.stack([COLUMNS * 19, ROWS * 23, (ROWS * COLUMNS) % 200, 255 - ROWS * 11], -1).astype(np.uint8)
EXACT = {"dct_method": "INTEGER_ACCURATE"}


def written(pixels: Any, kind: str, mode: str | None = None, **options: Any) -> np.ndarray[Any, Any]:
    """A file that Pillow writes, as a scalar string."""
    out = io.BytesIO()
    Image.fromarray(pixels, mode).save(out, kind, **options)
    return np.array(out.getvalue(), object)


RGB, GREY = PIXELS[..., :3], PIXELS[..., 0]
JPEG, GREY_JPEG = written(RGB, "JPEG"), written(GREY, "JPEG")
PNG, PNG_16 = written(RGB, "PNG"), written((GREY.astype(np.uint16) * 250 + ROWS).astype(np.uint16), "PNG")
BMP, GIF = written(RGB, "BMP"), written(RGB, "GIF")
NOTHING, EMPTY = np.array(b"nothing", object), np.array(b"", object)

CASES = [
    *(Case("DecodeJpeg", [JPEG], {**EXACT, "channels": channels}) for channels in (0, 1, 3)),
    *(Case("DecodeJpeg", [GREY_JPEG], {**EXACT, "channels": channels}) for channels in (0, 3)),
    *(Case("DecodeJpeg", [JPEG], {**EXACT, "ratio": ratio}) for ratio in (2, 4, 8)),
    Case("DecodeJpeg", [JPEG], {"channels": 4}, fails="JPEG does not support 4 channels"),
    Case("DecodeJpeg", [NOTHING], {}, fails="Unknown image file format"),
    Case("DecodeJpeg", [EMPTY], {}, fails="Input is empty"),
    Case("DecodeAndCropJpeg", [JPEG, np.array([0, 0, 8, 5], np.int32)], {**EXACT, "channels": 3}),
    Case(
        "DecodeAndCropJpeg", [JPEG, np.array([0, 0, 8, 50], np.int32)], EXACT, fails="Invalid JPEG data or crop window"
    ),
    *(Case("ExtractJpegShape", [file], {"output_type": "int64"}) for file in (JPEG, GREY_JPEG)),
    *(Case("DecodePng", [PNG], {"channels": channels}) for channels in (0, 1, 3, 4)),
    *(Case("DecodePng", [written(PIXELS, "PNG")], {"channels": channels}) for channels in (0, 1, 3)),
    *(Case("DecodePng", [PNG_16], {"dtype": dtype}) for dtype in ("uint8", "uint16")),
    Case("DecodePng", [PNG], {"dtype": "uint16", "channels": 4}),
    Case("DecodePng", [np.array(PNG[()][:60], object)], {}, fails="Invalid PNG data, size 60"),
    Case("DecodePng", [BMP], {}, fails="Trying to decode BMP format using a wrong op"),
    *(Case("DecodeBmp", [BMP], {"channels": channels}) for channels in (0, 3, 4)),
    Case("DecodeBmp", [PNG], {}, fails="Trying to decode PNG format using DecodeBmp op"),
    Case("DecodeGif", [GIF]),
    Case("DecodeGif", [PNG]),
    *(Case("DecodeImage", [file], {"dtype": "float32"}) for file in (PNG, PNG_16, BMP, GIF)),
    *(Case("DecodeImage", [GIF], {"expand_animations": expand, "channels": 3}) for expand in (True, False)),
    Case("DecodeImage", [BMP], {"dtype": "uint16"}),
    Case("EncodeJpeg", [RGB], {"quality": 101}, fails=r"quality must be in \[0,100\]"),
    Case("EncodeJpegVariableQuality", [RGB, np.int32(101)], {}, fails=r"quality must be in \[0,100\]"),
    Case("EncodePng", [np.repeat(PIXELS, 2, -1)], {}, fails="image must have 1, 2, 3, or 4 channels"),
]
