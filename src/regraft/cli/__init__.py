"""The command line: `regraft demo`, `regraft inspect`, `regraft run`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. An error of a file or a graph is one message, not a traceback."""
    from regraft.base.errors import OpError
    from regraft.cli.app import app

    try:
        app()
    except (OpError, OSError) as e:
        print(f"{type(e).__name__}: {e}", file=sys.stderr)
        raise SystemExit(1) from e
