"""The report as Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from bench import limits

_LIBRARIES = ("ours", "reference", "openvino")
_COMPARED = (
    "`ratio` is the second over the first: above 1, the first is faster, or smaller. `spread` is the distance of the "
    "repeats over their median, on the worse side. `agree` is the largest relative difference of results. OpenVINO "
    "stands there for information, its time over the first in brackets."
)
_WORK = (
    "`work` is the arithmetic of matrix products and convolutions alone, a multiplication and an addition being two; "
    "where files are restored or saved, the bytes of the variables. The limit is the machine's measured matrix "
    "product, a card's data sheet, or for bytes the bare work: reading, checking and copying them once, or copying, "
    "checking and writing them, on all cores; the best of its processes."
)


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale or unit == "µs":
            return f"{_digits(seconds / scale)} {unit}"
    raise AssertionError


def quantity(amount: float, unit: str) -> str:
    """Three digits of so many `B`, `FLOP/s` and the like."""
    for prefix, scale in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if amount >= scale or prefix == "M":
            return f"{_digits(amount / scale)} {prefix}{unit}"
    raise AssertionError


def _digits(value: float) -> str:
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}" if 0 < value < 100 else f"{value:.0f}"


def _cell(side: dict[str, Any] | None) -> str:
    if side is None:
        return ""
    return "error" if side["error"] else duration(side["median_s"])


def _peer(row: dict[str, Any]) -> str:
    """The time of the library that is there for information, and that over ours."""
    side = row.get("openvino")
    if side is None or side["error"]:
        return _cell(side)
    if side["agreement"] and side["agreement"]["difference"]:
        return "**differs**"
    return f"{_cell(side)} ({_times(side['median_s'] / row['ours']['median_s'])})" if _ran(row["ours"]) else _cell(side)


def _ran(side: dict[str, Any] | None) -> bool:
    return side is not None and "median_s" in side and not side["error"]


def _memory(side: dict[str, Any]) -> str:
    if "median_peak" not in side:
        return ""
    own = side["median_device_peak"]
    return f"{side['median_peak'] / 1e6:.0f} MB" + (f" and {own / 1e6:.0f} MB on the device" if own else "")


def _spread(row: dict[str, Any]) -> str:
    """How far apart the repeats lie, of the library where it is worse."""
    apart = []
    for part in ("ours", "reference"):
        seconds = row.get(part, {}).get("seconds", [])
        if len(seconds) > 1:
            apart.append((max(seconds) - min(seconds)) / row[part]["median_s"])
    return f"{max(apart):.0%}" if apart else ""


def _agreement(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    if found["difference"]:
        return "**differs**"
    return "equal" if not found["worst"] else f"{found['worst']:.0e}"


def _phases(row: dict[str, Any]) -> str:
    if not row["group"].startswith(("cold", "first_step")):
        return ""
    parts = []
    for part in ("ours", "reference"):
        phases = row.get(part, {}).get("phases", {})
        if phases:
            parts.append(" + ".join(f"{name} {_digits(seconds)}" for name, seconds in phases.items()))
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


def _cards(report: dict[str, Any]) -> list[str]:
    """What is known of the devices that Regraft ran on, the processors left out."""
    found = []
    for kind in sorted({row["ours"]["device_kind"] for row in report["rows"]} - {"", "cpu"}):
        card = limits.card(kind)
        words = "no data sheet in bench/limits.py"
        if card:
            words = f"{quantity(card.tf32, 'FLOP/s')} in TF32, " if card.tf32 else ""
            words += f"{quantity(card.fp32, 'FLOP/s')} in float32, memory {quantity(card.copied, 'B/s')} ({card.sheet})"
        found.append(f"{kind}: {words}")
    return found


def _machine(report: dict[str, Any]) -> list[str]:
    machine, options, measured = report["machine"], report["options"], report["limits"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    repeats = sorted({row["repeats"] for row in report["rows"]}) or [0]
    lines = [
        f"- {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB; {machine['system']}",
        f"- Python {machine['python']}; {versions}; commit {machine['commit']}",
        f"- measured limits: a float32 matrix product {quantity(measured['flops'], 'FLOP/s')}, a copy of memory "
        f"{quantity(measured['copied'], 'B/s')} (bytes read and bytes written)",
        f"- {report['started']} to {report['ended'] or '(not finished)'}; scale {options['scale']}, "
        f"medians of {' to '.join(map(str, sorted({repeats[0], repeats[-1]})))} processes each",
        f"- load average {report['load']['before']} before, {report['load']['after']} after (with the runs themselves)",
        *(f"- {words}" for words in _cards(report)),
        *(f"- {note}" for note in report["notes"]),
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


def _markup(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]


def failed(row: dict[str, Any]) -> bool:
    """Whether one of the two libraries failed in a row, or they disagree."""
    sides = [row[part] for part in ("ours", "reference") if part in row]
    return any(side["error"] or (side["agreement"] or {}).get("difference") for side in sides)


def _times_table(report: dict[str, Any]) -> list[str]:
    """Every row: times and memory."""
    names = report["modules"]
    compared, informed = "reference" in names, any("openvino" in row for row in report["rows"])
    first = [names[part] for part in ("ours", "reference") if part in names]
    head = ["row", *first]
    head += ["ratio", "goal", "spread", "agree"] if compared else ["spread"]
    head += ["OpenVINO"] if informed else []
    head += [*(f"memory, {name}" for name in first), *(["ratio"] if compared else [])]
    body = []
    for row in report["rows"]:
        cells = [f"{row['title']} (`{row['row']}`)", _cell(row["ours"])]
        if compared:
            cells += [_cell(row["reference"]), _times(row["ratio"]), _times(row["goal"])]
        cells.append(_spread(row))
        if compared:
            cells.append(_agreement(row["ours"]["agreement"]))
        if informed:
            cells.append(_peer(row))
        cells += [_memory(row[part]) for part in ("ours", "reference") if part in names]
        if compared:
            cells.append(_times(row["memory_ratio"]))
        body.append(cells)
    return _markup(head, body)


def _limit(report: dict[str, Any], row: dict[str, Any]) -> tuple[float, str] | None:
    """The most of the row's work that can be done in a second, and what says so."""
    if row["work"]["unit"] == "B":
        return (row["work"]["amount"] / min(row["bare"]["seconds"]), "bare work") if _ran(row.get("bare")) else None
    if report["options"]["limit"]:
        return report["options"]["limit"], "as given"
    if row["ours"]["device"] == "cpu":
        return report["limits"]["flops"], "matrix product"
    card = limits.card(row["ours"]["device_kind"])
    return (card.flops, "data sheet") if card else None


