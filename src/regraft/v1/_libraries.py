"""tf.load_op_library and its kin: kernels written in C++, which Regraft has no use for."""

from __future__ import annotations

from typing import Any, NoReturn

from regraft.base.errors import NotFoundError, UnimplementedError
from regraft.checkpoint import files


def _refuse(filename: Any, what: str) -> NoReturn:
    path = files.as_text(filename)
    if not files.exists(path):
        raise NotFoundError(f"{path}: cannot open shared object file: No such file or directory")
    raise UnimplementedError(
        f"{path} holds {what} for TensorFlow's runtime, which Regraft does not have",
        hint="write the op's kernel in NumPy or JAX, and register it with @regraft.register_op; "
        "regraft.register_op_def gives it a signature",
    )


def load_op_library(library_filename: Any) -> NoReturn:
    """NotFoundError for a file that is not there, UnimplementedError for one that is."""
    _refuse(library_filename, "kernels")


def load_library(library_location: Any) -> NoReturn:
    """NotFoundError for a file that is not there, UnimplementedError for one that is."""
    _refuse(library_location, "kernels")


def load_file_system_library(library_filename: Any) -> NoReturn:
    """NotFoundError for a file that is not there, UnimplementedError for one that is: fsspec brings file systems."""
    _refuse(library_filename, "a file system")
