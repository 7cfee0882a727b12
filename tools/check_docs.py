"""Check the Markdown files: relative links lead somewhere, Python blocks parse, headings that links name exist.

    python tools/check_docs.py

Exit status 1, with a line for each fault, if anything is wrong.
"""

import ast
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^ *```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def pages() -> list[Path]:
    """Return the Markdown files that git tracks."""
    names = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in names.stdout.split("\n") if name]


def anchor(heading: str) -> str:
    """Return the anchor under which a heading can be linked."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {anchor(heading) for heading in HEADING.findall(FENCE.sub("", page.read_text()))}


def link_faults(page: Path, prose: str) -> Iterator[str]:
    for target in LINK.findall(prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        linked = page.parent / path if path else page
        if not linked.exists():
            yield f"link to {target}: there is no such file"
        elif fragment and fragment not in anchors(linked):
            yield f"link to {target}: {linked.name} has no such heading"


def code_faults(text: str) -> Iterator[str]:
    for block in FENCE.finditer(text):
        if block["language"] not in ("python", "py"):
            continue
        try:
            ast.parse(textwrap.dedent(block["code"]))
        except SyntaxError as error:
            line = text[: block.start("code")].count("\n") + (error.lineno or 1)
            yield f"line {line}: Python block does not parse: {error.msg}"


def faults() -> Iterator[str]:
    """Yield each fault as `file: what is wrong`."""
    for page in pages():
        text = page.read_text()
        for fault in [*link_faults(page, FENCE.sub("", text)), *code_faults(text)]:
            yield f"{page.relative_to(ROOT)}: {fault}"


def main() -> int:
    found = list(faults())
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
