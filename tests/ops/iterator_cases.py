"""Rows of `ops/iterator.py`: static shapes. `tests/v1/data` runs the ops together."""

import numpy as np

from tests.ops.both import RESOURCE, VARIANT
from tests.ops.case import Case

ELEMENT = {"output_types": ["int64", "string"], "output_shapes": [[2], None]}
NAMED = {**ELEMENT, "shared_name": "", "container": ""}
TEXT = np.array(b"", object)

CASES = [
    Case("Iterator", [], NAMED),
    Case("IteratorV2", [], NAMED),
    Case("OneShotIterator", [], {"dataset_factory": "function", **ELEMENT}),
    Case("AnonymousIterator", [], ELEMENT),
    Case("AnonymousIteratorV2", [], ELEMENT),
    Case("AnonymousIteratorV3", [], ELEMENT),
    Case("DeleteIterator", [RESOURCE, VARIANT]),
    Case("MakeIterator", [VARIANT, RESOURCE]),
    Case("IteratorGetNext", [RESOURCE], ELEMENT),
    Case("IteratorGetNextSync", [RESOURCE], ELEMENT),
    Case("IteratorGetNextAsOptional", [RESOURCE], ELEMENT),
    Case("IteratorToStringHandle", [RESOURCE]),
    Case("IteratorFromStringHandle", [TEXT], ELEMENT),
    Case("IteratorFromStringHandleV2", [TEXT], ELEMENT),
    Case("IteratorGetDevice", [RESOURCE]),
    Case("ExperimentalIteratorGetDevice", [RESOURCE]),
]
