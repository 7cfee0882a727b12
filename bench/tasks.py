"""What is measured. Each function gets a module with the names of `tensorflow.compat.v1` and runs the same for all.

Seconds are what the caller of the library waits for. Peak memory is read right after that, before anything that only
serves the comparison of results.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.memory import peak_memory
from bench.models import Written


@dataclass(frozen=True)
class Job:
    """What a task gets.

    tf        the library, a module with the names of `tensorflow.compat.v1` for the tasks of this file
    started   when the process was asked for (`time.monotonic_ns`)
    entered   when the interpreter reached the program's first line
    imported  when the library was there
    loaded    bytes of resident memory then, the most so far
    scratch   an empty folder for what the task writes
    """

    tf: Any
    model: Written
    parameters: Mapping[str, Any]
    scratch: Path
    started: int
    entered: int
    imported: int
    loaded: int


@dataclass(frozen=True)
class Outcome:
    """What a task found.

    seconds  the measurement
    peak     bytes of resident memory, the most so far
    phases   parts of the time, or further times worth keeping
    facts    must be equal between libraries
    arrays   must be nearly equal between libraries
    """

    seconds: float
    peak: int
    phases: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, str | int] = field(default_factory=dict)
    arrays: Mapping[str, Any] = field(default_factory=dict)


class Clock:
    """Named stretches of time, one after the other, from a moment (`time.monotonic_ns`) or from now."""

    def __init__(self, start: int | None = None) -> None:
        self.start = self._last = time.monotonic_ns() if start is None else start
        self.phases: dict[str, float] = {}

    def lap(self, name: str, now: int | None = None) -> None:
        """End a stretch."""
        now = time.monotonic_ns() if now is None else now
        self.phases[name] = (now - self._last) * 1e-9
        self._last = now

    @property
    def total(self) -> float:
        """Seconds from the start to the end of the last stretch."""
        return (self._last - self.start) * 1e-9


def importing(job: Job) -> Outcome:
    """`import` of the module, nothing else loaded before."""
    return Outcome((job.imported - job.entered) * 1e-9, job.loaded)


def opening(job: Job) -> Outcome:
    """`import_meta_graph` of a file into an empty graph."""
    with job.tf.Graph().as_default() as graph:
        clock = Clock()
        job.tf.train.import_meta_graph(job.model.meta)
        clock.lap("open")
        peak = peak_memory()
        operations = graph.get_operations()
        digest = hashlib.sha256("\n".join(f"{op.name} {op.type}" for op in operations).encode())
        return Outcome(clock.total, peak, facts={"nodes": len(operations), "names and types": digest.hexdigest()[:16]})


def planning(job: Job) -> Outcome:
    """The first `Session.run` in an opened graph, of a fetch that needs three of its nodes."""
    with job.tf.Graph().as_default() as graph:
        job.tf.train.import_meta_graph(job.model.meta)
        feeds, fetches = _inference(graph, job)
        clock = Clock()
        with job.tf.Session() as sess:
            values = sess.run(fetches, feeds)
            clock.lap("run")
            return Outcome(clock.total, peak_memory(), arrays=named(job.model.outputs, values))


def restoring(job: Job) -> Outcome:
    """`Saver.restore` into a new session."""
    with job.tf.Graph().as_default():
        saver = job.tf.train.import_meta_graph(job.model.meta)
        with job.tf.Session() as sess:
            clock = Clock()
            saver.restore(sess, job.model.prefix)
            clock.lap("restore")
            peak = peak_memory()
            variables = job.tf.global_variables()
            picked = [variables[i] for i in sorted({i * (len(variables) - 1) // 7 for i in range(8)})]
            arrays = {variable.name: sess.run(variable) for variable in picked}
            return Outcome(clock.total, peak, facts={"variables": len(variables)}, arrays=arrays)


def saving(job: Job) -> Outcome:
    """`Saver.save`, with the `.meta`, of a session that was restored before."""
    with job.tf.Graph().as_default():
        saver = job.tf.train.import_meta_graph(job.model.meta)
        with job.tf.Session() as sess:
            saver.restore(sess, job.model.prefix)
            clock = Clock()
            saver.save(sess, str(job.scratch / "saved"))
            clock.lap("save")
            return Outcome(clock.total, peak_memory())


def comparing_saved(job: Job) -> Outcome:
    """Compare two checkpoints tensor by tensor; `facts` says how many differ. Takes no part in the measuring."""
    readers = [job.tf.train.load_checkpoint(prefix) for prefix in job.parameters["prefixes"]]
    shapes = [reader.get_variable_to_shape_map() for reader in readers]
    differing = sorted(name for name in {**shapes[0], **shapes[1]} if shapes[0].get(name) != shapes[1].get(name))
    for name in sorted(shapes[0].keys() - set(differing)):
        one, other = (reader.get_tensor(name) for reader in readers)
        if one.dtype != other.dtype or one.tobytes() != other.tobytes():
            differing.append(name)
    return Outcome(0.0, 0, facts={"tensors": len(shapes[0]), "differing": ", ".join(differing[:5])})


def calling(job: Job) -> Outcome:
    """One `Session.run` after many, or with `callable` one call of a function of `make_callable`: what a call costs."""
    with job.tf.Graph().as_default() as graph:
        job.tf.train.import_meta_graph(job.model.meta)
        name = job.model.outputs[job.parameters["output"]]
        fetch = graph.get_tensor_by_name(name)
        wanted = "x:0" if job.parameters["output"] == 0 else "v:0"
        fed, given = graph.get_tensor_by_name(wanted), job.model.inference_feeds()[wanted]
        feeds = {fed: given}
        with job.tf.Session() as sess:
            if job.parameters.get("callable"):
                function = sess.make_callable(fetch, [fed])
                value, seconds, phases = steady(lambda: function(given), job.parameters)
            else:
                value, seconds, phases = steady(lambda: sess.run(fetch, feeds), job.parameters)
            return Outcome(seconds, peak_memory(), phases, arrays={name: value})


def answering(job: Job) -> Outcome:
    """From the start of the process to the outputs of one inference."""
    with job.tf.Graph().as_default() as graph:
        clock = _since_start(job)
        saver = job.tf.train.import_meta_graph(job.model.meta)
        clock.lap("open")
        with job.tf.Session() as sess:
            saver.restore(sess, job.model.prefix)
            clock.lap("restore")
            feeds, fetches = _inference(graph, job)
            values = sess.run(fetches, feeds)
            clock.lap("run")
            return Outcome(clock.total, peak_memory(), clock.phases, arrays=named(job.model.outputs, values))


def stepping(job: Job) -> Outcome:
    """From the start of the process to the loss of the first training step."""
    with job.tf.Graph().as_default() as graph:
        clock = _since_start(job)
        saver = job.tf.train.import_meta_graph(job.model.meta)
        clock.lap("open")
        with job.tf.Session() as sess:
            saver.restore(sess, job.model.prefix)
            clock.lap("restore")
            fetches = [graph.get_operation_by_name(job.model.train_op), graph.get_tensor_by_name(job.model.loss)]
            _, loss = sess.run(fetches, job.model.training_feeds()[0])
            clock.lap("run")
            return Outcome(clock.total, peak_memory(), clock.phases, arrays={"loss": loss})


def inferring(job: Job) -> Outcome:
    """One inference after many."""
    with job.tf.Graph().as_default() as graph:
        saver = job.tf.train.import_meta_graph(job.model.meta)
        with job.tf.Session() as sess:
            saver.restore(sess, job.model.prefix)
            feeds, fetches = _inference(graph, job)
            values, seconds, phases = steady(lambda: sess.run(fetches, feeds), job.parameters)
            return Outcome(seconds, peak_memory(), phases, arrays=named(job.model.outputs, values))


def training(job: Job) -> Outcome:
    """One training step after many, its loss fetched; the losses of the first three are compared."""
    with job.tf.Graph().as_default() as graph:
        saver = job.tf.train.import_meta_graph(job.model.meta)
        with job.tf.Session() as sess:
            saver.restore(sess, job.model.prefix)
            fetches = [graph.get_operation_by_name(job.model.train_op), graph.get_tensor_by_name(job.model.loss)]
            batches = job.model.training_feeds()
            losses: list[Any] = []

            def step() -> None:
                _, loss = sess.run(fetches, batches[len(losses) % len(batches)])
                losses.append(loss)

            _, seconds, phases = steady(step, job.parameters)
            return Outcome(seconds, peak_memory(), phases, arrays={"losses": np.array(losses[:3])})


def feeding(job: Job) -> Outcome:
    """One training step after many, its batch from a pipeline in the graph; the losses of the first three."""
    with contextlib.chdir(job.model.folder), job.tf.Graph().as_default() as graph:
        saver = job.tf.train.import_meta_graph(job.model.meta)
        with job.tf.Session() as sess:
            saver.restore(sess, job.model.prefix)
            coordinator = job.tf.train.Coordinator()
            threads = job.tf.train.start_queue_runners(sess, coordinator)
            fetches = [graph.get_operation_by_name(job.model.train_op), graph.get_tensor_by_name(job.model.loss)]
            losses: list[Any] = []
            _, seconds, phases = steady(lambda: losses.append(sess.run(fetches)[1]), job.parameters)
            coordinator.request_stop()
            coordinator.join(threads)
            return Outcome(seconds, peak_memory(), phases, arrays={"losses": np.array(losses[:3])})


def _since_start(job: Job) -> Clock:
    clock = Clock(job.started)
    clock.lap("python", job.entered)
    clock.lap("import", job.imported)
    return clock


def fed(job: Job) -> dict[str, Any]:
    """The arrays of an inference by tensor name; with `batch`, cut to so many rows."""
    rows = slice(job.parameters.get("batch"))
    return {name: value[rows] if value.ndim else value for name, value in job.model.inference_feeds().items()}


def _inference(graph: Any, job: Job) -> tuple[dict[Any, Any], list[Any]]:
    feeds = {graph.get_tensor_by_name(name): value for name, value in fed(job).items()}
    return feeds, [graph.get_tensor_by_name(name) for name in job.model.outputs]


def named(names: list[str], values: list[Any]) -> dict[str, Any]:
    """The arrays that an inference gave, for the comparison."""
    return dict(zip(names, values, strict=True))


def steady(call: Callable[[], Any], parameters: Mapping[str, Any]) -> tuple[Any, float, dict[str, float]]:
    """The last value, the median of the seconds of a call, and how the calls went."""
    warm = _warm_up(call, parameters["warm_s"], parameters["warm_calls"])
    value, times = _calls(call, parameters["measure_s"], parameters["measure_calls"])
    phases = {"first call": warm[0], "warm-up": sum(warm), "mean": sum(times) / len(times), "calls": len(times)}
    return value, median(times), phases


def _warm_up(call: Callable[[], Any], seconds: float, least: int) -> list[float]:
    """Call until both the time and the number are reached after the slowest call, which may have compiled something."""
    times: list[float] = []
    slowest = since = 0.0
    calls = 0
    while calls < least or since < seconds:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
        if times[-1] > slowest:
            slowest, since, calls = times[-1], 0.0, 0
        else:
            since, calls = since + times[-1], calls + 1
    return times


def _calls(call: Callable[[], Any], seconds: float, least: int) -> tuple[Any, list[float]]:
    """Call until both the time and the number are reached."""
    times: list[float] = []
    begin = last = time.perf_counter()
    while len(times) < least or last - begin < seconds:
        value = call()
        now = time.perf_counter()
        times.append(now - last)
        last = now
    return value, times


TASKS: Mapping[str, Callable[[Job], Outcome]] = {
    task.__name__: task
    for task in (
        importing,
        opening,
        planning,
        restoring,
        saving,
        comparing_saved,
        calling,
        answering,
        stepping,
        inferring,
        training,
        feeding,
    )
}

_TASKS_OF = {"openvino": "bench.openvino_tasks", "google_crc32c": "bench.bare_tasks"}


def tasks_of(module: str) -> Mapping[str, Callable[[Job], Outcome]]:
    """What can be measured with a library: the functions above, or its own where it is no TensorFlow 1."""
    if module not in _TASKS_OF:
        return TASKS
    own: Mapping[str, Callable[[Job], Outcome]] = importlib.import_module(_TASKS_OF[module]).TASKS
    return own
