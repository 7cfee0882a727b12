"""The command line: `python -m bench [run|list|write|table|plot]`; README.md explains."""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import limits, machine, models, plot, table
from bench.harness import PEERS, Options, Side, environment, measure, spawn
from bench.rows import Row, pick, rows

RESULTS = models.ROOT / "bench" / "results"


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _label(module: str) -> str:
    names = {"regraft": "Regraft", "tensorflow": "TensorFlow", "openvino": "OpenVINO", PEERS["bare"]: "the bare work"}
    return names.get(module.partition(".")[0], module)


def _save(report: dict[str, Any], stem: Path) -> None:
    stem.parent.mkdir(parents=True, exist_ok=True)
    for suffix, text in ((".json", json.dumps(report, indent=1) + "\n"), (".md", table.markdown(report))):
        path = stem.with_name(stem.name + suffix)
        beside = path.with_name(f"{path.name}.tmp")
        beside.write_text(text)
        beside.replace(path)


def _warm(options: Options, scratch: Path) -> None:
    """Load each library once, so that no measurement pays for byte code or a cold page cache."""
    for part, module in options.importing.items():
        spawn(Side(module), "importing", None, {}, scratch / part, scratch / "programs", options)


def run(picked: Sequence[Row], options: Options, limit: float | None, stem: Path) -> dict[str, Any]:
    """Measure the rows and give the report, which is on disk after each row."""
    scale = options.scale
    written = models.ensure(options.scratch, scale, dict.fromkeys(row.model for row in picked if row.model))
    notes = []
    if "reference" in options.modules and "openvino" not in options.modules:
        notes.append("OpenVINO is not installed: no row has it")
    before, sources = machine.load(), machine.sources()
    plain = environment(options.scratch, options.platform)
    _say(f"load average before: {before}, {machine.cores()} cores")
    if before[0] > 0.1 * machine.cores():
        _say("  the machine is not quiet: others' work shows in the numbers")
    report: dict[str, Any] = {
        "modules": {part: _label(module) for part, module in options.modules.items()},
        "machine": machine.describe(),
        "limits": limits.measure(plain, scale),
        "notes": notes,
        "options": {"scale": scale, "repeats": options.repeats, "platform": options.platform, "limit": limit},
        "started": _now(),
        "ended": None,
        "sources_changed": False,
        "load": {"before": before, "after": None},
        "rows": [],
    }
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="regraft-bench-") as scratch:
        _warm(options, Path(scratch))
    for row in picked:
        begin = time.monotonic()
        result = measure(row, written[row.model] if row.model else None, options, _say)
        result["took_s"] = round(time.monotonic() - begin, 1)
        report["rows"].append(result)
        report["load"]["after"] = machine.load()
        report["sources_changed"] = machine.sources() != sources
        _save(report, stem)
    after = limits.measure(plain, scale)
    report["limits"] = {name: max(value, after[name]) for name, value in report["limits"].items()}
    report["ended"] = _now()
    _save(report, stem)
    _say(f"load average after: {report['load']['after']}")
    return report


def _reports() -> list[tuple[Path, Any]]:
    """The kept reports and their files, the newest first; a checkout does not keep the times of files."""
    found = [(path, json.loads(path.read_text())) for path in RESULTS.glob("*.json")]
    return sorted(found, key=lambda pair: pair[1]["started"], reverse=True)


def _newest() -> Path:
    found = _reports()
    if not found:
        raise SystemExit(f"there is no report in {RESULTS}; run `python -m bench` first")
    return found[0][0]


def _took() -> dict[str, float]:
    """Seconds that one repeat of a row took at full scale, by the newest report that has the row."""
    found: dict[str, float] = {}
    for _, report in _reports():
        for row in report["rows"] if report["options"]["scale"] == "full" else ():
            repeats = row.get("repeats") or report["options"]["repeats"]
            found.setdefault(row["row"], row["took_s"] / repeats)
    return found


