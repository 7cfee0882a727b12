"""A compiled program of which a part is run ahead."""

from __future__ import annotations

import weakref
from typing import Any

from regraft.opkit.arrays import jax
from regraft.runtime.compiler import compile_program
from regraft.runtime.fusion import Fusion


class Fused:
    """What `Fusion` made of a traced program, compiled: called as the program is.

    What was made ahead is kept while the arguments that it was made from are the same arrays. They are not kept alive.
    """

    def __init__(self, fusion: Fusion, traced: Any, shapes: Any) -> None:
        """shapes: of the arguments, the first of which are given away"""
        donated = shapes[0]
        flat = jax.tree.leaves(shapes)
        self._sources = fusion.sources
        ahead = jax.jit(fusion.ahead).lower([flat[i] for i in self._sources])
        self._ahead = compile_program(ahead)
        results = jax.tree.structure(traced.out_info)
        # Of the arguments that are not given away, only what is used, for each takes time.
        own = [i for i in fusion.taken if i < len(donated)]
        self._taken = fusion.taken[len(own) :]

        def rest(donated: list[Any], taken: list[Any], made: list[Any]) -> Any:
            return jax.tree.unflatten(results, fusion.rest([*(donated[i] for i in own), *taken], made))

        taken = [flat[i] for i in self._taken]
        self._rest = compile_program(jax.jit(rest, donate_argnums=(0,)).lower(donated, taken, ahead.out_info))
        # Replaced as a whole: threads may call at once.
        self._kept: tuple[list[weakref.ref[Any]], Any] | None = None

    def __call__(self, *arguments: Any) -> Any:
        flat = [a for part in arguments for a in part]
        sources = [flat[i] for i in self._sources]
        kept = self._kept
        if kept is None or any(a is not b() for a, b in zip(sources, kept[0], strict=True)):
            self._kept = kept = None  # the memory of the old ones is free for the new
            self._kept = kept = ([weakref.ref(a) for a in sources], self._ahead(sources))
        return self._rest(arguments[0], [flat[i] for i in self._taken], kept[1])

    def memory_analysis(self) -> Any:
        """What the compiled program says of itself, as `jax.stages.Compiled.memory_analysis` gives it."""
        return self._rest.memory_analysis()
