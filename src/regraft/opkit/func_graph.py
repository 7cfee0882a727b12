"""The body of a function while it is traced: a graph inside another, whose tensors become arguments where it uses them.

body = FuncGraph(graph)
with body.traced():
    x = body.argument(float32, shape, "x")
    result = body.returned([y * w + x])
body.captures     # {outer tensor: the argument that stands for it}
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from regraft.base.dtypes import DType, resource
from regraft.base.shapes import TensorShape
from regraft.ir.function import FunctionDef
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit.builder import Builder

# Stateful ops that are not kept in order, as they are their own sources of randomness.
_UNORDERED = frozenset(
    {
        *("RandomUniform", "RandomUniformInt", "RandomStandardNormal", "ParameterizedTruncatedNormal"),
        *("TruncatedNormal", "RandomShuffle", "Multinomial", "RandomGamma", "RandomPoisson", "RandomPoissonV2"),
        *("SaveV2", "RestoreV2"),
    }
)
_READERS = frozenset({"ReadVariableOp", "VariableShape", "ResourceGather", "ResourceGatherNd"})


class FuncGraph(Graph):
    """The graph of a function that is traced inside `outer`, with the library of functions of the outermost graph.

    arguments  the tensors that stand for its arguments, in order; those of captured tensors come last
    captures   for each tensor of an outer graph that it uses the argument that stands for it
    controls   operations that must have run when it returns (see `returned`)
    """

    def __init__(self, outer: Graph) -> None:
        super().__init__()
        self.outer = outer
        self.arguments: list[Tensor] = []
        self.captures: dict[Tensor, Tensor] = {}
        self.controls: list[Operation] = []
        self.seed = outer.seed
        self.producer = outer.producer
        self.local_op_defs = outer.local_op_defs
        self._sources: dict[Tensor, Tensor] = {}
        for name in outer.get_all_collection_keys():
            self.get_collection_ref(name).extend(outer.get_collection(name))

    @contextlib.contextmanager
    def traced(self) -> Iterator[None]:
        """Let all operations that are made in this thread go into this graph, those on outer tensors too."""
        with self.outer.scopes.replaced("tracing", self):
            yield

    def argument(self, dtype: DType, shape: TensorShape, name: str) -> Tensor:
        """A new argument."""
        tensor = self._placeholder(dtype, shape, name)
        self.arguments.append(tensor)
        return tensor

    def _placeholder(self, dtype: DType, shape: TensorShape, name: str) -> Tensor:
        attrs = {"dtype": dtype, "shape": shape, "_user_specified_name": name.encode()}
        with self.control_dependencies(None):
            tensor = super().create_op("Placeholder", (), (dtype,), attrs, name=name).outputs[0]
        tensor._shape = shape
        return tensor

    def capture(self, tensor: Tensor) -> Tensor:
        """The tensor of this graph that stands for one of an outer graph. ValueError if it is of no outer graph."""
        if tensor.graph is self:
            return tensor
        found = self.captures.get(tensor)
        if found is None:
            graph: Graph = self
            while graph is not tensor.graph:
                if not isinstance(graph, FuncGraph):
                    raise ValueError(f"Tensor {tensor} is of another graph than the function and those around it.")
                graph = graph.outer
            found = self.captures[tensor] = self.argument(tensor.dtype.base, tensor.shape, tensor.op.name)
            self._sources[found] = tensor
        return found

    def source(self, tensor: Tensor) -> Tensor | None:
        return self._sources.get(tensor)

    def create_op(
        self,
        op_type: str,
        inputs: Sequence[Tensor],
        output_types: Sequence[DType],
        attrs: Mapping[str, Any],
        name: str | None = None,
    ) -> Operation:
        return super().create_op(op_type, [self.capture(t) for t in inputs], output_types, attrs, name)

    def add_function(self, function: FunctionDef) -> None:
        self.outer.add_function(function)

    def function(self, name: str) -> FunctionDef | None:
        return self.outer.function(name)

    @property
    def functions(self) -> Mapping[str, FunctionDef]:
        return self.outer.functions

    def returned(self, values: Sequence[Any]) -> list[Tensor]:
        """What the function returns, when it has been traced. Operations with effects run before it, in their order."""
        b = Builder(self)
        results = [b.identity(value) for value in [b.convert(value) for value in values]]
        self.controls = self._ordered()
        if self.controls:
            done = b.no_op()
            self.add_control_inputs(done, self.controls)
            for result in results:
                self.add_control_inputs(result.op, (done,))
        return results

    def _ordered(self) -> list[Operation]:
        """The operations with effects, each made to run behind those before it that it could get in the way of."""
        must_run: list[Operation] = []
        last: dict[Tensor | None, Operation] = {}
        reads: dict[Tensor, list[Operation]] = {}
        inside = False
        for op in self.get_operations():
            definition = self.op_def(op.type)
            if op.type == "Merge" and op.control_flow_context is None and inside:
                must_run.append(op)  # what a branch did is done when the branches meet
                inside = False
            if definition is None or not definition.is_stateful or op.type in _UNORDERED:
                continue
            if op.control_flow_context is not None:
                inside = True
                continue
            read_only = op.type in _READERS
            if not read_only or any(self.consumers(t) for t in op.outputs):
                must_run.append(op)
            before: list[Operation] = []
            resources = dict.fromkeys(t for t in op.inputs if t.dtype.base is resource)
            for t in resources:
                if t in last:
                    before.append(last[t])
                if read_only:
                    reads.setdefault(t, []).append(op)
                else:
                    before += reads.pop(t, [])
                    last[t] = op
            if not resources:
                if None in last:
                    before.append(last[None])
                last[None] = op
            self.add_control_inputs(op, before)
        return must_run
