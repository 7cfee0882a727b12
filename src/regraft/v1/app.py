"""tf.app: the frame of a program: its flags, and the call of its main."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

from regraft.v1 import flags as flags

__all__ = ["flags", "run"]


def run(main: Callable[[list[str]], Any] | None = None, argv: list[str] | None = None) -> None:
    """Parse the flags, call `main` (that of `__main__`) with what is no flag, and exit with its result.

    argv  the command line, with the program's name; flags that nobody defined are handed on to `main`
    """
    from absl import app

    # absl shows what every logger has to say from INFO on; JAX's messages are none of the program's.
    if logging.getLogger("jax").level == logging.NOTSET:
        logging.getLogger("jax").setLevel(logging.WARNING)

    def parse(arguments: Sequence[str] | None) -> Any:
        return flags.FLAGS(sys.argv if arguments is None else arguments, known_only=True)

    app.run(main=main or sys.modules["__main__"].main, argv=argv, flags_parser=parse)
