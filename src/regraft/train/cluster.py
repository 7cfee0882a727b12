"""Clusters: which tasks there are and where, and how variables are spread over parameter servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from regraft import proto
from regraft.base.devices import DeviceSpec
from regraft.ir.node import Operation

_STATE_OPS = (
    "Variable",
    "VariableV2",
    "AutoReloadVariable",
    "MutableHashTable",
    "MutableHashTableV2",
    "MutableHashTableOfTensors",
    "MutableHashTableOfTensorsV2",
    "MutableDenseHashTable",
    "MutableDenseHashTableV2",
    "VarHandleOp",
    "BoostedTreesEnsembleResourceHandleOp",
    "BoostedTreesQuantileStreamResourceHandleOp",
    "ResourceConditionalAccumulator",
    "DecisionTreeResource",
)


class ClusterSpec:
    """The addresses of tasks by job.

    cluster  {job: [address, ...]} or {job: {index: address}}, a ClusterDef, or another ClusterSpec
    raises   TypeError for what is none of these
    """

    def __init__(self, cluster: Any) -> None:
        self._jobs: dict[str, dict[int, str]] = {}
        if isinstance(cluster, dict):
            for job, tasks in cluster.items():
                self._jobs[_text(job, "Job name")] = _tasks(job, tasks)
            return
        if isinstance(cluster, ClusterSpec):
            cluster = cluster.as_cluster_def()
        try:
            message = proto.as_ours(cluster, proto.ClusterDef)
        except TypeError as e:
            raise TypeError(
                "`cluster` must be a dictionary mapping one or more job names to lists of network addresses, or a "
                f"`ClusterDef` protocol buffer, not {type(cluster).__name__}"
            ) from e
        self._jobs = {job.name: dict(job.tasks) for job in message.job}

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def __eq__(self, other: object) -> bool:
        return self._jobs == (other._jobs if isinstance(other, ClusterSpec) else other)

    __hash__ = None  # type: ignore[assignment]  # equal to dictionaries, which have no hash

    def __repr__(self) -> str:
        jobs = self.as_dict()
        return "ClusterSpec({" + ", ".join(f"{job!r}: {jobs[job]!r}" for job in sorted(jobs)) + "})"

    def as_dict(self) -> dict[str, Any]:
        """{job: [address, ...]}; {index: address} for a job without tasks or whose indices have gaps."""
        return {
            job: self.job_tasks(job) if tasks and max(tasks) + 1 == len(tasks) else dict(sorted(tasks.items()))
            for job, tasks in self._jobs.items()
        }

    def as_cluster_def(self) -> Any:
        """The ClusterDef."""
        message = proto.ClusterDef()
        for name, tasks in sorted(self._jobs.items()):
            job = message.job.add(name=name)
            for index, address in sorted(tasks.items()):
                job.tasks[index] = address
        return message

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs."""
        return list(self._jobs)

    def _job(self, job_name: str) -> dict[int, str]:
        if job_name not in self._jobs:
            raise ValueError(f"No such job in cluster: {job_name!r}")
        return self._jobs[job_name]

    def num_tasks(self, job_name: str) -> int:
        """How many tasks a job has. ValueError if there is no such job."""
        return len(self._job(job_name))

    def task_indices(self, job_name: str) -> list[int]:
        """The indices of a job's tasks. ValueError if there is no such job."""
        return sorted(self._job(job_name))

    def task_address(self, job_name: str, task_index: int) -> str:
        """The address of a task. ValueError if there is no such job or task."""
        tasks = self._job(job_name)
        if task_index not in tasks:
            raise ValueError(f"No task with index {task_index!r} in job {job_name!r}")
        return tasks[task_index]

    def job_tasks(self, job_name: str) -> list[str | None]:
        """The addresses of a job by index, None in gaps. ValueError if there is no such job."""
        tasks = self._job(job_name)
        return [tasks.get(i) for i in range(max(tasks, default=-1) + 1)]


def _tasks(job: Any, tasks: Any) -> dict[int, str]:
    if isinstance(tasks, (list, tuple)):
        tasks = dict(enumerate(tasks))
    elif not isinstance(tasks, dict):
        raise TypeError(f"The tasks for job {job!r} must be a list or a dictionary from integers to strings.")
    return {int(index): _text(address, "Task address") for index, address in tasks.items()}


def _text(value: Any, what: str) -> str:
    if isinstance(value, bytes):
        return value.decode()
    if not isinstance(value, str):
        raise TypeError(f"{what} {value!r} must be bytes or unicode")
    return value


def replica_device_setter(
    ps_tasks: int = 0,
    ps_device: str = "/job:ps",
    worker_device: str = "/job:worker",
    merge_devices: bool = True,
    cluster: Any = None,
    ps_ops: Sequence[str] | None = None,
    ps_strategy: Callable[[Operation], int] | None = None,
) -> Callable[[Operation], str] | None:
    """A device function for `tf.device`: variables go to the parameter servers in turn, everything else to the worker.

    cluster        says how many parameter servers there are, in place of `ps_tasks`
    merge_devices  keep what an operation's own device says; else an operation that has one stays where it is
    ps_ops         the types of operations that hold state
    ps_strategy    says which parameter server holds an operation
    returns        None where there is no parameter server
    """
    if cluster is not None:
        jobs = (cluster if isinstance(cluster, ClusterSpec) else ClusterSpec(cluster)).as_dict()
        job = DeviceSpec.from_string(ps_device).job
        if not jobs.get(job or ""):
            return None
        ps_tasks = len(jobs[job or ""])
    if ps_tasks == 0:
        return None
    if ps_strategy is not None and not callable(ps_strategy):
        raise TypeError("ps_strategy must be callable")
    choose = ps_strategy or _in_turn(ps_tasks)
    held = frozenset(_STATE_OPS if ps_ops is None else ps_ops)
    server, worker = DeviceSpec.from_string(ps_device), DeviceSpec.from_string(worker_device or "")

    def device_of(op: Operation) -> str:
        if op.device and not merge_devices:
            return op.device
        own = DeviceSpec.from_string(op.device)
        if not ps_device or op.type not in held:
            return worker.make_merged_spec(own).to_string()
        place = server
        if server.job and own.job in (None, server.job):
            place = server.make_merged_spec(DeviceSpec(task=choose(op)))
        return place.make_merged_spec(own).to_string()

    return device_of


def _in_turn(count: int) -> Callable[[Operation], int]:
    next_task = 0

    def choose(op: Operation) -> int:
        nonlocal next_task
        task, next_task = next_task, (next_task + 1) % count
        return task

    return choose
