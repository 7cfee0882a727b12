"""`regraft run`: a script in this process, where the module `tensorflow` is `regraft.v1`."""

from __future__ import annotations

import builtins
import os
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType, TracebackType

from regraft.cli import stand_in


def run_script(script: str, arguments: Sequence[str]) -> None:
    """Run a script as `python script arguments...` does: as `__main__`, its folder first on the path of modules.

    Its errors and exit codes pass through; a traceback begins in the script, and ends there where the script asks for
    a name that Regraft does not have.
    """
    try:
        with open(script, "rb") as file:
            source = file.read()
    except OSError as e:
        print(f"regraft run: can't open file {os.path.abspath(script)!r}: {e}", file=sys.stderr)
        raise SystemExit(2) from e
    stand_in.install()
    sys.argv = [script, *arguments]
    if not sys.flags.safe_path:
        del sys.path[0]  # the folder of `regraft` itself
    sys.path.insert(0, os.path.dirname(os.path.realpath(script)))
    path = os.path.abspath(script)
    module = ModuleType("__main__")
    module.__dict__.update(__file__=path, __builtins__=builtins, __cached__=None)
    sys.modules["__main__"] = module
    sys.excepthook = show_error
    exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)


def show_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a traceback of the script, without the frames that led to it.

    For a missing name the frames of Regraft and of the import system that looked for it are left out as well.
    """
    shown = traceback.TracebackException(kind, error, trace)
    _strip(shown, isinstance(error, (AttributeError, ImportError)))
    for line in shown.format():
        print(line, file=sys.stderr, end="")


def _strip(shown: traceback.TracebackException, missing_name: bool) -> None:
    frames = shown.stack
    for i, frame in reversed(list(enumerate(frames))):
        if frame.filename == __file__:
            del frames[: i + 1]
            break
    while missing_name and len(frames) > 1 and frames[-1].filename.startswith(_OURS):
        del frames[-1]
    for before in (shown.__cause__, shown.__context__):
        if before is not None:
            _strip(before, missing_name)


_OURS = (os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep, "<frozen importlib")
