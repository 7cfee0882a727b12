"""How much memory this process has had. Loads next to nothing: it is asked before anything else is loaded."""

from __future__ import annotations

import sys


def peak_memory() -> int:
    """The most bytes of resident memory that this program has had.

    Linux hands a parent's `ru_maxrss` down through fork and exec; VmHWM starts anew with the program.
    """
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))
    except OSError:
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
