"""Rows of `ops/readers.py`: static shapes. `test_readers.py` runs the ops together."""

import numpy as np

from tests.ops.both import RESOURCE
from tests.ops.case import Case

REF = np.array([b"", b""], object)
GONE = {
    "expected": [REF],
    "why": "TensorFlow 2.21 refuses to make it; its documentation says a reference to two strings",
}
STATE = np.array(b"", object)

CASES = [
    *(Case(f"{op}ReaderV2") for op in ("TextLine", "TFRecord", "WholeFile", "Identity")),
    *(Case(f"{op}Reader", **GONE) for op in ("TextLine", "TFRecord", "WholeFile", "Identity")),
    Case("FixedLengthRecordReaderV2", [], {"record_bytes": 3}),
    Case("FixedLengthRecordReader", [], {"record_bytes": 3}, **GONE),
    *(
        case
        for version, handle in (("", REF), ("V2", RESOURCE))
        for case in (
            Case(f"ReaderRead{version}", [handle, handle]),
            Case(f"ReaderReadUpTo{version}", [handle, handle, np.int64(3)]),
            Case(f"ReaderNumRecordsProduced{version}", [handle]),
            Case(f"ReaderNumWorkUnitsCompleted{version}", [handle]),
            Case(f"ReaderSerializeState{version}", [handle]),
            Case(f"ReaderRestoreState{version}", [handle, STATE]),
            Case(f"ReaderReset{version}", [handle]),
        )
    ),
]
