"""The `checkpoint` file of a training folder: which checkpoints there are, and which is the newest.

A CheckpointState message in text form. Paths in it may be relative, to the folder that the file is in.
"""

import logging
import os
from collections.abc import Sequence

from regraft import proto
from regraft.base.errors import OpError
from regraft.checkpoint import files

_log = logging.getLogger("regraft")

DEFAULT_NAME = "checkpoint"


def state_path(folder: files.PathLike, latest_filename: str | None = None) -> str:
    return os.path.join(files.as_text(folder), latest_filename or DEFAULT_NAME)


def get_checkpoint_state(
    checkpoint_dir: files.PathLike, latest_filename: str | None = None
) -> proto.CheckpointState | None:
    """The content of the state file, relative paths joined to the folder.

    None, with a warning in the log, if it cannot be read; None if it is not there.

    raises   ValueError if it names no checkpoint
    """
    folder = os.fsdecode(checkpoint_dir)
    path = state_path(folder, latest_filename)
    if not files.exists(path):
        return None
    try:
        state = proto.parse_text(files.read_bytes(path).decode(), proto.CheckpointState)
    except (OpError, proto.ParseError, UnicodeDecodeError) as e:
        _log.warning("%s: %s", type(e).__name__, e)
        _log.warning("%s: Checkpoint ignored", path)
        return None
    if not state.model_checkpoint_path:
        raise ValueError(f"Invalid checkpoint state loaded from {folder}: {path} has no model_checkpoint_path")
    state.model_checkpoint_path = _absolute(folder, state.model_checkpoint_path)
    every = [_absolute(folder, path) for path in state.all_model_checkpoint_paths]
    del state.all_model_checkpoint_paths[:]
    state.all_model_checkpoint_paths.extend(every)
    return state


def _absolute(folder: str, path: str) -> str:
    return path if os.path.isabs(path) or "://" in path else os.path.join(folder, path)


def _relative(folder: str, path: str) -> str:
    return path if os.path.isabs(path) or files.is_remote(path) else os.path.relpath(path, folder)


def generate_checkpoint_state_proto(
    save_dir: files.PathLike,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: list[str] | None = None,
    all_model_checkpoint_timestamps: Sequence[float] | None = None,
    last_preserved_timestamp: float | None = None,
) -> proto.CheckpointState:
    """The state in which `model_checkpoint_path` is the newest checkpoint; a relative path is made so to `save_dir`.

    all_model_checkpoint_paths  oldest first; the newest is appended to this very list if it is not its last, as in
                                TensorFlow
    raises   ValueError if there are timestamps, but not one for each path
    """
    folder = os.fsdecode(save_dir)  # below file://, paths become relative, as in TensorFlow
    every = [] if all_model_checkpoint_paths is None else all_model_checkpoint_paths
    if not every or every[-1] != model_checkpoint_path:
        _log.info("%s is not in all_model_checkpoint_paths. Manually adding it.", model_checkpoint_path)
        every.append(model_checkpoint_path)
    if all_model_checkpoint_timestamps and len(all_model_checkpoint_timestamps) != len(every):
        raise ValueError(
            "Checkpoint timestamps, if provided, must match checkpoint paths"
            f" (got paths {every} and timestamps {all_model_checkpoint_timestamps})"
        )
    paths = every
    if not os.path.isabs(folder) and not files.is_remote(folder):
        model_checkpoint_path = _relative(folder, model_checkpoint_path)
        paths = [_relative(folder, path) for path in every]
    return proto.CheckpointState(
        model_checkpoint_path=model_checkpoint_path,
        all_model_checkpoint_paths=paths,
        all_model_checkpoint_timestamps=all_model_checkpoint_timestamps,
        last_preserved_timestamp=last_preserved_timestamp,
    )


def update_checkpoint_state(
    save_dir: files.PathLike,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: list[str] | None = None,
    latest_filename: str | None = None,
    all_model_checkpoint_timestamps: Sequence[float] | None = None,
    last_preserved_timestamp: float | None = None,
    save_relative_paths: bool = False,
) -> None:
    """Replace the state file.

    save_relative_paths  write paths relative to the folder, so that it may be moved
    raises   RuntimeError if the checkpoint has the state file's own path
    """
    folder = os.fsdecode(save_dir)
    path = state_path(folder, latest_filename)
    if save_relative_paths:
        newest = _below(folder, model_checkpoint_path)
        every: list[str] | None = [_below(folder, item) for item in all_model_checkpoint_paths or []]
    else:
        newest, every = model_checkpoint_path, all_model_checkpoint_paths
    state = generate_checkpoint_state_proto(
        folder, newest, every, all_model_checkpoint_timestamps, last_preserved_timestamp
    )
    if path == state.model_checkpoint_path:
        raise RuntimeError(
            f"Save path '{model_checkpoint_path}' conflicts with path used for checkpoint state."
            "  Please use a different save path."
        )
    files.write_bytes(path, proto.to_text(state).encode())


def _below(folder: str, path: str) -> str:
    return os.path.relpath(path, folder) if os.path.isabs(path) else path
