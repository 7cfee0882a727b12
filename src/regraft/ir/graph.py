"""Graph: operations by name in order of creation, collections, functions, and the scopes that new operations enter."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from regraft.base import devices, names
from regraft.base.dtypes import DType
from regraft.ir import op_def, shape_inference, stacks
from regraft.ir.collections import Collections
from regraft.ir.function import FunctionDef
from regraft.ir.latent import LatentNodes, Members
from regraft.ir.node import Operation, Tensor
from regraft.ir.scopes import ControlScope, DeviceScope, Scopes

# The GraphDef version that new graphs carry: the producer of the TensorFlow whose op signatures we ship.
PRODUCER = 2474

# TensorFlow 2 marks with this attribute what a program named in control_dependencies().
_MARK = "_has_manual_control_dependencies"


class Graph:
    """A dataflow graph under construction or as it was read.

    version  counts every change; what is derived from a graph (plans, consumers) is kept for one version
    lock     held while operations, and what they are connected to, come to be
    """

    if TYPE_CHECKING:  # given by `regraft.v1`, which knows the default graph and the messages
        as_default: Callable[[], contextlib.AbstractContextManager[Graph]]
        as_graph_def: Callable[..., Any]

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._members = Members(self.lock)
        self._unmarked: list[LatentNodes] = []  # those whose names are not in `_names_in_use` yet
        self._names_in_use: dict[str, int] = {}
        self._collections = Collections(self.lock)
        self._functions: dict[str, FunctionDef] = {}
        self._scopes = Scopes()
        self._finalized = False
        self._consumers: tuple[int, dict[tuple[int, int], list[Operation]]] | None = None
        self._unfeedable: set[Any] = set()
        self._unfetchable: set[Any] = set()
        self.version = 0
        self.producer = PRODUCER
        self.min_consumer = 0
        self.bad_consumers: tuple[int, ...] = ()
        self.seed: int | None = None
        self.seeds_given = 0  # to random ops without a seed of their own
        self.local_op_defs: dict[str, op_def.OpDef] = {}

    # Reading

    @property
    def finalized(self) -> bool:
        return self._finalized

    @property
    def building_function(self) -> bool:
        """Whether this is the body of a function: False, a Graph is none."""
        return False

    def get_operations(self) -> list[Operation]:
        """All operations in order of creation."""
        return self._members.operations()

    @property
    def names(self) -> Iterator[str]:
        """The names of all operations, in no order."""
        return self._members.names()

    def __len__(self) -> int:
        return len(self._members)

    def __bool__(self) -> bool:
        """True: an empty graph is a graph."""
        return True

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def find(self, name: str) -> Operation | None:
        """The operation of this name, or None."""
        return self._members.find(name)

    def count_outputs(self, name: str) -> int | None:
        """How many outputs the operation of this name has, or None where there is none. A latent one stays so."""
        return self._members.count_outputs(name)

    def op_def(self, op_type: str) -> op_def.OpDef | None:
        """The signature of an op: the one the graph's own file brought, or TensorFlow's."""
        return self.local_op_defs.get(op_type) or op_def.lookup(op_type)

    def get_operation_by_name(self, name: str) -> Operation:
        """The operation `name`. KeyError when there is none, ValueError when `name` has the form of a tensor's."""
        if not isinstance(name, str):
            raise TypeError(f"Operation names are strings (or similar), not {type(name).__name__}.")
        found = self.as_graph_element(name, allow_tensor=False, allow_operation=True)
        assert isinstance(found, Operation)
        return found

    def get_tensor_by_name(self, name: str) -> Tensor:
        """The tensor `op:index`. KeyError when there is none, ValueError when `name` has the form of an operation's."""
        if not isinstance(name, str):
            raise TypeError(f"Tensor names are strings (or similar), not {type(name).__name__}.")
        found = self.as_graph_element(name, allow_tensor=True, allow_operation=False)
        assert isinstance(found, Tensor)
        return found

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Tensor | Operation:
        """The tensor or operation that `obj` is, names, or stands for (by its `_as_graph_element`)."""
        if not (allow_tensor or allow_operation):
            raise ValueError("allow_tensor and allow_operation can't both be False.")
        convert = getattr(obj, "_as_graph_element", None)
        if convert is not None:
            obj = convert()
        if isinstance(obj, bytes):
            obj = obj.decode()
        if isinstance(obj, str):
            return self._by_name(obj, allow_tensor, allow_operation)
        if (isinstance(obj, Tensor) and allow_tensor) or (isinstance(obj, Operation) and allow_operation):
            if obj.graph is not self:
                kind = "Tensor" if isinstance(obj, Tensor) else "Operation"
                raise ValueError(f"{kind} {obj} is not an element of this graph.")
            return obj
        kinds = " or ".join(k for k, on in (("Tensor", allow_tensor), ("Operation", allow_operation)) if on)
        raise TypeError(f"Can not convert a {type(obj).__name__} into a {kinds}.")

    def _by_name(self, name: str, allow_tensor: bool, allow_operation: bool) -> Tensor | Operation:
        if ":" in name and allow_tensor:
            op_name, _, digits = name.partition(":")
            if not digits.isdigit():
                raise ValueError(
                    f"The name {name!r} looks a like a Tensor name, but is not a valid one. "
                    'Tensor names must be of the form "<op_name>:<output_index>".'
                )
            index = int(digits)
            op = self.find(op_name)
            if op is None:
                raise KeyError(
                    f"The name {name!r} refers to a Tensor which does not exist. "
                    f"The operation, {op_name!r}, does not exist in the graph."
                )
            if index >= len(op.output_types):
                raise KeyError(
                    f"The name {name!r} refers to a Tensor which does not exist. "
                    f"The operation, {op_name!r}, exists but only has {len(op.output_types)} outputs."
                )
            return op.outputs[index]
        if ":" in name:
            raise ValueError(f"Name {name!r} appears to refer to a Tensor, not a Operation.")
        if not allow_operation:
            form = 'Tensor names must be of the form "<op_name>:<output_index>".'
            if name in self:
                raise ValueError(f"The name {name!r} refers to an Operation, not a Tensor. {form}")
            raise ValueError(f"The name {name!r} looks like an (invalid) Operation name, not a Tensor. {form}")
        found = self.find(name)
        if found is None:
            raise KeyError(f"The name {name!r} refers to an Operation not in the graph.")
        return found

    def is_feedable(self, tensor: Any) -> bool:
        return tensor not in self._unfeedable

    def is_fetchable(self, tensor_or_op: Any) -> bool:
        op = tensor_or_op.op if isinstance(tensor_or_op, Tensor) else tensor_or_op
        return op not in self._unfetchable

    def prevent_feeding(self, tensor: Tensor) -> None:
        self._unfeedable.add(tensor)

    def prevent_fetching(self, op: Operation) -> None:
        self._unfetchable.add(op)

    def consumers(self, tensor: Tensor) -> list[Operation]:
        """The operations that take `tensor`, in order of creation. The first call for a version indexes the graph."""
        if self._consumers is None or self._consumers[0] != self.version:
            index: dict[tuple[int, int], list[Operation]] = {}
            for op in self.get_operations():
                seen = set()
                for t in op._inputs:
                    key = (id(t.op), t.value_index)
                    if key not in seen:
                        seen.add(key)
                        index.setdefault(key, []).append(op)
            self._consumers = (self.version, index)
        return list(self._consumers[1].get((id(tensor.op), tensor.value_index), ()))

    def infer_shapes(self, op: Operation) -> None:
        """Give every output of `op`, and of what it depends on, its static shape."""
        stack = [op]
        while stack:
            top = stack[-1]
            if all(t._shape is not None for t in top.outputs):
                stack.pop()
                continue
            # A back edge (NextIteration -> Merge) reads as unknown instead of going round.
            waiting = [
                t.op for t in top._inputs if t._shape is None and t.op.type not in ("NextIteration", "RefNextIteration")
            ]
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            for tensor, shape in zip(top.outputs, shape_inference.infer(top), strict=True):
                if tensor._shape is None:
                    tensor._shape = shape

    # Names and scopes

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """`name` in the current name scope, with `_1`, `_2`, ... behind it when it is taken."""
        if self._unmarked:
            self._mark_latent()
        scope = self._scopes.name
        if scope:
            name = f"{scope}/{name}"
        key = name.lower()
        count = self._names_in_use.get(key, 0)
        if mark_as_used:
            self._names_in_use[key] = count + 1
        if count > 0:
            base = key
            while key in self._names_in_use:
                key = f"{base}_{count}"
                count += 1
            if mark_as_used:
                self._names_in_use[key] = 1
            name = f"{name}_{count - 1}"
        return name

    def _mark_latent(self) -> None:
        with self.lock:
            take = self._names_in_use.setdefault
            while self._unmarked:
                for name in self._unmarked[-1].names:
                    take(name.lower(), 1)
                self._unmarked.pop()

    def mark_name_used(self, name: str) -> None:
        self._names_in_use.setdefault(name.lower(), 1)

    @contextlib.contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """Put `name/` before the names of operations made inside; yields the scope with its slash.

        A name that ends with "/" re-enters that scope as it is; None or "" goes back to the root.
        """
        if name:
            valid, kind = names.VALID_SCOPE_NAME, "scope name"
            if not self._scopes.name:
                valid, kind = names.VALID_OP_NAME, "root scope name"
            if not valid.match(name):
                raise ValueError(f"{name!r} is not a valid {kind}. It has to match the pattern {valid.pattern}")
        before = self._scopes.name
        if not name:
            new = ""
        elif name.endswith("/"):
            new = name[:-1]
        else:
            new = self.unique_name(name)
        self._scopes.name = new
        try:
            yield "" if not new else new + "/"
        finally:
            self._scopes.name = before

    def get_name_scope(self) -> str:
        return self._scopes.name

    @contextlib.contextmanager
    def device(self, device: Any) -> Iterator[None]:
        """Place operations made inside: a string, a function from Operation to string, or None for no outer device."""
        with self._scopes.pushed("devices", DeviceScope(device)):
            yield

    @contextlib.contextmanager
    def colocate_with(self, op: Any, ignore_existing: bool = False) -> Iterator[None]:
        """Put operations made inside into the group of `op`; None with `ignore_existing` leaves all groups."""
        if op is None and not ignore_existing:
            raise ValueError("Trying to reset colocation (op is None) but ignore_existing is not True")
        if op is not None and not isinstance(op, Operation):
            # A resource variable is where its handle is.
            element = self.as_graph_element(getattr(op, "handle", op))
            op = element.op if isinstance(element, Tensor) else element
        scopes = self._scopes
        saved = (scopes.colocation, scopes.devices)
        # Outer devices do not count inside, not even where there is no group: so it is in TensorFlow.
        scopes.devices = ()
        scopes.colocation = (() if ignore_existing else scopes.colocation) + (() if op is None else (op,))
        try:
            yield
        finally:
            scopes.colocation, scopes.devices = saved

    @contextlib.contextmanager
    def control_dependencies(self, inputs: Any) -> Iterator[None]:
        """Make operations created inside run after `inputs` (operations, tensors or what stands for them).

        None forgets the dependencies and the control flow context of all outer scopes.
        """
        scopes = self._scopes
        saved = (scopes.controls, scopes.control_flow_context)
        if inputs is None:
            scopes.controls, scopes.control_flow_context = (), None
        else:
            ops: list[Operation] = []
            outside = {op for scope in scopes.controls for op in scope.ops}
            for item in inputs:
                if hasattr(item, "_indexed_slices_op"):
                    item = item._indexed_slices_op
                elif hasattr(item, "handle") and hasattr(item, "op"):
                    item = item.op  # a resource variable: nothing is read for it
                element = self.as_graph_element(item)
                op = element.op if isinstance(element, Tensor) else element
                if op not in ops and op not in outside:
                    ops.append(op)
                if not self._finalized and _MARK not in op.attrs:
                    self.set_attr(op, _MARK, True)
            scopes.controls = (*scopes.controls, ControlScope(tuple(ops), scopes.control_flow_context))
        try:
            yield
        finally:
            scopes.controls, scopes.control_flow_context = saved

    @contextlib.contextmanager
    def attr_scope(self, attrs: Mapping[str, Any]) -> Iterator[None]:
        """Set these attributes on operations made inside; a None value takes one away again."""
        merged = {**self._scopes.attrs, **attrs}
        with self._scopes.replaced("attrs", {k: v for k, v in merged.items() if v is not None}):
            yield

    @contextlib.contextmanager
    def gradient_override_map(self, op_type_map: Mapping[str, str]) -> Iterator[None]:
        """Make operations of these types, made inside, take the gradient registered under another name."""
        if not isinstance(op_type_map, Mapping):
            raise TypeError("op_type_map must be a dictionary mapping strings to strings")
        for key, value in op_type_map.items():
            if not (isinstance(key, str) and isinstance(value, str)):
                raise TypeError("op_type_map must be a dictionary mapping strings to strings")
        with self._scopes.replaced("gradient_overrides", {**self._scopes.gradient_overrides, **op_type_map}):
            yield

    @contextlib.contextmanager
    def container(self, name: str) -> Iterator[str]:
        """Keep the state of stateful operations made inside in the resource container `name`."""
        with self._scopes.replaced("container", name):
            yield name

    @property
    def scopes(self) -> Scopes:
        """The scope stacks of the calling thread."""
        return self._scopes

    @property
    def building(self) -> Graph:
        """The graph into which new operations go: this one, or that of a function that the thread traces inside it."""
        inner = self._scopes.tracing
        return self if inner is None else inner.building

    def source(self, tensor: Tensor) -> Tensor | None:
        """The tensor of a graph around this one that an argument of a function stands for."""
        return None

    # Building

    def check_not_finalized(self) -> None:
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")

    def finalize(self) -> None:
        """Refuse all further changes."""
        self._finalized = True

    def _unsafe_unfinalize(self) -> None:
        self._finalized = False

    def create_op(
        self,
        op_type: str,
        inputs: Sequence[Tensor],
        output_types: Sequence[DType],
        attrs: Mapping[str, Any],
        name: str | None = None,
    ) -> Operation:
        """Add a node in the current scopes. Types and attributes are taken as they are: `opkit.builder` works them out.

        name  None for the op's type; made unique in the current scope; as it is (less the slash) if it ends with "/"
        """
        self.check_not_finalized()
        if name is None:
            name = op_type
        name = name[:-1] if name.endswith("/") else self.unique_name(name)
        if not names.VALID_OP_NAME.match(name):
            raise ValueError(f"{name!r} is not a valid node name: it must match {names.VALID_OP_NAME.pattern}")
        for i, tensor in enumerate(inputs):
            if tensor.graph is not self:
                raise ValueError(
                    f"Tensor {tensor} (input {i} of {name!r}) must be from the same graph as the operation."
                )
        scopes = self._scopes
        for tensor in inputs:
            context = tensor.op.control_flow_context
            if context is not None and context is not scopes.control_flow_context:
                context.check_use(scopes.control_flow_context, op_type, name, tensor.op)
        controls = scopes.control_inputs_for(inputs)
        stack = stacks.current()
        with self.lock:
            op = Operation(
                self, name, op_type, (tuple(inputs), controls), dict(attrs), tuple(output_types), "", self.next_id
            )
            self.append(op)
        op._stack = stack
        op._version = self.version
        op.control_flow_context = scopes.control_flow_context
        for scope in scopes.controls:
            scope.saw(op)
        if op.control_flow_context is not None:
            self._enter_context(op)
        self._place(op)
        self.enter_attr_scopes(op)
        return op

    def _enter_context(self, op: Operation) -> None:
        """Let the control flow context replace the inputs that come from outside.

        Shapes are inferred before: a constant from outside is none any more behind a Switch or an Enter.
        """
        self.infer_new_shapes(op)
        op.control_flow_context.AddOp(op)

    def infer_new_shapes(self, op: Operation) -> None:
        """Infer the shapes of the newest operation; where they contradict each other it is taken back."""
        try:
            self.infer_shapes(op)
        except Exception:
            self.discard(op)
            raise

    def append(self, op: Operation) -> None:
        """Take in a finished operation of a new name."""
        if op.name in self:
            raise ValueError(f"Duplicate node name in graph: {op.name!r}")
        self._members.append(op)
        self._names_in_use.setdefault(op.name.lower(), 1)
        self.version += 1

    def adopt(self, nodes: LatentNodes) -> None:
        """Take in many nodes of new names. For importers."""
        with self.lock:
            self._members.adopt(nodes)
            self._unmarked.append(nodes)
            self.version += 1

    def discard(self, op: Operation) -> None:
        """Take back the newest operation, which nothing uses yet."""
        self._members.discard(op)
        self.version += 1

    @property
    def next_id(self) -> int:
        return len(self._members)

    def _place(self, op: Operation) -> None:
        for scope in reversed(self._scopes.devices):
            if scope.device is None:
                break
            op.device = devices.merge(scope.of(op), op.device)

    def enter_attr_scopes(self, op: Operation) -> None:
        """Give a new operation what the attribute, gradient, container and colocation scopes say."""
        scopes = self._scopes
        new: dict[str, Any] = {key: value for key, value in scopes.attrs.items() if key not in op.attrs}
        if op.type in scopes.gradient_overrides and "_gradient_op_type" not in op.attrs:
            new["_gradient_op_type"] = scopes.gradient_overrides[op.type].encode()
        if scopes.container and not op.attrs.get("container"):
            definition = self.op_def(op.type)
            if definition is not None and definition.is_stateful and "container" in definition.attrs:
                new["container"] = scopes.container.encode()
        if scopes.colocation:
            new["_class"] = tuple(sorted({g for other in scopes.colocation for g in other.colocation_groups()}))
            op.device = next((other.device for other in reversed(scopes.colocation) if other.device), op.device)
        if new:
            op.attrs = {**op.attrs, **new}

    def _mutable(self, op: Operation) -> None:
        if op.graph is not self:
            raise ValueError(f"Operation {op.name!r} is not an element of this graph.")
        self.check_not_finalized()
        self.version += 1

    def set_attr(self, op: Operation, name: str, value: Any) -> None:
        self._mutable(op)
        op.attrs = {**op.attrs, name: value}

    def clear_attr(self, op: Operation, name: str) -> None:
        self._mutable(op)
        op.attrs = {k: v for k, v in op.attrs.items() if k != name}

    def set_device(self, op: Operation, device: Any) -> None:
        """Say where an operation runs; a finalized graph allows it too."""
        self.version += 1
        op.device = devices.canonical(device if isinstance(device, str) else device.to_string())

    def add_control_inputs(self, op: Operation, ops: Iterable[Operation]) -> None:
        self._mutable(op)
        new = [o for o in dict.fromkeys(ops) if o not in op._controls]
        for o in new:
            if not isinstance(o, Operation):
                raise TypeError(f"op must be an Operation: {o}")
            if o.graph is not self:
                raise ValueError(f"Operation {o.name!r} is not an element of this graph.")
        op._controls = (*op._controls, *new)

    def remove_all_control_inputs(self, op: Operation) -> None:
        self._mutable(op)
        op._controls = ()

    def update_input(self, op: Operation, index: int, tensor: Tensor) -> None:
        """Replace one data input. ValueError when the tensor is of another graph."""
        self._mutable(op)
        if tensor.graph is not self:
            raise ValueError(f"Tensor {tensor} is not an element of this graph.")
        op._inputs = (*op._inputs[:index], tensor, *op._inputs[index + 1 :])

    # Collections

    def add_to_collection(self, name: Any, value: Any) -> None:
        self.check_not_finalized()
        self._collections.add(name, value)

    def add_to_collection_later(self, name: Any, make: Callable[[], Iterable[Any]]) -> None:
        """Add what `make` returns, when somebody looks at the collections; `make` must not do that."""
        self.check_not_finalized()
        self._collections.put_off(name, make)

    def add_to_collections(self, names: Any, value: Any) -> None:
        """Add to each of several collections, or to one if `names` is a string."""
        for name in (names,) if isinstance(names, str) else dict.fromkeys(names):
            self.add_to_collection(name, value)

    def get_collection_ref(self, name: Any) -> list[Any]:
        """The collection itself, so that changes to the list stay; made if there is none."""
        return self._collections.all().setdefault(name, [])

    def get_collection(self, name: Any, scope: str | None = None) -> list[Any]:
        """A copy of the collection; with `scope`, of the items whose name matches that regular expression."""
        items = self._collections.all().get(name, ())
        if scope is None:
            return list(items)
        pattern = re.compile(scope)
        return [item for item in items if hasattr(item, "name") and pattern.match(item.name)]

    def get_all_collection_keys(self) -> list[Any]:
        return [key for key in self._collections.all() if isinstance(key, str)]

    @property
    def collections(self) -> list[Any]:
        return list(self._collections.all())

    def clear_collection(self, name: Any) -> None:
        self.check_not_finalized()
        self._collections.all().pop(name, None)

    # Functions

    def add_function(self, function: FunctionDef) -> None:
        """Add to the library. ValueError when another function has the name."""
        known = self._functions.get(function.name)
        if known is not None and known.proto != function.proto:
            raise ValueError(f"Another function is already defined with the name {function.name!r}")
        self._functions[function.name] = function
        self.version += 1

    def function(self, name: str) -> FunctionDef | None:
        return self._functions.get(name)

    @property
    def functions(self) -> Mapping[str, FunctionDef]:
        return self._functions
