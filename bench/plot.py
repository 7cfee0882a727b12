"""How cost grows with size: a CSV file, and a picture where matplotlib is installed."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from typing import Any

_GROUPS = {"open": "import_meta_graph", "plan": "first Session.run", "restore": "Saver.restore", "save": "Saver.save"}
_PARTS = {"ours": "#1f6fb4", "reference": "#d9730d", "bare": "#8a8a8a"}

Point = tuple[str, str, float, float]
"""Group, part, size in thousands of nodes or gigabytes, median seconds."""


def points(report: dict[str, Any]) -> list[Point]:
    """The rows that have a size."""
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
        for part in _PARTS:
            side = row.get(part)
            if side and not side["error"]:
                found.append((row["group"], part, size, side["median_s"]))
    return sorted(found)


def write(report: dict[str, Any], stem: Path) -> list[Path]:
    """Write `<stem>-linearity.csv` and, with matplotlib, `<stem>-linearity.svg`; give what was written."""
    found = points(report)
    stem.parent.mkdir(parents=True, exist_ok=True)
    table = stem.with_name(f"{stem.name}-linearity.csv")
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["group", "library", "thousand nodes or GB", "seconds"])
        writer.writerows((group, report["modules"][part], size, seconds) for group, part, size, seconds in found)
    if importlib.util.find_spec("matplotlib") is None:
        return [table]
    picture = table.with_suffix(".svg")
    _draw(found, report["modules"], picture)
    return [table, picture]


def _draw(found: list[Point], names: dict[str, str], picture: Path) -> None:
    """One panel for each group. Both axes are logarithmic and of one scale: what is linear rises by 45 degrees."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    groups = [group for group in _GROUPS if any(point[0] == group for point in found)]
    figure = Figure(figsize=(3.2 * max(1, len(groups)), 4.2), layout="constrained")
    plain = FuncFormatter(lambda value, _: f"{value:g}")
    for index, group in enumerate(groups):
        axes = figure.add_subplot(1, len(groups), index + 1)
        for part, color in _PARTS.items():
            line = [(size, seconds) for g, p, size, seconds in found if (g, p) == (group, part)]
            if line:
                axes.plot(*zip(*line, strict=True), marker="o", markersize=4, color=color, label=names[part])
        axes.set(title=_GROUPS[group], xscale="log", yscale="log")
        axes.set_xlabel("thousand nodes" if group in ("open", "plan") else "gigabytes")
        axes.set_ylabel("seconds" if index == 0 else "")
        axes.xaxis.set_major_formatter(plain)
        axes.yaxis.set_major_formatter(plain)
        axes.xaxis.set_minor_formatter("")
        axes.yaxis.set_minor_formatter("")
        axes.set_aspect("equal", adjustable="datalim")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small", loc="upper left")
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "regraft"}):
        figure.savefig(picture, metadata={"Date": None})
