"""Which checkpoints a Saver knows: its window of the newest, and those that were there when it took up a training."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable

from regraft import proto
from regraft.base.errors import NotFoundError, OpError
from regraft.checkpoint import files
from regraft.checkpoint.management import checkpoint_exists, get_checkpoint_mtimes, remove_checkpoint
from regraft.checkpoint.state import get_checkpoint_state

_log = logging.getLogger("regraft")


class Retention:
    """The checkpoints of one Saver with the times of their writing, oldest first, and those about to be deleted."""

    def __init__(self) -> None:
        self.window: list[tuple[str, float]] = []
        self._doomed: list[tuple[str, float]] = []
        self._next_kept = 0.0
        # Folders that a checkpoint was restored from, and by state file what these list that is not in the window.
        self._resumed: set[str] = set()
        self._earlier: dict[tuple[str, str], list[str]] = {}
        self._own: set[str] = set()

    def start(self, saver_def: proto.SaverDef, now: float) -> None:
        """Begin to count the hours after which a checkpoint that leaves the window is kept."""
        self._next_kept = now + saver_def.keep_checkpoint_every_n_hours * 3600

    def paths(self) -> list[str]:
        return [path for path, _ in self.window]

    def recover(self, paths: Iterable[str]) -> None:
        """Take over the list of an earlier Saver: those that exist, with the times of their files."""
        self.window = []
        for path in paths:
            try:
                times = get_checkpoint_mtimes([path])
            except NotFoundError:  # somebody deletes it right now
                continue
            self.window.extend((path, time) for time in times)

    def record(self, path: str, saver_def: proto.SaverDef, now: float) -> None:
        """Put a new checkpoint into the window; the oldest leaves it when there are too many."""
        if not saver_def.max_to_keep:
            return
        self.window = [entry for entry in self.window if entry[0] != path]
        self.window.append((path, now))
        if len(self.window) > saver_def.max_to_keep:
            self._doomed.append(self.window.pop(0))

    def delete_one(self, saver_def: proto.SaverDef, meta_graph_suffix: str) -> None:
        """Delete a checkpoint that left the window, unless it is time to keep one. Failures are logged."""
        if not self._doomed:
            return
        path, written = self._doomed.pop(0)
        if written > self._next_kept:
            self._next_kept += saver_def.keep_checkpoint_every_n_hours * 3600
            return
        try:
            remove_checkpoint(path, saver_def.version, meta_graph_suffix)
        except OpError as e:
            _log.warning("Ignoring: %s", e)

    # A training that is taken up again. TensorFlow's state file forgets the checkpoints that were there.

    def resume(self, path: str) -> None:
        """A checkpoint was restored: what is saved beside it continues the list of that folder."""
        self._resumed.add(_folder(path))

    def listed(self, path: str, latest_filename: str) -> list[str]:
        """What the state file beside the new checkpoint `path` lists.

        Behind the checkpoints that were there when this Saver restored one of them, which stay as long as they exist
        and are never deleted, come those of the window.
        """
        own = self.paths()
        folder = _folder(path)
        if not own or folder not in self._resumed:
            return own
        key = (folder, latest_filename)
        if key not in self._earlier:
            self._earlier[key] = _state_paths(os.path.dirname(path), latest_filename)
        self._own.update(_normal(p) for p, _ in self.window + self._doomed)
        earlier = [p for p in self._earlier[key] if _normal(p) not in self._own and checkpoint_exists(p)]
        self._earlier[key] = earlier
        return earlier + own


def _state_paths(folder: str, latest_filename: str) -> list[str]:
    try:
        state = get_checkpoint_state(folder, latest_filename)
    except ValueError as e:
        _log.warning("%s: what it lists is forgotten", e)
        return []
    return [] if state is None else list(state.all_model_checkpoint_paths)


def _normal(path: str) -> str:
    text = files.as_text(path)
    return text if files.is_remote(text) else os.path.abspath(text)


def _folder(path: str) -> str:
    return os.path.dirname(_normal(path))
