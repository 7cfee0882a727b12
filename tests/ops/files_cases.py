"""Rows of `ops/files.py`. `test_readers.py` reads and writes files."""

import tempfile
from pathlib import Path

import numpy as np

from tests.ops.case import Case

SCRATCH = str(Path(tempfile.gettempdir(), "written_by_a_row")).encode()
NOWHERE = np.array(b"/nowhere/at/all*", object)

CASES = [
    Case("ReadFile", [np.array(b"/dev/null", object)]),
    Case("WriteFile", [np.array(SCRATCH, object), NOWHERE]),
    Case("MatchingFiles", [NOWHERE]),
    Case("MatchingFiles", [np.array([b"/nowhere/at/all*", b"/nowhere/*"], object)]),
]
