"""The command line: `regraft demo`, `regraft inspect`, `regraft run`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. An error of a file or a graph is one message, not a traceback."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["run"] and len(arguments) > 1 and not arguments[1].startswith("-"):
        # Not from inside the parser of commands, which would take the script's errors and interrupts for its own.
        from regraft.cli.run import run_script

        run_script(arguments[1], arguments[2:])
        return
    from regraft.base.errors import OpError
    from regraft.cli.app import app

    try:
        app()
    except (OpError, OSError) as e:
        print(f"{type(e).__name__}: {e}", file=sys.stderr)
        raise SystemExit(1) from e
