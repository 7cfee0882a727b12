"""The command line: `python -m bench [run|list|write|table|plot]`; README.md explains."""

from __future__ import annotations

import argparse
import datetime
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import machine, models, plot, table
from bench.harness import Options, Side, measure, spawn
from bench.rows import Row, pick, rows

RESULTS = models.ROOT / "bench" / "results"


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _label(module: str) -> str:
    return {"regraft": "Regraft", "tensorflow": "TensorFlow"}.get(module.partition(".")[0], module)


def _save(report: dict[str, Any], stem: Path) -> None:
    stem.parent.mkdir(parents=True, exist_ok=True)
    for suffix, text in ((".json", json.dumps(report, indent=1) + "\n"), (".md", table.markdown(report))):
        path = stem.with_name(stem.name + suffix)
        beside = path.with_name(f"{path.name}.tmp")
        beside.write_text(text)
        beside.replace(path)


def _warm(options: Options, scratch: Path) -> None:
    """Load each library once, so that no measurement pays for byte code or a cold page cache."""
    for number, module in enumerate(options.modules):
        spawn(Side(module), "importing", None, {}, scratch / str(number), scratch / "programs", options)


def run(picked: Sequence[Row], options: Options, scale: str, cache: Path, stem: Path) -> dict[str, Any]:
    """Measure the rows and give the report, which is on disk after each row."""
    written = models.ensure(cache, scale, dict.fromkeys(row.model for row in picked if row.model))
    before, sources = machine.load(), machine.sources()
    _say(f"load average before: {before}, {machine.cores()} cores")
    if before[0] > 0.1 * machine.cores():
        _say("  the machine is not quiet: others' work shows in the numbers")
    report: dict[str, Any] = {
        "modules": dict(zip(("ours", "reference"), map(_label, options.modules), strict=True)),
        "machine": machine.describe(),
        "options": {"scale": scale, "repeats": options.repeats, "platform": options.platform},
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
    report["ended"] = _now()
    _save(report, stem)
    _say(f"load average after: {report['load']['after']}")
    return report


def _newest() -> Path:
    found = sorted(RESULTS.glob("*.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise SystemExit(f"there is no report in {RESULTS}; run `python -m bench` first")
    return found[-1]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Regraft and TensorFlow side by side.")
    commands = parser.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--rows", nargs="+", default=[], metavar="ROW", help="names, groups or patterns; see `list`")
    common.add_argument("--scale", choices=sorted(models.SCALES), default="full", help="tiny is for trying things out")
    common.add_argument("--cache", type=Path, default=models.CACHE, help="where the written models are kept")
    running = commands.add_parser("run", parents=[common], help="measure (the default)")
    running.add_argument("--repeats", type=int, default=5, help="processes of each library for each row")
    running.add_argument("--name", help="of the report; the date by default")
    running.add_argument("--out", type=Path, default=RESULTS, help="folder of the report")
    running.add_argument("--timeout", type=float, default=600.0, help="seconds for one process")
    running.add_argument("--ours", default="regraft.v1", help="module that is measured")
    running.add_argument("--reference", default="tensorflow.compat.v1", help="module that it is compared with")
    running.add_argument("--platform", default="", help="JAX_PLATFORMS of the measured processes, such as cpu")
    commands.add_parser("list", parents=[common], help="the names of the rows")
    commands.add_parser("write", parents=[common], help="write the models of the rows, measure nothing")
    for name, words in (("table", "print a report as Markdown"), ("plot", "draw how cost grows with size")):
        command = commands.add_parser(name, help=words)
        command.add_argument("report", type=Path, nargs="?", help="a .json report; the newest by default")
    return parser


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
            print(*plot.write(report, path.with_suffix("")), sep="\n")
        return 0
    try:
        picked = pick(rows(args.scale), args.rows)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    if args.command == "list":
        for row in rows(args.scale) if not args.rows else picked:
            print(f"{row.name:28} {row.title}{'' if row.default else '  (only when picked)'}")
        return 0
    if args.command == "write":
        for name, one in models.ensure(
            args.cache, args.scale, dict.fromkeys(r.model for r in picked if r.model)
        ).items():
            print(f"{name:16} {one.folder}")
        return 0
    args.cache.mkdir(parents=True, exist_ok=True)
    importing = [
        module.partition(".")[0] if module.startswith("tensorflow.") else module
        for module in (args.ours, args.reference)
    ]
    options = Options(
        (args.ours, args.reference), (importing[0], importing[1]), args.repeats, args.timeout, args.cache, args.platform
    )
    name = args.name or time.strftime("%Y-%m-%d-%H%M", time.gmtime())
    report = run(picked, options, args.scale, args.cache, args.out / name)
    print(table.markdown(report), end="")
    bad = [
        r
        for r in report["rows"]
        if r["ours"]["error"] or r["reference"]["error"] or (r["agreement"] or {}).get("difference")
    ]
    return 1 if bad else 0


def _ended(number: int, frame: object) -> None:
    """End as after Control-C: the running process is stopped and working files go away."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _ended)
    sys.exit(main())
