"""One run in several parts: what was computed stays computed, and feeds may depend on what was fetched before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation, Tensor
from regraft.runtime import prune

Element = Tensor | Operation


class PartialRun:
    """What may be fetched and fed in one run, and what has been so far.

    Tensors that later parts will need are fetched along with each part, and fed to the later ones: an operation runs
    once. The exception are operations that later ones depend on by control edges alone.
    """

    def __init__(self, fetches: Sequence[Element], feeds: Sequence[Tensor]) -> None:
        if not fetches:
            raise InvalidArgumentError("Must specify at least one target to fetch or execute.")
        self._pending: dict[Element, bool] = dict.fromkeys(fetches, True)
        self._feeds: dict[Tensor, bool] = dict.fromkeys(feeds, True)
        self._known: dict[Tensor, Any] = {}

    @property
    def done(self) -> bool:
        """Whether everything was fetched."""
        return not any(self._pending.values())

    def check(self, fetches: Iterable[Element], feeds: Iterable[Tensor]) -> None:
        """InvalidArgumentError for what was not set up, and for what was fetched or fed already."""
        for tensor in feeds:
            if tensor not in self._feeds:
                raise InvalidArgumentError(f"The feed {tensor.name} was not specified in partial_run_setup.")
            if not self._feeds[tensor]:
                raise InvalidArgumentError(f"The feed {tensor.name} has already been fed.")
        for fetch in fetches:
            if fetch not in self._pending:
                raise InvalidArgumentError(f"The fetch {fetch.name} was not specified in partial_run_setup.")
            if not self._pending[fetch]:
                raise InvalidArgumentError(f"The fetch {fetch.name} has already been fetched.")

    def part(self, fetches: Sequence[Element], feeds: Mapping[Tensor, Any]) -> tuple[list[Element], dict[Tensor, Any]]:
        """What to fetch and feed for this part: behind `fetches` stand the tensors that later parts will need."""
        self.check(fetches, feeds)
        known = {**self._known, **feeds}
        now = prune.needed(fetches, known)
        missing = [t for t, waits in self._feeds.items() if waits and t not in feeds and t.op in now]
        if missing:
            wanted = ", ".join(f.name for f in fetches)
            raise InvalidArgumentError(
                f"{wanted} can't be computed from the feeds that have been fed so far: {missing[0].name} is missing."
            )
        for tensor in feeds:
            self._feeds[tensor] = False
        self._known = known
        later = [fetch for fetch, waits in self._pending.items() if waits and fetch not in fetches]
        behind = prune.needed(later, known)
        edge = {
            tensor: None
            for op in sorted(behind - now, key=lambda op: op._id)
            for tensor in op.inputs
            if tensor.op in now and not tensor.dtype.is_ref
        }
        edge.update((f, None) for f in later if isinstance(f, Tensor) and f.op in now and not f.dtype.is_ref)
        return [*fetches, *(t for t in edge if t not in fetches)], dict(known)

    def record(self, fetches: Sequence[Element], elements: Sequence[Element], values: Sequence[Any]) -> None:
        """Keep what a part fetched."""
        for fetch in fetches:
            self._pending[fetch] = False
        for element, value in zip(elements, values, strict=True):
            if isinstance(element, Tensor) and not element.dtype.is_ref:
                self._known[element] = value
