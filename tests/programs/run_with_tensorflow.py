"""Run programs one after another in one process with TensorFlow.

    run_with_tensorflow.py FOLDER PROGRAM... -- ARGUMENTS

What PROGRAM prints goes to FOLDER/PROGRAM.txt. Importing TensorFlow takes longer than all of them.
"""

import contextlib
import runpy
import sys
from pathlib import Path

import tensorflow.compat.v1 as tf


def main() -> None:
    split = sys.argv.index("--")
    folder, programs, arguments = Path(sys.argv[1]), sys.argv[2:split], sys.argv[split + 1 :]
    for program in programs:
        tf.reset_default_graph()
        sys.argv = [program, *arguments]
        with (folder / f"{Path(program).stem}.txt").open("w") as out, contextlib.redirect_stdout(out):
            try:
                runpy.run_path(program, run_name="__main__")
            except SystemExit as e:  # tf.app.run ends so
                if e.code:
                    raise


if __name__ == "__main__":
    main()
