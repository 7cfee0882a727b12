"""tf.io: files, and what turns their bytes into tensors. Functions that are one op come from the table."""

from __future__ import annotations

import importlib
from typing import Any

from regraft.v1 import _plain

_HOMES = {
    "match_filenames_once": "regraft.v1._input_producers",
    "write_graph": "regraft.v1.train",
    **dict.fromkeys(("PaddingFIFOQueue", "PriorityQueue", "QueueBase", "RandomShuffleQueue"), "regraft.v1._queues"),
    **dict.fromkeys(
        (
            *("decode_csv", "decode_json_example", "decode_raw", "parse_example", "parse_sequence_example"),
            *("parse_single_example", "parse_single_sequence_example", "serialize_tensor"),
        ),
        "regraft.v1._parsing",
    ),
    **dict.fromkeys(
        ("FixedLenFeature", "FixedLenSequenceFeature", "SparseFeature", "VarLenFeature"),
        "regraft.v1._parsing_features",
    ),
    **dict.fromkeys(
        ("deserialize_many_sparse", "serialize_many_sparse", "serialize_sparse"), "regraft.v1._sparse_math"
    ),
    **dict.fromkeys(("decode_image", "encode_png", "is_jpeg"), "regraft.v1.image"),
    **dict.fromkeys(
        ("TFRecordCompressionType", "TFRecordOptions", "TFRecordWriter", "tf_record_iterator"), "regraft.v1.python_io"
    ),
}
"""Functions that live elsewhere."""


def __getattr__(name: str) -> Any:
    if name == "gfile":
        return importlib.import_module("regraft.v1._io_gfile")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    return _plain.function(f"io.{name}")
