"""A restore plan beside a checkpoint: what does not fit, all of it at once, and reading what does."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regraft.base.errors import InvalidArgumentError, NotFoundError
from regraft.base.shapes import TensorShape
from regraft.checkpoint import CheckpointReader, ShapeAndSlice
from regraft.checkpoint.restore import mismatch_text, missing_text
from regraft.saver.plan import RestorePlan, Target, Wanted

# Names near to a missing one are looked for as often, among as many: with thousands of names that takes long.
_MOST_SEARCHES = 20
_MOST_COMPARED = 500
_MOST_UNEXPECTED = 1000


@dataclass(frozen=True, slots=True)
class Misfits:
    """What of a plan a checkpoint cannot give.

    missing     keys that are not there
    mismatched  a line for each that is of another dtype or shape
    unexpected  keys of the checkpoint that nobody asks for; looked for only where something does not fit
    wanted      all that does not fit
    """

    missing: tuple[str, ...]
    mismatched: tuple[str, ...]
    unexpected: tuple[str, ...]
    wanted: frozenset[Wanted]


def compare(plan: RestorePlan, reader: CheckpointReader, keys: Mapping[str, str]) -> Misfits:
    """Compare what is wanted with what is there; nothing is read.

    keys  the checkpoint's key for a key of the plan, where it is another
    """
    every: list[tuple[Wanted, Target | None]] = [(target.wanted, target) for target in plan.targets]
    every += [(wanted, None) for _, wanted in plan.feeds]
    missing, mismatched, bad = [], [], []
    for wanted, target in every:
        key = keys.get(wanted.key, wanted.key)
        if not reader.has_tensor(key):
            missing.append(wanted.key)
        else:
            problem = _problem(wanted, target, reader, key)
            if problem is None:
                continue
            mismatched.append(problem)
        bad.append(wanted)
    unexpected: list[str] = []
    if bad:
        asked = {keys.get(wanted.key, wanted.key) for wanted, _ in every}
        unexpected = [name for name in reader.names() if name not in asked]
    return Misfits(tuple(dict.fromkeys(missing)), tuple(mismatched), tuple(unexpected), frozenset(bad))


def _problem(wanted: Wanted, target: Target | None, reader: CheckpointReader, key: str) -> str | None:
    stored_dtype, stored = reader.dtype(key), reader.shape(key)
    if stored_dtype.base is not wanted.dtype:
        return mismatch_text(reader, wanted.key, wanted.dtype, stored_dtype)
    if wanted.slice_spec:
        part = ShapeAndSlice.parse(wanted.slice_spec)
        assert part is not None
        if part.shape != stored:
            return (
                f"tensor_name = {wanted.key}; shape in shape_and_slice spec {_sizes(part.shape)} does not match the "
                f"shape stored in checkpoint: {_sizes(stored)}"
            )
        stored = part.slice.shape_in(part.shape)
    if target is None or target.shape.sizes == stored:
        return None
    if target.reshape:
        count, room = math.prod(stored), target.shape.num_elements()
        if room == count:
            return None
        return (
            f"Input to reshape is a tensor with {count} values, but the requested shape has {room}: key "
            f"{wanted.key!r} is {_sizes(stored)}, variable {target.variable!r} is {_sizes(target.shape)}"
        )
    if target.shape.is_compatible_with(stored):
        return None
    return (
        f"Assign requires shapes of both tensors to match. lhs shape= {_sizes(target.shape)} rhs shape= "
        f"{_sizes(stored)}: variable {target.variable!r}, key {wanted.key!r}"
    )


def _sizes(shape: TensorShape | Sequence[int]) -> str:
    sizes = shape.sizes or () if isinstance(shape, TensorShape) else shape
    return f"[{','.join('?' if d is None else str(d) for d in sizes)}]"


# Errors

_FAILED = "Restoring from checkpoint failed. This is most likely due to {reason} from the checkpoint. Please ensure " \
    "that you have not altered the graph expected based on the checkpoint. Original error:\n\n{text}"  # fmt: skip
_MISSING = "a Variable name or other graph key that is missing"
_MISMATCH = "a mismatch between the current graph and the graph"


def failure(error: NotFoundError | InvalidArgumentError) -> NotFoundError | InvalidArgumentError:
    """What a restore operation raised, with what it means."""
    missing = isinstance(error, NotFoundError)
    text = _FAILED.format(reason=_MISSING if missing else _MISMATCH, text=error.message)
    return NotFoundError(text) if missing else InvalidArgumentError(text)


def raise_misfits(found: Misfits, reader: CheckpointReader, keys: Mapping[str, str]) -> None:
    """Raise if anything does not fit: NotFoundError where a key is missing, else InvalidArgumentError."""
    if not found.wanted:
        return
    near = _nearest(found.missing, found.unexpected or reader.names())
    lines = [missing_text(reader, key) + near.get(key, "") for key in found.missing]
    lines.extend(found.mismatched)
    if found.unexpected:
        shown = ", ".join(found.unexpected[:_MOST_UNEXPECTED])
        more = len(found.unexpected) - _MOST_UNEXPECTED
        lines.append(f"In the checkpoint, and not asked for: {shown}" + (f" and {more} more" if more > 0 else ""))
    text = "\n".join(lines)
    where = (reader.prefix,)
    if not found.missing:
        raise InvalidArgumentError(_FAILED.format(reason=_MISMATCH, text=text), where=where)
    if not keys:
        raise NotFoundError(_FAILED.format(reason=_MISSING, text=text), where=where)
    raise NotFoundError(
        f"Could not find some variables in the checkpoint.\n\nExisting variables not in the checkpoint: "
        f"{', '.join(found.missing)}\n\nNames of variables in the checkpoint: {', '.join(sorted(keys))}\n\n{text}",
        where=where,
        hint="tf.train.Checkpoint wrote it, by objects; a Saver finds variables in it by the names they had then. "
        "Give a Saver a dict with those names",
    )


def _nearest(missing: Collection[str], names: Sequence[str]) -> dict[str, str]:
    """For missing keys the names most like them, as text to put behind; those that end alike are looked at first."""
    found = {}
    for key in list(missing)[:_MOST_SEARCHES]:
        last = key.rpartition("/")[2]
        alike = [name for name in names if name.rpartition("/")[2] == last]
        others = names if len(names) <= _MOST_COMPARED else []
        near = difflib.get_close_matches(key, [*alike[:_MOST_COMPARED], *others], 6, 0.6) or alike[:3]
        if near:
            found[key] = f" (nearest: {', '.join(list(dict.fromkeys(near))[:3])})"
    return found


# Reading


def read(every: Iterable[Wanted], reader: CheckpointReader, keys: Mapping[str, str]) -> dict[Wanted, Any]:
    """The arrays that are wanted, no two in the same memory."""
    whole, parts = {}, []
    for wanted in every:
        if wanted.slice_spec:
            parts.append(wanted)
        else:
            whole[wanted] = keys.get(wanted.key, wanted.key)
    arrays = reader.get_tensors(whole.values(), mapped=True)
    found = {wanted: arrays[key] for wanted, key in whole.items()}
    for wanted in parts:
        found[wanted] = reader.get_slice(keys.get(wanted.key, wanted.key), wanted.slice_spec)
    return found
