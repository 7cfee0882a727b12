"""tf.train: savers, optimizers, schedules, sessions that keep themselves going, and the protos of examples."""

from __future__ import annotations

import importlib
from typing import Any

from regraft import proto
from regraft.train.global_step import (
    assert_global_step,
    create_global_step,
    get_global_step,
    get_or_create_global_step,
    global_step,
)
from regraft.train.optimizer import Optimizer
from regraft.train.optimizers import (
    AdadeltaOptimizer,
    AdagradOptimizer,
    AdamOptimizer,
    GradientDescentOptimizer,
    MomentumOptimizer,
    RMSPropOptimizer,
)
from regraft.train.queue_runner import QueueRunner
from regraft.train.regularized import (
    AdagradDAOptimizer,
    FtrlOptimizer,
    ProximalAdagradOptimizer,
    ProximalGradientDescentOptimizer,
)
from regraft.v1._checkpoint_reader import NewCheckpointReader, load_checkpoint
from regraft.v1._saver import (
    Saver,
    checkpoint_exists,
    checkpoints_iterator,
    export_meta_graph,
    generate_checkpoint_state_proto,
    get_checkpoint_mtimes,
    get_checkpoint_state,
    import_meta_graph,
    init_from_checkpoint,
    latest_checkpoint,
    list_variables,
    load_variable,
    remove_checkpoint,
    update_checkpoint_state,
)

__all__ = [
    "AdadeltaOptimizer",
    "AdagradDAOptimizer",
    "AdagradOptimizer",
    "AdamOptimizer",
    "CheckpointState",
    "FtrlOptimizer",
    "GradientDescentOptimizer",
    "MomentumOptimizer",
    "NewCheckpointReader",
    "Optimizer",
    "ProximalAdagradOptimizer",
    "ProximalGradientDescentOptimizer",
    "QueueRunner",
    "QueueRunnerDef",
    "RMSPropOptimizer",
    "Saver",
    "SaverDef",
    "assert_global_step",
    "checkpoint_exists",
    "checkpoints_iterator",
    "create_global_step",
    "export_meta_graph",
    "generate_checkpoint_state_proto",
    "get_checkpoint_mtimes",
    "get_checkpoint_state",
    "get_global_step",
    "get_or_create_global_step",
    "global_step",
    "import_meta_graph",
    "init_from_checkpoint",
    "latest_checkpoint",
    "list_variables",
    "load_checkpoint",
    "load_variable",
    "remove_checkpoint",
    "update_checkpoint_state",
    "write_graph",
]

# Names that not every program needs, and the modules where they live.
_NAMES = {
    "BytesList": "regraft.proto",
    "CheckpointSaverHook": "regraft.train.saving_hooks",
    "CheckpointSaverListener": "regraft.train.saving_hooks",
    "ChiefSessionCreator": "regraft.v1._session_creators",
    "ClusterDef": "regraft.proto",
    "ClusterSpec": "regraft.train.cluster",
    "Coordinator": "regraft.train.coordinator",
    "Example": "regraft.proto",
    "ExponentialMovingAverage": "regraft.train.averages",
    "Feature": "regraft.proto",
    "FeatureList": "regraft.proto",
    "FeatureLists": "regraft.proto",
    "Features": "regraft.proto",
    "FeedFnHook": "regraft.train.hooks",
    "FinalOpsHook": "regraft.train.hooks",
    "FloatList": "regraft.proto",
    "GlobalStepWaiterHook": "regraft.train.hooks",
    "Int64List": "regraft.proto",
    "JobDef": "regraft.proto",
    "LoggingTensorHook": "regraft.train.hooks",
    "LooperThread": "regraft.train.coordinator",
    "MonitoredSession": "regraft.v1._monitored_session",
    "MonitoredTrainingSession": "regraft.v1._monitored_session",
    "NanLossDuringTrainingError": "regraft.train.hooks",
    "NanTensorHook": "regraft.train.hooks",
    "ProfilerHook": "regraft.train.saving_hooks",
    "Scaffold": "regraft.v1._scaffold",
    "SecondOrStepTimer": "regraft.train.hook_timer",
    "SequenceExample": "regraft.proto",
    "Server": "regraft.v1._server",
    "ServerDef": "regraft.proto",
    "SessionCreator": "regraft.v1._session_creators",
    "SessionManager": "regraft.v1._session_manager",
    "SessionRunArgs": "regraft.train.session_run_hook",
    "SessionRunContext": "regraft.train.session_run_hook",
    "SessionRunHook": "regraft.train.session_run_hook",
    "SessionRunValues": "regraft.train.session_run_hook",
    "SingularMonitoredSession": "regraft.v1._monitored_session",
    "StepCounterHook": "regraft.train.saving_hooks",
    "StopAtStepHook": "regraft.train.hooks",
    "SummarySaverHook": "regraft.train.saving_hooks",
    "SummaryWriter": "regraft.train.summary_writer",
    "Supervisor": "regraft.v1._supervisor",
    "SyncReplicasOptimizer": "regraft.v1._sync_replicas",
    "VocabInfo": "regraft.saver.warm_start",
    "WorkerSessionCreator": "regraft.v1._session_creators",
    "add_queue_runner": "regraft.v1._queue_runners",
    "basic_train_loop": "regraft.v1._supervisor",
    "batch": "regraft.v1._batching",
    "batch_join": "regraft.v1._batching",
    "cosine_decay": "regraft.v1._decay",
    "cosine_decay_restarts": "regraft.v1._decay",
    "exponential_decay": "regraft.v1._decay",
    "input_producer": "regraft.v1._input_producers",
    "inverse_time_decay": "regraft.v1._decay",
    "limit_epochs": "regraft.v1._input_producers",
    "linear_cosine_decay": "regraft.v1._decay",
    "match_filenames_once": "regraft.v1._input_producers",
    "maybe_batch": "regraft.v1._batching",
    "maybe_batch_join": "regraft.v1._batching",
    "maybe_shuffle_batch": "regraft.v1._batching",
    "maybe_shuffle_batch_join": "regraft.v1._batching",
    "natural_exp_decay": "regraft.v1._decay",
    "noisy_linear_cosine_decay": "regraft.v1._decay",
    "piecewise_constant": "regraft.v1._decay",
    "piecewise_constant_decay": "regraft.v1._decay",
    "polynomial_decay": "regraft.v1._decay",
    "range_input_producer": "regraft.v1._input_producers",
    "replica_device_setter": "regraft.train.cluster",
    "shuffle_batch": "regraft.v1._batching",
    "shuffle_batch_join": "regraft.v1._batching",
    "slice_input_producer": "regraft.v1._input_producers",
    "start_queue_runners": "regraft.v1._queue_runners",
    "string_input_producer": "regraft.v1._input_producers",
    "summary_iterator": "regraft.v1.summary",
    "warm_start": "regraft.v1._saver",
}

SaverDef: Any = proto.SaverDef
CheckpointState: Any = proto.CheckpointState
QueueRunnerDef: Any = proto.QueueRunnerDef


def write_graph(graph_or_graph_def: Any, logdir: str, name: str, as_text: bool = True) -> str:
    """Write a graph to `logdir/name`, as text unless told otherwise; makes the folder. Returns the path."""
    from regraft.metagraph import write_graph as write

    return write(graph_or_graph_def, logdir, name, as_text)


def __getattr__(name: str) -> Any:
    if name == "queue_runner":
        return importlib.import_module("regraft.v1._queue_runners")
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
