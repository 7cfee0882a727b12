"""The files of `regraft demo`: a digit classifier that TensorFlow wrote half trained, and its images.

Where they come from and under what licence: `data/SOURCE.md`.
"""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parent / "data"
"""The folder of the files."""

CHECKPOINT = DATA / "digits-cnn-105"
"""The checkpoint prefix; the graph is the same path with `.meta`."""

META = DATA / "digits-cnn-105.meta"
"""The MetaGraphDef."""

IMAGES = DATA / "digits.npz"
"""`images` uint8 [1797, 8, 8] of 0 to 16, `labels` uint8 [1797], `train` and `held_out` row numbers uint16."""
