"""The collections of a graph: lists by name, some of which are filled when somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any


class Collections:
    """The collections of one graph.

    lock  held while those that were put off are filled
    """

    def __init__(self, lock: AbstractContextManager[Any]) -> None:
        self._lock = lock
        self._items: dict[Any, list[Any]] = {}
        self._later: list[tuple[Any, Callable[[], Iterable[Any]]]] = []

    def all(self) -> dict[Any, list[Any]]:
        """All of them by name, in the order in which they began; changes to it are changes of the collections."""
        if self._later:
            with self._lock:
                while self._later:
                    key, make = self._later[0]
                    self._items[key].extend(make())
                    del self._later[0]
        return self._items

    def add(self, key: Any, value: Any) -> None:
        """Add one item to a collection. What was put off for others stays so."""
        items = self.all() if any(key == later for later, _ in self._later) else self._items
        items.setdefault(key, []).append(value)

    def put_off(self, key: Any, make: Callable[[], Iterable[Any]]) -> None:
        """Add to a collection what `make` returns, before anybody looks at any. It must not look at them itself."""
        self._items.setdefault(key, [])
        self._later.append((key, make))
