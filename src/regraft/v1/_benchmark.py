"""tf.test.Benchmark: timing of what a session runs."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from regraft.v1 import _context


def benchmark_config() -> Any:
    """The configuration for sessions that are timed."""
    from regraft import proto

    return proto.ConfigProto()


class Benchmark:
    """Made into a class with methods `benchmark...`, each of which times something and reports it."""

    def evaluate(self, tensors: Any) -> Any:
        """The values of tensors in the default session. ValueError where there is none."""
        sess = _context.get_default_session()
        if sess is None:
            raise ValueError("evaluate needs a default session: use `with sess.as_default()`")
        return sess.run(tensors)

    def run_op_benchmark(
        self,
        sess: Any,
        op_or_tensor: Any,
        feed_dict: Any = None,
        burn_iters: int = 2,
        min_iters: int = 10,
        store_trace: bool = False,
        store_memory_usage: bool = True,
        name: str | None = None,
        extras: Any = None,
        mbs: float = 0,
    ) -> dict[str, Any]:
        """Run an operation, or what a tensor comes from, and report the times.

        burn_iters, min_iters  runs before those that count, and runs that count
        mbs                    megabytes that one run handles, for the throughput
        returns                the numbers reported: iters, wall_time (the median, in seconds), throughput, extras
        """
        target = getattr(op_or_tensor, "op", op_or_tensor)
        for _ in range(burn_iters):
            sess.run(target, feed_dict)
        times = []
        for _ in range(min_iters):
            started = time.perf_counter()
            sess.run(target, feed_dict)
            times.append(time.perf_counter() - started)
        median = float(np.median(times))
        numbers = {"wall_time_mean": float(np.mean(times)), "wall_time_stdev": float(np.std(times)), **(extras or {})}
        report: dict[str, Any] = {
            "iters": min_iters,
            "wall_time": median,
            "throughput": mbs / median if median else 0.0,
            "extras": numbers,
        }
        self.report_benchmark(name=name, **report)
        return {"name": name, **report}

    def report_benchmark(
        self,
        iters: int | None = None,
        cpu_time: float | None = None,
        wall_time: float | None = None,
        throughput: float | None = None,
        extras: Any = None,
        name: str | None = None,
        metrics: Any = None,
    ) -> None:
        """Print one line with the numbers that are given."""
        numbers = {"iters": iters, "cpu_time": cpu_time, "wall_time": wall_time, "throughput": throughput}
        numbers.update(extras or {})
        shown = ", ".join(f"{key}: {value}" for key, value in numbers.items() if value is not None)
        print(f"{name or type(self).__name__}: {shown}")
