"""tf.image."""

# ruff: noqa: F403  each module names in __all__ what belongs here
from __future__ import annotations

from regraft.v1 import _plain
from regraft.v1._image_boxes import *
from regraft.v1._image_codec import *
from regraft.v1._image_color import *
from regraft.v1._image_geometry import *
from regraft.v1._image_quality import *
from regraft.v1._image_resize import *
from regraft.v1._random import random_crop as random_crop

__getattr__ = _plain.attribute_of("image")
