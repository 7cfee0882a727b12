"""Write tools/api_names.tsv: the names of `tensorflow.compat.v1`, and how many repositories use each.

Needs TensorFlow. Run from the repository root, with a file of counts (a name and a number a line, split by a tab):

    python tools/dump_api_names.py COUNTS

Names that only the counts have (what TensorFlow 1 had and compat.v1 dropped) are kept. Ops (`raw_ops`) and Keras are
left out: the former have a page of their own.
"""

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

TARGET = Path(__file__).with_name("api_names.tsv")
SKIPPED = {"v1", "v2", "raw_ops", "keras"}


def names(module: Any, prefix: str, seen: set[int]) -> Iterator[str]:
    """Yield the public names of the module and of those in it."""
    module = getattr(module, "_tfmw_wrapped_module", module)
    if id(module) in seen:
        return
    seen.add(id(module))
    for name in dir(module):
        if name.startswith("_") or name in SKIPPED:
            continue
        value = getattr(module, name, None)
        if not (isinstance(value, types.ModuleType) or type(value).__name__ == "TFModuleWrapper"):
            yield prefix + name
        elif "tensorflow._api" in value.__name__:
            yield from names(value, f"{prefix}{name}.", seen)


def main() -> None:
    """Write the file."""
    counts = dict.fromkeys(names(tf, "", set()), 0)
    for line in Path(sys.argv[1]).read_text("utf-8").splitlines():
        name, tab, count = line.partition("\t")
        if tab and not name.startswith("#"):
            counts[name] = int(count)
    lines = [f"{name}\t{count}" for name, count in sorted(counts.items())]
    TARGET.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{TARGET}: {len(lines)} names, {sum(count > 0 for count in counts.values())} of them counted")


if __name__ == "__main__":
    main()
