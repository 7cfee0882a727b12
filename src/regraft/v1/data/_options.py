"""tf.data.Options."""

from __future__ import annotations

from typing import Any

# The messages of the groups, with nothing in them (fields 2, 3, 5, 7, 12).
_EMPTY_GROUPS = bytes.fromhex("12001a002a003a006200")


class Options:
    """How TensorFlow should run an input: threads, parallel work, rewriting. No option changes an element here.

    Any attribute can be set; `experimental_optimization`, `threading`, `autotune`, `experimental_distribute` and
    `experimental_threading` hold further options.
    """

    _GROUPS = frozenset(
        {
            *("autotune", "experimental_distribute", "experimental_optimization", "experimental_slack"),
            *("experimental_stats", "experimental_threading", "threading"),
        }
    )

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        values = self.__dict__["_values"]
        if name in self._GROUPS and name not in values:
            values[name] = Options()
        return values.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            self._values[name] = value

    def merge(self, options: Options) -> Options:
        """These options, with those of another in front."""
        merged = Options()
        merged._values = {**self._values, **options._values}
        return merged

    def serialized(self) -> bytes:
        """The options as TensorFlow's nodes hold them: the order of parallel work alone (`deterministic`)."""
        chosen = self.deterministic
        if chosen is None:
            chosen = self.experimental_deterministic
        said = b"" if chosen is None else bytes((0x08, int(bool(chosen))))
        return said + _EMPTY_GROUPS

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Options) and self._values == other._values

    __hash__ = None  # type: ignore[assignment]  # as Python has it beside __eq__
