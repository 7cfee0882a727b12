"""Files read, written and looked for when a graph runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import NotFoundError
from regraft.checkpoint import files as storage
from regraft.opkit.input_files import located, missing
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import no_outputs, scalar, vector


@op("ReadFile", shape=scalar, runs=Runs.HOST, session=True)
def read_file(filename: Any, *, session: Any) -> Any:
    """The content of a file. NotFoundError if there is none."""
    path = storage.as_text(filename[()])
    try:
        return np.array(storage.read_bytes(located(session, path)), object)
    except NotFoundError as e:
        raise missing(path, "feed the tensor that holds the name, or the output of the op that reads it") from e


@op("WriteFile", shape=no_outputs, runs=Runs.HOST, pure=False)
def write_file(filename: Any, contents: Any) -> None:
    """Write a file, all or nothing, and the folders above it that are missing."""
    path = storage.as_text(filename[()])
    storage.make_folders(storage.folder_of(path))
    storage.write_bytes(path, contents[()])


@op("MatchingFiles", shape=vector, runs=Runs.HOST, pure=False)
def matching_files(pattern: Any) -> Any:
    """The names of the files that match one pattern, or any of a vector of patterns, sorted. Relative ones start with
    "./", as TensorFlow's do."""
    found: set[str] = set()
    for one in pattern.reshape(-1).tolist():
        text = storage.as_text(one)
        relative = not storage.is_remote(text) and not storage.folder_of(text)
        found.update(f"./{name}" if relative else name for name in storage.matching(text))
    return np.array(sorted(name.encode() for name in found), object).reshape(-1)
