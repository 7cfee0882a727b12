"""tf.train.Server: a cluster of one task, in this process. Sessions on its target share variables and queues."""

from __future__ import annotations

import itertools
import threading
from typing import Any

from regraft import proto
from regraft.base.errors import NotFoundError, UnimplementedError
from regraft.opkit import threads
from regraft.runtime.state import SessionState
from regraft.train.cluster import ClusterSpec

# A server that asks for any port (0) gets the next of these: they are names, nothing listens there.
_ports = itertools.count(20000)
# By target; a server that was started runs until the process ends.
_servers: dict[str, Server] = {}


class Server:
    """The only task of a cluster.

    server_or_cluster_def  a ServerDef, or what ClusterSpec takes
    job_name, task_index   which task this is; needed where there are several
    config                 the ConfigProto of its sessions

    raises  TypeError, ValueError for arguments that do not say which task this is;
            UnimplementedError for a cluster of several tasks: Regraft runs in one process
    """

    def __init__(
        self,
        server_or_cluster_def: Any,
        job_name: str | None = None,
        task_index: int | None = None,
        protocol: str | None = None,
        config: Any = None,
        start: bool = True,
    ) -> None:
        self._server_def = _server_def(server_or_cluster_def, job_name, task_index, protocol, config)
        cluster = ClusterSpec(self._server_def.cluster)
        tasks = [(job, index) for job in cluster.jobs for index in cluster.task_indices(job)]
        own = (self._server_def.job_name, self._server_def.task_index)
        if own not in tasks:
            raise ValueError(f"task {own[1]} of job {own[0]!r} is not in the cluster {cluster!r}")
        if len(tasks) > 1:
            raise UnimplementedError(
                f"a server of {cluster!r}: Regraft runs in one process, and cannot reach the other "
                f"{len(tasks) - 1} tasks",
                hint="run the program without a cluster, as its only worker",
            )
        config = self._server_def.default_session_config
        threads.settle(config.intra_op_parallelism_threads, config.inter_op_parallelism_threads)
        host, _, port = cluster.task_address(*own).rpartition(":")
        number = port if port not in ("", "0") else str(next(_ports))
        self._target = f"{self._server_def.protocol}://{host or 'localhost'}:{number}"
        self.state = SessionState()
        self._stop = threading.Event()
        if start:
            self.start()

    def start(self) -> None:
        """Let sessions find the server."""
        _servers[self._target] = self

    def join(self) -> None:
        """Wait for ever, as the servers of a cluster do."""
        self._stop.wait()

    @property
    def server_def(self) -> Any:
        """The ServerDef."""
        return self._server_def

    @property
    def target(self) -> bytes:
        """What `tf.Session` takes as its target."""
        return self._target.encode()

    @staticmethod
    def create_local_server(config: Any = None, start: bool = True) -> Server:
        """A server for this process alone."""
        return Server({"localhost": ["localhost:0"]}, protocol="grpc", config=config, start=start)


def state_of(target: str) -> SessionState:
    """What the sessions on a server's target share. NotFoundError for what is no target of this process."""
    server = _servers.get(target)
    if server is None:
        raise NotFoundError(
            f"No session factory registered for the given session options: target {target!r}",
            hint="sessions run in this process; leave target empty, or take that of a tf.train.Server made here",
        )
    return server.state


def reset(target: str) -> None:
    """Forget the variables and resources of a server."""
    state_of(target).close()
    _servers[target].state = SessionState()


def _server_def(given: Any, job_name: str | None, task_index: int | None, protocol: str | None, config: Any) -> Any:
    message = proto.ServerDef()
    if getattr(getattr(given, "DESCRIPTOR", None), "name", "") == "ServerDef":
        message.CopyFrom(proto.as_ours(given, proto.ServerDef))
        if job_name is not None:
            message.job_name = job_name
        if task_index is not None:
            message.task_index = task_index
        if protocol is not None:
            message.protocol = protocol
    else:
        try:
            cluster = ClusterSpec(given)
        except TypeError as e:
            raise TypeError(
                "Could not convert `server_or_cluster_def` to a `tf.train.ServerDef` or `tf.train.ClusterSpec`."
            ) from e
        if job_name is None:
            if len(cluster.jobs) != 1:
                raise ValueError("Must specify an explicit `job_name`.")
            job_name = cluster.jobs[0]
        if task_index is None:
            indices = cluster.task_indices(job_name)
            if len(indices) != 1:
                raise ValueError("Must specify an explicit `task_index`.")
            task_index = indices[0]
        message.cluster.CopyFrom(cluster.as_cluster_def())
        message.job_name, message.task_index, message.protocol = job_name, task_index, protocol or "grpc"
    if config is not None:
        message.default_session_config.MergeFrom(proto.as_ours(config, proto.ConfigProto))
    return message
