"""Compiled programs on disk, so that the next process need not compile them again.

The folder is `$REGRAFT_CACHE_DIR`, else `$XDG_CACHE_HOME/regraft`, else `~/.cache/regraft`; an empty REGRAFT_CACHE_DIR
turns the cache off. A file is a sha256 of the rest, the seconds that interpreting the step took (a double, nan where
nobody has), then the program as JAX serializes it. Files that do not fit their
checksum are ignored and removed. JAX's format contains pickles: the folder must be as private as the user's home.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import struct
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from regraft.opkit import platforms, threads
from regraft.opkit.arrays import jax

# Beyond this the programs that were used longest ago are removed.
_MOST_BYTES = 4 << 30
_DIGEST = hashlib.sha256().digest_size
_SECONDS = struct.Struct("<d")
# A program is made ready to run at about this pace.
_LOADED_PER_SECOND = 3.5e6


def folder() -> Path | None:
    """Where programs are kept, or None when the cache is turned off."""
    chosen = os.environ.get("REGRAFT_CACHE_DIR")
    if chosen is not None:
        return Path(chosen) if chosen else None
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "regraft"


@cache
def environment() -> bytes:
    """What besides the step decides on the machine code: versions, device, threads, the processor, our own source."""
    parts = [*platforms.description(), f"{threads.of_programs()} threads", _processor(), _source()]
    return hashlib.sha256("\n".join(parts).encode()).digest()


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return next((line for line in text.splitlines() if line.startswith(("flags", "Features"))), platform.machine())


def _source() -> str:
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for part in ("ops", "opkit", "runtime"):
        for path in sorted((root / part).glob("*.py")):
            stat = path.stat()
            digest.update(f"{path.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def is_empty() -> bool:
    """Whether no program at all is kept."""
    base = folder()
    return base is None or next(base.glob("*.xla"), None) is None


def costs(key: bytes) -> tuple[float, float] | None:
    """The seconds that interpreting a step took (nan if unknown), and that loading its program takes; None without one.

    This loads no JAX, which takes time besides.
    """
    path = _path(key)
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            file.seek(_DIGEST)
            (seconds,) = _SECONDS.unpack(file.read(_SECONDS.size))
            return float(seconds), os.fstat(file.fileno()).st_size / _LOADED_PER_SECOND
    except (OSError, struct.error):
        return None


def load(key: bytes) -> Any:
    """The program kept under `key`, ready to be called, or None."""
    path = _path(key)
    if path is None:
        return None
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
        path.unlink(missing_ok=True)
        return None
    from jax.experimental.serialize_executable import deserialize_and_load

    try:
        program = deserialize_and_load(*pickle.loads(data[_DIGEST + _SECONDS.size :]))
    except (jax.errors.JaxRuntimeError, ValueError, TypeError, pickle.UnpicklingError):
        # Written by a JAX or for a machine that the key does not tell apart: compile again.
        path.unlink(missing_ok=True)
        return None
    os.utime(path)
    return program


def store(key: bytes, program: Any, seconds: float) -> None:
    """Keep a compiled program whose step takes so many `seconds` to interpret, nan if nobody knows.

    What cannot be serialized or written is not kept, and nobody is told.
    """
    path = _path(key)
    if path is None:
        return
    from jax.experimental.serialize_executable import serialize

    try:
        data = _SECONDS.pack(seconds) + pickle.dumps(serialize(program))
    except (jax.errors.JaxRuntimeError, ValueError, TypeError, pickle.PicklingError):
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(data).digest())
            file.write(data)
        os.replace(name, path)
        _trim(path.parent)
    except OSError:
        return


def _path(key: bytes) -> Path | None:
    base = folder()
    return None if base is None else base / f"{hashlib.sha256(environment() + key).hexdigest()}.xla"


def _trim(base: Path) -> None:
    files = sorted(((p.stat().st_mtime, p.stat().st_size, p) for p in base.glob("*.xla")), reverse=True)
    total = 0
    for _, size, path in files:
        total += size
        if total > _MOST_BYTES:
            path.unlink(missing_ok=True)
