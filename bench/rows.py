"""The rows of the table: what is measured, on which graph, and what the project wants to reach."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.models import SCALES


@dataclass(frozen=True)
class Row:
    """One line.

    name        `group/case`, by which it is picked
    task        the function in `bench.tasks`
    model       the graph of `bench.models` that it takes
    parameters  what else the task takes
    filler      the task of a process that fills Regraft's disk cache before the measured ones; without it, the cache is
                empty for every process
    goal        how many times faster than TensorFlow the project wants to be, if it says
    default     whether it runs when no rows are picked
    """

    name: str
    title: str
    task: str
    model: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    filler: str | None = None
    goal: float | None = None
    default: bool = True

    @property
    def group(self) -> str:
        """The part of the name before the slash."""
        return self.name.partition("/")[0]

    @property
    def repeats(self) -> int:
        """How many processes of each library, if the command line does not say."""
        return 3 if self.model in _COSTLY and self.task != "opening" else 5

    @property
    def arithmetic(self) -> Literal["inference", "training"] | None:
        """Of which kind of run the arithmetic is counted, if that tells something of the row."""
        return _ARITHMETIC.get(self.task)


_TITLES = {
    "mlp": "MLP, batch 64",
    "cnn": "CNN, batch 64",
    "lstm": "LSTM, 50 steps by while_loop, batch 20",
    "detector": "SSD-like detector, 160 x 160, batch 4",
    "resnet50": "ResNet-50, batch 4",
    "bert_base": "BERT-base, 4 x 128",
}
_COSTLY = ("resnet50", "bert_base", "1gb", "4gb")
_NODES = (1, 10, 50, 100)
_ARITHMETIC: Mapping[str, Literal["inference", "training"]] = {
    "inferring": "inference",
    "training": "training",
    "feeding": "training",
}
ALIASES: Mapping[str, Sequence[str]] = {
    "linear": ("open/nodes_*", "plan/nodes_*", "restore/*gb", "save/*gb"),
    "steady": ("inference/*", "training/*"),
}
"""Names for several patterns: how cost grows with size, for `plot`; what runs on a GPU as well."""


def _loop(scale: str) -> dict[str, float]:
    """How long a steady row warms up and measures: at least so many seconds and so many calls."""
    if scale == "tiny":
        return {"warm_s": 0.0, "warm_calls": 2, "measure_s": 0.0, "measure_calls": 2}
    return {"warm_s": 2.0, "warm_calls": 3, "measure_s": 3.0, "measure_calls": 5}


def rows(scale: str) -> list[Row]:
    """All rows, in the order of the table; at scale `tiny` the titles say more than is run."""
    loop = _loop(scale)
    sizes = {"0.1gb": "0.1 GB", "1gb": "1 GB", "bert_base": "BERT-base with Adam, 1.3 GB", "4gb": "4 GB"}
    table = [
        Row("import/module", "import of the library", "importing", goal=10),
        Row("open/mlp", "import_meta_graph, MLP", "opening", "mlp", goal=15),
        Row("open/bert_base", "import_meta_graph, BERT-base training graph", "opening", "bert_base", goal=15),
        *(
            Row(f"open/nodes_{n}k", f"import_meta_graph, {n},000 nodes", "opening", f"nodes_{n}k", goal=15)
            for n in _NODES
        ),
        *(
            Row(f"plan/nodes_{n}k", f"first run of one operation among {n},000", "planning", f"nodes_{n}k")
            for n in _NODES
        ),
    ]
    for task, title in (("restoring", "restore"), ("saving", "save")):
        for model, words in sizes.items():
            default = model not in ("1gb", "4gb")
            table.append(Row(f"{title}/{model}", f"{title}, {words}", task, model, goal=3, default=default))
    for index, (case, words) in enumerate((("one", "a trivial graph"), ("twenty", "20 small operations"))):
        parameters = {"output": index, **loop}
        table.append(Row(f"call/{case}", f"Session.run, {words}", "calling", "small", parameters, goal=3))
        parameters = {"callable": True, **parameters}
        title = f"function of Session.make_callable, {words}"
        table.append(Row(f"call/{case}_callable", title, "calling", "small", parameters, goal=3))
    cold: Sequence[tuple[str, str, str, str, float, float]] = (
        ("cold", "first answer of a cold process", "answering", "inferring", 3, 4),
        ("first_step", "first training step of a cold process", "stepping", "training", 1 / 1.5, 1),
    )
    for group, title, task, filler, goal, cached_goal in cold:
        for model in ("mlp", "resnet50", "bert_base"):
            words = f"{title}, {_TITLES[model]}"
            table.append(Row(f"{group}/{model}", words, task, model, goal=goal))
            table.append(
                Row(f"{group}_cached/{model}", f"{words}, disk cache", task, model, filler=filler, goal=cached_goal)
            )
    for model, words in _TITLES.items():
        table.append(Row(f"inference/{model}", f"inference, {words}", "inferring", model, loop, goal=1))
        if model == "resnet50":
            one = {"batch": 1, **loop}
            table.append(Row("inference/resnet50_1", "inference, ResNet-50, batch 1", "inferring", model, one, goal=1))
    for model, words in _TITLES.items():
        optimizer = SCALES[scale][model].optimizer.capitalize()
        table.append(Row(f"training/{model}", f"training step, {words}, {optimizer}", "training", model, loop, goal=1))
    long = "training step, LSTM, 200 steps by while_loop, batch 20, Adam"
    table.append(Row("training/lstm_200", long, "training", "lstm_200", loop, goal=1))
    for model, words in (("queue", "queues from files"), ("data", "tf.data from TFRecord files")):
        fed = f"training step, small CNN fed by {words}, batch 64, Adam"
        table.append(Row(f"pipeline/{model}", fed, "feeding", model, loop, goal=1))
    return table


def pick(table: Sequence[Row], patterns: Sequence[str]) -> list[Row]:
    """The rows whose names or groups match one of the patterns or ALIASES; the default ones without a pattern.

    raises  ValueError for a pattern that matches none
    """
    if not patterns:
        return [row for row in table if row.default]
    patterns = [one for pattern in patterns for one in ALIASES.get(pattern, (pattern,))]
    for pattern in patterns:
        if not any(_matches(row, pattern) for row in table):
            raise ValueError(f"no row is called {pattern!r}; there are: {', '.join(row.name for row in table)}")
    return [row for row in table if any(_matches(row, pattern) for pattern in patterns)]


def _matches(row: Row, pattern: str) -> bool:
    return fnmatch.fnmatchcase(row.name, pattern) or row.group == pattern
