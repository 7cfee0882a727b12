"""What every file of the repository keeps to, whatever its subject."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from regraft.ir import op_def

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
PYTHON = sorted(path for folder in ("src", "tests", "tools", "bench") for path in (ROOT / folder).rglob("*.py"))

# Neither the pattern nor its examples may match as they stand here, hence the brackets and the broken strings.
MACHINE = re.compile(
    rb"(?<![\w.])/(?:root|work)/"
    rb"|[/]tmp/venv"
    rb"|(?:index|extra-index)[-]url"
    rb"|\b(?:pypi[.]org|pythonhosted[.]org|test[.]pypi)\b"
)


def test_there_are_files_to_check() -> None:
    assert ROOT / "src/regraft/__init__.py" in SOURCES
    assert Path(__file__) in PYTHON


def test_no_file_is_two_subjects() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in PYTHON}
    assert {path: length for path, length in lengths.items() if length > 600} == {}


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    names = [path for path in PYTHON if {path.stem.strip("_"), path.parent.name.strip("_")} & drawers]
    assert names == []


def test_private_parts_of_jax_are_not_named() -> None:
    private = re.compile(r"\bjax[.]_src\b")
    assert [path for path in PYTHON if private.search(path.read_text())] == []


def test_nothing_names_the_machine_it_was_made_on() -> None:
    """No path of a developer's machine and no package index, in any tracked file, binary ones included."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert files
    found = {
        str(path.relative_to(ROOT)): match[0]
        for path in files
        if path.is_file() and (match := MACHINE.search(path.read_bytes()))
    }
    assert found == {}


@pytest.mark.parametrize(
    "text", [b'open("/' + b'root/x")', b"path: /" + b"work/y", b"--index" + b"-url z", b"https://pypi" + b".org/simple"]
)
def test_the_pattern_for_machines_finds_them(text: bytes) -> None:
    assert MACHINE.search(text)


def test_runtime_names_no_op() -> None:
    """The executor acts on kinds and effects; a string that is an op's name has no business there."""
    ops = set(op_def.names())
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value!r}"
        for path in sorted((ROOT / "src/regraft/runtime").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ops
    ]
    assert found == []
