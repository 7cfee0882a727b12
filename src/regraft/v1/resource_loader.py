"""tf.resource_loader: files that lie beside the program that asks."""

from __future__ import annotations

import os
import sys

from regraft.checkpoint import files

__all__ = [
    "get_data_files_path",
    "get_path_to_datafile",
    "get_root_dir_with_all_resources",
    "load_resource",
    "readahead_file_path",
]


def _folder_of_caller() -> str:
    """The folder of the file that called our caller."""
    return os.path.dirname(os.path.abspath(sys._getframe(2).f_code.co_filename))


def get_data_files_path() -> str:
    """The folder of the file that asks."""
    return _folder_of_caller()


def get_root_dir_with_all_resources() -> str:
    """The folder of the file that asks."""
    return _folder_of_caller()


def get_path_to_datafile(path: str) -> str:
    """A path below the folder of the file that asks."""
    return os.path.join(_folder_of_caller(), path)


def load_resource(path: str) -> bytes:
    """The bytes of a file, named below the folder of the file that asks. NotFoundError where there is none."""
    return files.read_bytes(os.path.join(_folder_of_caller(), path))


def readahead_file_path(path: str, readahead: str = "128M") -> str:
    """The path itself: files are read as the system likes."""
    return path
