"""Write docs/api-status.md: name by name, what of TensorFlow 1's API is there. Run from the repository root:

python tools/api_status.py
"""

import importlib
from collections import defaultdict
from pathlib import Path

import regraft.v1
from regraft.v1._absent import reason

NAMES = Path(__file__).with_name("api_names.tsv")
TARGET = Path(__file__).resolve().parents[1] / "docs" / "api-status.md"

HEAD = """\
# The API, name by name

What `regraft.v1` has of `tensorflow.compat.v1`, and of what TensorFlow 1 had before (`tf.contrib`, older spellings).
The number says how many of 65 public repositories that keep `.meta` files use the name. `tools/api_status.py`
writes this page; the ops of `tf.raw_ops` are all there, as far as their signatures go.

{summary}
"""

# What stands in the counts, but was never a name of TensorFlow's: slips, and methods of other objects.
NO_NAMES = frozenset(
    {
        *("Estimator", "Example", "HParams", "LegacySyncReplicasOptimizer", "Placeholder", "Placeholders"),
        *("RMSPropOptimizer", "SequenceExample", "Varialbe", "array_ops.transpose", "close", "embedding_lookup"),
        *("gfile.OpenFast", "linalg.eig", "optimizers.Adam", "parse_csv", "random_flip_left_right"),
        *("random_flip_up_down", "resize_images", "contrib.framework.TensorSpec", "contrib.learn.TRAIN"),
    }
)


def present(name: str) -> bool:
    """Whether the attributes of `regraft.v1` lead to this name."""
    found = regraft.v1
    for part in name.split("."):
        below = getattr(found, part, None)
        if below is None and not hasattr(found, part):
            return False
        found = below
    return True


def state(name: str) -> str:
    """What the page says of a name."""
    if present(name):
        return "present"
    if name in NO_NAMES:
        return "no name of TensorFlow's"
    if name.startswith("python."):
        return "under `regraft run`"
    return f"missing: {reason(name) or 'not yet'}"


def page() -> str:
    """The whole page."""
    importlib.import_module("regraft.ops")
    counts = dict(line.split("\t") for line in NAMES.read_text("utf-8").splitlines())
    states = {name: state(name) for name in counts}
    modules: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        modules[name.rpartition(".")[0]].append(name)
    used = [name for name in counts if int(counts[name]) >= 2 and states[name] != "no name of TensorFlow's"]
    once = [name for name in counts if int(counts[name]) == 1 and states[name] != "no name of TensorFlow's"]
    summary = [
        "| names | present |",
        "|---|---|",
        *(
            f"| {title} | {sum(states[n] == 'present' for n in chosen)} of {len(chosen)} |"
            for title, chosen in (
                ("used by two repositories or more", used),
                ("used by one repository", once),
                ("all", [n for n in counts if states[n] != "no name of TensorFlow's"]),
            )
        ),
    ]
    parts = [HEAD.format(summary="\n".join(summary))]
    for module in sorted(modules):
        chosen = modules[module]
        there = sum(states[n] == "present" for n in chosen)
        parts.append(f"## `tf{module and '.'}{module}`: {there} of {len(chosen)}\n")
        parts.append("| name | used by | |\n|---|---|---|")
        chosen.sort(key=lambda n: (-int(counts[n]), n))
        parts.append("\n".join(f"| `{n}` | {counts[n] if counts[n] != '0' else ''} | {states[n]} |" for n in chosen))
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(page(), "utf-8")
    print(TARGET)
