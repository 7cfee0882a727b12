"""Rows of `ops/collective.py`. TensorFlow runs none of these ops alone, or without GPUs."""

import numpy as np

from tests.ops.case import Case

X = np.float32([[1.0, -2.0], [3.0, 4.0]])
Y = np.float32([[0.5, 5.0], [-3.0, 4.0]])
GROUP = {"group_size": 1, "group_key": 1, "instance_key": 1}
REDUCE = {"merge_op": "Add", "final_op": "Div"}
ONE = [np.int32(1)] * 3


def alone(op: str, inputs: list[object], attrs: dict[str, object], *expected: object, shapes: str = "equal") -> Case:
    return Case(op, inputs, attrs, expected=list(expected), shapes=shapes, why="one worker keeps what it has")


CASES = [
    alone("CollectiveReduce", [X], {**GROUP, **REDUCE, "subdiv_offsets": [0]}, X),
    alone("CollectiveReduceV2", [X, *ONE, []], REDUCE, X),
    alone("CollectiveGather", [X], {**GROUP, "shape": [2, 2]}, X),
    alone("CollectiveBcastSend", [X], {**GROUP, "shape": [2, 2]}, X),
    alone("NcclAllReduce", [X], {"reduction": "sum", "num_devices": 1, "shared_name": "a"}, X),
    alone("NcclReduce", [[X, Y]], {"reduction": "sum"}, X + Y),
    alone("NcclReduce", [[X, Y]], {"reduction": "prod"}, X * Y),
    alone("NcclReduce", [[X, Y]], {"reduction": "min"}, np.minimum(X, Y)),
    alone("NcclReduce", [[X, Y]], {"reduction": "max"}, np.maximum(X, Y)),
    alone("NcclBroadcast", [X], {"shape": [2, 2]}, X),
    alone("HorovodAllreduce", [X], {}, X),
    alone("HorovodAllreduce", [X], {"prescale_factor": 0.5, "postscale_factor": 3.0}, np.float32(1.5) * X),
    alone("HorovodAllgather", [X], {}, X, shapes="looser"),
    alone("HorovodBroadcast", [X], {"root_rank": 0}, X),
    alone("HorovodSize", [], {}, np.int32(1)),
    alone("HorovodLocalSize", [], {}, np.int32(1)),
    alone("HorovodRank", [], {}, np.int32(0)),
    alone("HorovodLocalRank", [], {}, np.int32(0)),
]
