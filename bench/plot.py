"""How cost grows with size: a CSV file, and a picture where matplotlib is installed."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from typing import Any

_GROUPS = {"open": "import_meta_graph", "plan": "first run", "restore": "restore", "save": "save"}


def points(report: dict[str, Any]) -> list[tuple[str, str, float, float]]:
    """(group, module, size, median seconds) of the rows that have a size: thousands of nodes, or gigabytes."""
    found = []
    for row in report["rows"]:
        case = row["row"].partition("/")[2]
        if row["group"] not in _GROUPS:
            continue
        if case.startswith("nodes_"):
            size = float(case.removeprefix("nodes_").removesuffix("k"))
        elif case.endswith("gb"):
            size = float(case.removesuffix("gb"))
        else:
            continue
        for side in ("ours", "reference"):
            if not row[side]["error"] and "median_s" in row[side]:
                found.append((row["group"], row[side]["module"], size, row[side]["median_s"]))
    return sorted(found)


def write(report: dict[str, Any], stem: Path) -> list[Path]:
    """Write `<stem>-linearity.csv` and, with matplotlib, `<stem>-linearity.svg`; give what was written."""
    found = points(report)
    table = stem.with_name(f"{stem.name}-linearity.csv")
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["group", "module", "thousand nodes or GB", "seconds"])
        writer.writerows(found)
    if importlib.util.find_spec("matplotlib") is None:
        return [table]
    picture = table.with_suffix(".svg")
    _draw(found, picture)
    return [table, picture]


def _draw(found: list[tuple[str, str, float, float]], picture: Path) -> None:
    Figure = importlib.import_module("matplotlib.figure").Figure

    groups = [group for group in _GROUPS if any(point[0] == group for point in found)]
    figure = Figure(figsize=(4 * max(1, len(groups)), 3.5), layout="constrained")
    for index, group in enumerate(groups):
        axes = figure.add_subplot(1, len(groups), index + 1)
        for module in dict.fromkeys(point[1] for point in found if point[0] == group):
            line = [(size, seconds) for g, m, size, seconds in found if (g, m) == (group, module)]
            axes.plot(*zip(*line, strict=True), marker="o", label=module)
        axes.set(title=_GROUPS[group], xscale="log", yscale="log", ylabel="seconds")
        axes.set_xlabel("thousand nodes" if group in ("open", "plan") else "gigabytes")
        axes.set_aspect("equal", adjustable="datalim")  # what is linear has a slope of one
        axes.legend()
    figure.savefig(picture)
