"""The files of a training folder: the newest checkpoint, whether one exists, how old it is, how to remove it."""

import glob
import logging
import os
import re
from collections.abc import Iterable

from regraft import proto
from regraft.base.errors import NotFoundError
from regraft.checkpoint import bundle, files
from regraft.checkpoint.arrays import Array
from regraft.checkpoint.reader import CheckpointReader, open_checkpoint
from regraft.checkpoint.state import get_checkpoint_state

_log = logging.getLogger("regraft")

_SHARD_SUFFIX = re.compile(r"-[\d?]+-of-\d+$")


def meta_graph_filename(checkpoint_filename: str, meta_graph_suffix: str = "meta") -> str:
    """The .meta file beside a checkpoint; the shard pattern of a V1 path is left out."""
    return f"{_SHARD_SUFFIX.sub('', checkpoint_filename)}.{meta_graph_suffix}"


def _files_of(prefix: str) -> list[str]:
    """The file that shows that a checkpoint exists: its index (V2), else its own files (V1)."""
    index = bundle.index_path(prefix)
    if files.exists(index):
        return [index]
    if files.exists(prefix) and not files.is_folder(prefix):
        return [prefix]
    return files.matching(index) or [path for path in files.matching(prefix) if not files.is_folder(path)]


def checkpoint_exists(checkpoint_prefix: files.PathLike) -> bool:
    """Whether there is a checkpoint of this prefix, of either format; V1 prefixes may be patterns."""
    return bool(_files_of(files.as_text(checkpoint_prefix)))


def latest_checkpoint(checkpoint_dir: files.PathLike, latest_filename: str | None = None) -> str | None:
    """The prefix of the newest checkpoint by the folder's state file; None if there is none, or its files are gone."""
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None:
        return None
    if checkpoint_exists(state.model_checkpoint_path):
        return state.model_checkpoint_path
    _log.error("Couldn't match files for checkpoint %s", state.model_checkpoint_path)
    return None


def find_checkpoint(path: files.PathLike) -> str | None:
    """The prefix of the checkpoint that `path` means, None if there is none.

    path     a prefix, a checkpoint's .index or .data file, a .meta file with a checkpoint of its name, or a folder.
             Shards of the old format come as a pattern, `model-?????-of-00002`.
             In a folder the state file decides; where its path does not exist, because the folder was moved, a
             checkpoint of that name in the folder; without a state file, the only checkpoint in the folder
    """
    text = files.as_text(path)
    if files.is_folder(text):
        return _find_in_folder(text)
    stem = re.sub(r"\.(index|meta|data-\d{5}-of-\d{5})$", "", text)
    for prefix in (stem,) if text.endswith(".meta") else (stem, text):
        if checkpoint_exists(prefix):
            return prefix
    return _sharded_v1(stem)


def _sharded_v1(stem: str) -> str | None:
    """The pattern of the files `stem-00000-of-00002` and so on, if they are there."""
    folder, name = os.path.split(stem)
    if not files.is_folder(folder or "."):
        return None
    shards = files.files_in(folder, f"{glob.escape(name)}-?????-of-?????")
    return f"{stem}-?????-of-{shards[0][-5:]}" if shards else None


def _find_in_folder(folder: str) -> str | None:
    try:
        state = get_checkpoint_state(folder)
    except ValueError as e:
        _log.warning("%s: Checkpoint ignored", e)
        state = None
    if state is not None:
        named = state.model_checkpoint_path
        here = os.path.join(folder, re.split(r"[/\\]", named)[-1])
        for prefix in (named, here):
            if not files.is_folder(prefix) and checkpoint_exists(prefix):
                return prefix
    indexes = files.files_in(folder, "*.index")
    return os.path.join(folder, indexes[0].removesuffix(".index")) if len(indexes) == 1 else None


def get_checkpoint_mtimes(checkpoint_prefixes: Iterable[files.PathLike]) -> list[float]:
    """When each checkpoint was written, in seconds since 1970; those that do not exist are left out."""
    times = []
    for prefix in checkpoint_prefixes:
        found = _files_of(files.as_text(prefix))
        if found:
            times.append(files.modified(found[0]))
    return times


def remove_checkpoint(
    checkpoint_prefix: files.PathLike,
    checkpoint_format_version: int = proto.SaverDef.V2,
    meta_graph_suffix: str = "meta",
) -> None:
    """Remove a checkpoint's files and its .meta file; what is not there is passed over."""
    prefix = files.as_text(checkpoint_prefix)
    doomed = [meta_graph_filename(prefix, meta_graph_suffix)]
    if checkpoint_format_version == proto.SaverDef.V2:
        doomed.append(bundle.index_path(prefix))
        folder, name = os.path.split(prefix)
        # The name is escaped: characters that are special in patterns may stand in it.
        pattern = f"{glob.escape(name)}.data-?????-of-?????"
        if files.exists(folder or "."):
            doomed.extend(os.path.join(folder, found) for found in files.files_in(folder, pattern))
    else:
        doomed.extend([prefix] if files.exists(prefix) else files.matching(prefix))
    for path in doomed:
        try:
            files.remove(path)
        except NotFoundError:
            continue


def load_checkpoint(ckpt_dir_or_file: files.PathLike) -> CheckpointReader:
    """Open the checkpoint of a prefix, or the newest of a folder. ValueError if the folder has none."""
    text = files.as_text(ckpt_dir_or_file)
    prefix = latest_checkpoint(text) if files.is_folder(text) else text
    if prefix is None:
        raise ValueError(f"Couldn't find 'checkpoint' file or checkpoints in given directory {text}")
    return open_checkpoint(prefix)


def load_variable(ckpt_dir_or_file: files.PathLike, name: str) -> Array:
    """The value of one tensor; a ":0" behind the name is ignored."""
    with load_checkpoint(ckpt_dir_or_file) as reader:
        return reader.get_tensor(name.removesuffix(":0"))


def list_variables(ckpt_dir_or_file: files.PathLike) -> list[tuple[str, list[int]]]:
    """Names and shapes of all tensors, sorted by name."""
    with load_checkpoint(ckpt_dir_or_file) as reader:
        return [(name, list(shape)) for name, shape in sorted(reader.shapes().items())]
