"""Rows of `ops/queues.py`: static shapes. `test_queues.py` runs the ops together."""

import numpy as np

from tests.ops.both import RESOURCE
from tests.ops.case import Case

REF = np.array([b"", b""], object)
ONE, ROWS = np.int64(1), np.array([1, 2])
TYPES = {"component_types": ["int64", "float32"]}
COMPONENTS = [ONE, np.float32(1)]

CASES = [
    *(
        Case(f"{op}{version}", [], {**TYPES, "shapes": [[], [2]]})
        for op in ("FIFOQueue", "PaddingFIFOQueue", "PriorityQueue", "RandomShuffleQueue")
        for version in ("", "V2")
    ),
    Case("FakeQueue", [RESOURCE]),
    *(
        case
        for version, handle in (("", REF), ("V2", RESOURCE))
        for case in (
            Case(f"QueueEnqueue{version}", [handle, COMPONENTS]),
            Case(f"QueueEnqueueMany{version}", [handle, [ROWS]]),
            Case(f"QueueDequeue{version}", [handle], TYPES),
            Case(f"QueueDequeueMany{version}", [handle, np.int32(3)], TYPES),
            Case(f"QueueDequeueUpTo{version}", [handle, np.int32(3)], TYPES),
            Case(f"QueueClose{version}", [handle], {"cancel_pending_enqueues": True}),
            Case(f"QueueSize{version}", [handle]),
            Case(f"QueueIsClosed{version}", [handle]),
        )
    ),
]
