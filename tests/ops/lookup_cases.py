"""Rows of `ops/lookup.py`: static shapes. `test_lookup.py` runs the ops together."""

import numpy as np

from tests.ops.both import RESOURCE
from tests.ops.case import Case

REF = np.array([b"", b""], object)
KEYS = np.array([b"a", b"b"], object)
VALUES, ONE = np.array([1, 2], np.int64), np.int64(0)
TYPES = {"key_dtype": "string", "value_dtype": "int64"}
VECTORS = {**TYPES, "value_shape": [3]}
FILE = [np.array(b"words.txt", object)]
COLUMNS = {"key_index": -2, "value_index": -1}

CASES = [
    *(Case(op, [], TYPES) for op in ("HashTable", "HashTableV2", "MutableHashTable", "MutableHashTableV2")),
    *(Case(op, [], VECTORS) for op in ("MutableHashTableOfTensors", "MutableHashTableOfTensorsV2")),
    Case("MutableDenseHashTableV2", [ONE, np.int64(-1)], {"value_dtype": "float32", "value_shape": [2]}),
    *(
        case
        for suffix, handle in (("", REF), ("V2", RESOURCE))
        for case in (
            Case(f"InitializeTable{suffix}", [handle, KEYS, VALUES]),
            Case(f"InitializeTableFromTextFile{suffix}", [handle, *FILE], COLUMNS),
            Case(f"LookupTableFind{suffix}", [handle, KEYS, ONE]),
            Case(f"LookupTableInsert{suffix}", [handle, KEYS, VALUES]),
            Case(f"LookupTableImport{suffix}", [handle, KEYS, VALUES]),
            Case(f"LookupTableExport{suffix}", [handle], {"Tkeys": "string", "Tvalues": "int64"}),
            Case(f"LookupTableSize{suffix}", [handle]),
        )
    ),
    Case("LookupTableRemoveV2", [RESOURCE, KEYS]),
]
