"""The report as Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale or unit == "µs":
            return f"{_digits(seconds / scale)} {unit}"
    raise AssertionError


def _digits(value: float) -> str:
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}" if 0 < value < 100 else f"{value:.0f}"


def _cell(side: dict[str, Any]) -> str:
    if side["error"]:
        words = side["error"].replace("|", "\\|").replace("`", "'")
        return f"`{words[:117] + '...' if len(words) > 120 else words}`"
    return duration(side["median_s"])


def _memory(side: dict[str, Any]) -> str:
    return f"{side['median_peak'] / 1e6:.0f} MB" if "median_peak" in side else ""


def _spread(row: dict[str, Any]) -> str:
    """How far apart the repeats lie, of the side where it is worse."""
    apart = []
    for side in (row["ours"], row["reference"]):
        if "seconds" in side and len(side["seconds"]) > 1:
            apart.append((max(side["seconds"]) - min(side["seconds"])) / side["median_s"])
    return f"{max(apart):.0%}" if apart else ""


def _agreement(row: dict[str, Any]) -> str:
    found = row["agreement"]
    if found is None:
        return ""
    if found["difference"]:
        words = found["difference"].replace("|", "\\|")
        return f"**differs**: {words[:120]}"
    return "equal" if not found["worst"] else f"{found['worst']:.0e}"


def _phases(row: dict[str, Any]) -> str:
    if not row["group"].startswith(("cold", "first_step")):
        return ""
    parts = []
    for side in (row["ours"], row["reference"]):
        if side.get("phases"):
            parts.append(" + ".join(f"{name} {_digits(seconds)}" for name, seconds in side["phases"].items()))
    return "; ".join(parts)


def _times(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if value < 9.95 else f"{value:.0f}"


def geometric_means(rows: Sequence[dict[str, Any]]) -> dict[str, tuple[float, int]]:
    """By group of several rows that all have a ratio, the geometric mean of the ratios and their number."""
    means = {}
    for group in dict.fromkeys(row["group"] for row in rows):
        ratios = [row["ratio"] for row in rows if row["group"] == group]
        if len(ratios) > 1 and None not in ratios:
            means[group] = (math.exp(sum(map(math.log, ratios)) / len(ratios)), len(ratios))
    return means


def _machine(report: dict[str, Any]) -> list[str]:
    machine, options = report["machine"], report["options"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    lines = [
        f"- {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB; {machine['system']}",
        f"- Python {machine['python']}; {versions}; commit {machine['commit']}",
        f"- {report['started']} to {report['ended'] or '(not finished)'}; scale {options['scale']}, "
        f"medians of {options['repeats']} processes each",
        f"- load average {report['load']['before']} before, {report['load']['after']} after (with the runs themselves)",
    ]
    if report["sources_changed"]:
        lines.append("- **Regraft's sources changed while measuring: not all rows measure the same code**")
    if {"tensorflow", "tensorflow-cpu"} <= machine["versions"].keys():
        lines.append("- **`tensorflow` is installed over `tensorflow-cpu`: its import loads more than the latter's**")
    busy = [row["others_busy_cores"] for row in report["rows"] if row["others_busy_cores"] is not None]
    if busy:
        noisy = sum(value > 0.1 * machine["cores"] for value in busy)
        lines.append(
            f"- cores kept busy by others while measuring: {sum(busy) / len(busy):.2f} on average, {max(busy):.2f} at "
            f"most" + (f"; **the machine was not quiet in {noisy} of {len(busy)} rows**" if noisy else "")
        )
    return lines


def markdown(report: dict[str, Any]) -> str:
    """The whole report."""
    names = [report["modules"][side] for side in ("ours", "reference")]
    head = ["row", *names, "ratio", "goal", "spread", "agree", *(f"memory, {name}" for name in names), "ratio"]
    toys = ["", "**Scale tiny: the graphs are toys; the titles speak of the full ones.**"]
    lines = [
        f"# {names[0]} and {names[1]}",
        *(toys if report["options"]["scale"] == "tiny" else []),
        "",
        "`ratio` is the second over the first: above 1, the first is faster, or smaller. `spread` is the distance of "
        "the repeats over their median, on the worse side. `agree` is the largest relative difference of results.",
        "",
        *_machine(report),
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
    ]
    notes = []
    for row in report["rows"]:
        phases = _phases(row)
        if phases:
            notes.append(f"- {row['row']} (s): {phases}")
        ours, reference = row["ours"], row["reference"]
        cells = [f"{row['title']} (`{row['row']}`)", _cell(ours), _cell(reference), _times(row["ratio"])]
        cells += [_times(row["goal"]), _spread(row), _agreement(row)]
        cells += [_memory(ours), _memory(reference), _times(row["memory_ratio"])]
        lines.append(f"| {' | '.join(cells)} |")
    means = geometric_means(report["rows"])
    if means:
        lines += ["", "Geometric means of the ratios:", ""]
        lines += [f"- {group}: {mean:.2f} ({count} rows)" for group, (mean, count) in means.items()]
    if notes:
        lines += ["", "Where the time of the cold processes goes, first and second:", "", *notes]
    return "\n".join(lines) + "\n"