def _list(picked: Sequence[Row], repeats: int | None) -> None:
    """Print the rows, and the minutes that they took in kept reports."""
    took = _took()
    total, unknown = 0.0, 0
    for row in picked:
        times = repeats or row.repeats
        seconds = took.get(row.name)
        total, unknown = total + (seconds or 0.0) * times, unknown + (seconds is None)
        minutes = "     ?" if seconds is None else f"{seconds * times / 60:6.1f}"
        rest = f"{row.title}{'' if row.default else '  (only when picked)'}"
        print(f"{row.name:28} {times} repeats, {minutes} min  {rest}")
    print(f"{total / 60:.0f} minutes at full scale, as kept reports have it; {unknown} rows are in none")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Regraft and TensorFlow side by side.")
    commands = parser.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--rows", nargs="+", default=[], metavar="ROW", help="names, groups or patterns; see `list`")
    common.add_argument("--scale", choices=sorted(models.SCALES), default="full", help="tiny is for trying things out")
    common.add_argument("--cache", type=Path, default=models.CACHE, help="where the written models are kept")
    repeating = argparse.ArgumentParser(add_help=False)
    repeating.add_argument("--repeats", type=int, help="processes of each library for each row; 5, or 3 of costly rows")
    running = commands.add_parser("run", parents=[common, repeating], help="measure (the default)")
    running.add_argument("--name", help="of the report; the date by default")
    running.add_argument("--out", type=Path, default=RESULTS, help="folder of the report")
    running.add_argument("--timeout", type=float, default=600.0, help="seconds for one process")
    running.add_argument("--ours", default="regraft.v1", help="module that is measured")
    running.add_argument("--reference", default="tensorflow.compat.v1", help="module that it is compared with")
    running.add_argument("--alone", action="store_true", help="compare with nothing: Regraft and its limits only")
    running.add_argument("--platform", default="", help="JAX_PLATFORMS of the measured processes, such as cpu")
    running.add_argument("--limit", type=float, metavar="TFLOPS", help="of a device that bench/limits.py does not know")
    commands.add_parser("list", parents=[common, repeating], help="the names of the rows and what they cost")
    commands.add_parser("write", parents=[common], help="write the models of the rows, measure nothing")
    for name, words in (("table", "print a report as Markdown"), ("plot", "draw how cost grows with size")):
        command = commands.add_parser(name, help=words)
        command.add_argument("report", type=Path, nargs="?", help="a .json report; the newest by default")
        if name == "plot":
            command.add_argument("--out", type=Path, help="folder of the files; that of the report by default")
    return parser


def _options(args: argparse.Namespace) -> Options:
    """What the arguments of `run` say."""
    modules = {"ours": args.ours}
    if not args.alone:
        modules["reference"] = args.reference
        if importlib.util.find_spec(PEERS["openvino"]) is not None:
            modules["openvino"] = PEERS["openvino"]
    modules["bare"] = PEERS["bare"]
    importing = {
        part: module.partition(".")[0] if module.startswith("tensorflow.") else module
        for part, module in modules.items()
        if part not in PEERS
    }
    return Options(modules, importing, args.repeats, args.timeout, args.cache, args.platform, args.scale)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 if a row failed or the libraries disagree."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words.insert(0, "run")
    args = _parser().parse_args(words)
    if args.command in ("table", "plot"):
        path = args.report or _newest()
        report = json.loads(path.read_text())
        if args.command == "table":
            print(table.markdown(report), end="")
        else:
            print(*plot.write(report, (args.out or path.parent) / path.stem), sep="\n")
        return 0
    try:
        picked = pick(rows(args.scale), args.rows)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    if args.command == "list":
        _list(picked if args.rows else rows(args.scale), args.repeats)
        return 0
    args.cache.mkdir(parents=True, exist_ok=True)
    if args.command == "write":
        wanted = dict.fromkeys(row.model for row in picked if row.model)
        for name, one in models.ensure(args.cache, args.scale, wanted).items():
            print(f"{name:16} {one.folder}")
        return 0
    name = args.name or time.strftime("%Y-%m-%d-%H%M", time.gmtime())
    limit = args.limit * 1e12 if args.limit else None
    report = run(picked, _options(args), limit, args.out / name)
    print(table.markdown(report), end="")
    return 1 if any(table.failed(row) for row in report["rows"]) else 0


def _ended(number: int, frame: object) -> None:
    """End as after Control-C: the running process is stopped and working files go away."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _ended)
    sys.exit(main())