def _work_table(report: dict[str, Any]) -> list[str]:
    """The rows whose work is known: how much of it each library does in a second, and Regraft's share of the limit."""
    rows = [row for row in report["rows"] if row["work"] and any(_ran(row.get(part)) for part in _LIBRARIES)]
    if not rows:
        return []
    there = [part for part in _LIBRARIES if any(_ran(row.get(part)) for row in rows)]
    names = report["modules"]
    body = []
    for row in rows:
        amount, unit = row["work"]["amount"], row["work"]["unit"]
        rates = {part: amount / row[part]["median_s"] for part in there if _ran(row.get(part))}
        limit = _limit(report, row)
        cells = [f"`{row['row']}`", quantity(amount, unit)]
        cells += [quantity(rates[part], f"{unit}/s") if part in rates else "" for part in there]
        cells += [f"{quantity(limit[0], f'{unit}/s')}, {limit[1]}" if limit else ""]
        cells += [f"{rates['ours'] / limit[0]:.0%}" if limit and "ours" in rates else ""]
        body.append(cells)
    head = ["row", "work", *(names[part] for part in there), "limit", f"{names['ours']}, of the limit"]
    return ["", "## Work and limits", "", _WORK, "", *_markup(head, body)]


def _failures(report: dict[str, Any]) -> list[str]:
    found = []
    for row in report["rows"]:
        for part, name in report["modules"].items():
            side = row.get(part, {})
            what, words = "fails", side.get("error")
            if not words:
                what, words = "differs", (side.get("agreement") or {}).get("difference")
            if words:
                found.append(f"- {row['row']}: {name} {what}: `{' '.join(words.replace('`', chr(39)).split())}`")
    return ["", "## What failed or differs", "", *found] if found else []


def markdown(report: dict[str, Any]) -> str:
    """The whole report."""
    names = [report["modules"][part] for part in ("ours", "reference") if part in report["modules"]]
    lines = [f"# {' and '.join(names)}", ""]
    if report["options"]["scale"] == "tiny":
        lines += ["**Scale tiny: the graphs are toys; the titles speak of the full ones.**", ""]
    if len(names) == 2:
        lines += [_COMPARED, ""]
    lines += [*_machine(report), "", *_times_table(report)]
    means = geometric_means(report["rows"])
    if means:
        lines += ["", "Geometric means of the ratios:", ""]
        lines += [f"- {group}: {mean:.2f} ({count} rows)" for group, (mean, count) in means.items()]
    lines += [*_work_table(report), *_failures(report)]
    notes = [f"- {row['row']} (s): {phases}" for row in report["rows"] if (phases := _phases(row))]
    if notes:
        lines += ["", f"## Where the time of the cold processes goes, {' and then '.join(names)}", "", *notes]
    return "\n".join(lines) + "\n"
