"""Clusters, device setters and servers: TensorFlow's answers, and what one process can do."""

from __future__ import annotations

from typing import Any

import pytest

import regraft.v1
from regraft.base.errors import FailedPreconditionError, NotFoundError, UnimplementedError
from tests.oracle import available, tensorflow

NEEDS_TENSORFLOW = pytest.mark.skipif(not available(), reason="TensorFlow is not installed")


def _answers(function: Any) -> Any:
    try:
        return function()
    except (ValueError, TypeError) as e:
        return type(e).__name__, str(e)[:25]


def _clusters(tf: Any) -> list[Any]:
    make = tf.train.ClusterSpec
    listed = make({"worker": ["a:1", "b:2"], "ps": ["c:3"]})
    sparse = make({"worker": {1: "a:1", 3: "b:2"}, "none": []})
    return [
        listed.as_dict(),
        sparse.as_dict(),
        make(listed.as_cluster_def()).as_dict(),
        make(listed) == listed,
        listed == {"worker": {0: "a:1", 1: "b:2"}, "ps": {0: "c:3"}},
        listed != sparse,
        bool(make({})),
        repr(listed),
        str(listed.as_cluster_def()),
        sorted(listed.jobs),
        sparse.num_tasks("worker"),
        sparse.task_indices("worker"),
        sparse.job_tasks("worker"),
        sparse.task_address("worker", 3),
        *(
            _answers(f)
            for f in (
                lambda: make("worker"),
                lambda: make({"worker": "a:1"}),
                lambda: make({"worker": [1]}),
                lambda: listed.num_tasks("x"),
                lambda: listed.task_address("ps", 1),
            )
        ),
    ]


def _placed(tf: Any, **options: Any) -> list[str]:
    """The devices of some operations below a device setter."""
    with tf.Graph().as_default() as graph, tf.device(tf.train.replica_device_setter(**options)):
        tf.Variable(1.0, name="a")
        tf.Variable(1.0, name="b")
        with tf.device("/job:elsewhere/gpu:1"):
            tf.Variable(1.0, name="c")
        with tf.device("/cpu:0"):
            tf.Variable(1.0, name="d", use_resource=True)
            tf.constant(1.0, name="e")
        tf.constant(1.0, name="f")
        return [f"{op.name} {op.device}" for op in graph.get_operations()]


def _setters(tf: Any) -> list[Any]:
    cluster = {"ps": ["a", "b", "c"], "worker": ["d"]}
    return [
        tf.train.replica_device_setter(),
        tf.train.replica_device_setter(cluster={"worker": ["a"]}),
        _placed(tf, ps_tasks=2),
        _placed(tf, cluster=cluster, worker_device="/job:worker/task:3"),
        _placed(tf, cluster=tf.train.ClusterSpec(cluster), merge_devices=False),
        _placed(tf, ps_tasks=2, ps_ops=["Const"], ps_strategy=lambda op: 1),
        _placed(tf, ps_tasks=2, ps_device="/job:ps/task:5/cpu:0"),
        _answers(lambda: tf.train.replica_device_setter(ps_tasks=1, ps_strategy=3)),
    ]


@NEEDS_TENSORFLOW
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("program", [_clusters, _setters])
def test_same_answers(program):
    assert program(regraft.v1) == program(tensorflow())


def test_sessions_of_a_server_share_variables():
    tf = regraft.v1
    with tf.Graph().as_default():
        server = tf.train.Server.create_local_server()
        v = tf.get_variable("v", initializer=1.0)
        more = v.assign_add(1.0)
        with tf.Session(server.target) as session:
            session.run(v.initializer)
        with tf.Session(server.target.decode()) as one, tf.Session(server.target) as other:
            one.run(more)
            assert other.run(v) == 2.0
        tf.Session.reset(server.target)
        with tf.Session(server.target) as session, pytest.raises(FailedPreconditionError, match="uninitialized"):
            session.run(v)


def test_an_isolated_session_of_a_server_shares_nothing():
    tf = regraft.v1
    with tf.Graph().as_default():
        server = tf.train.Server.create_local_server()
        v = tf.get_variable("v", initializer=1.0)
        config = tf.ConfigProto(isolate_session_state=True)
        with tf.Session(server.target) as shared, tf.Session(server.target, config=config) as alone:
            shared.run(v.initializer)
            with pytest.raises(FailedPreconditionError, match="uninitialized"):
                alone.run(v)
            alone.run(v.initializer)
            alone.run(v.assign_add(1.0))
            assert (shared.run(v), alone.run(v)) == (1.0, 2.0)


def test_server_runs_on_when_the_program_forgets_it():
    tf = regraft.v1
    with tf.Graph().as_default(), tf.Session(tf.train.Server.create_local_server().target) as session:
        assert session.run(tf.constant(3)) == 3


def test_monitored_training_on_a_server(tmp_path):
    tf = regraft.v1
    server = tf.train.Server({"worker": ["localhost:2222"]}, job_name="worker", task_index=0)
    assert server.target == b"grpc://localhost:2222"
    with tf.Graph().as_default():
        step = tf.train.get_or_create_global_step()
        train = tf.assign_add(step, 1)
        with tf.train.MonitoredTrainingSession(server.target, checkpoint_dir=str(tmp_path)) as session:
            assert session.run(train) == 1
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith("model.ckpt-1")


def test_what_one_process_cannot_do():
    tf = regraft.v1
    with pytest.raises(UnimplementedError, match="one process"):
        tf.train.Server({"ps": ["a:1"], "worker": ["b:2"]}, job_name="ps", task_index=0)
    with tf.Graph().as_default(), pytest.raises(NotFoundError, match="grpc://elsewhere:2222"):
        tf.Session("grpc://elsewhere:2222")
    with pytest.raises(ValueError, match="job_name"):
        tf.train.Server({"ps": ["a:1"], "worker": ["b:2"]})
    with pytest.raises(TypeError, match="ServerDef"):
        tf.train.Server("localhost:2222")


def test_server_def():
    tf = regraft.v1
    given = tf.train.ServerDef(job_name="x", task_index=1, protocol="grpc")
    given.cluster.job.add(name="x").tasks[1] = "h:7"
    server = tf.train.Server(given, config=tf.ConfigProto(allow_soft_placement=True), start=False)
    assert server.target == b"grpc://h:7"
    assert server.server_def.default_session_config.allow_soft_placement
    with tf.Graph().as_default(), pytest.raises(NotFoundError):
        tf.Session(server.target)
