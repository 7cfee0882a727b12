"""Real TensorFlow, asked by tests.

`run_op`, `run_graph` and `graph_def` answer inside this process; `run_tf` runs a piece of code in a
process of its own. TensorFlow is imported when the first question comes. `available` says whether it is there.
"""

from __future__ import annotations

from tests.oracle.inside import available, graph_def, run_graph, run_op, tensorflow
from tests.oracle.outside import run_tf

__all__ = ["available", "graph_def", "run_graph", "run_op", "run_tf", "tensorflow"]
