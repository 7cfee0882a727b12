"""The stacks a graph consults when it makes an operation: names, devices, groups, dependencies. One set a thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regraft.ir.graph import Graph
    from regraft.ir.node import Operation, Tensor


class DeviceScope:
    """One `with graph.device(...)`: a string, a function of the operation, or None for "ignore what is outside"."""

    __slots__ = ("device",)

    def __init__(self, device: Any) -> None:
        self.device = device

    def of(self, op: Operation) -> str:
        device = self.device
        if callable(device):
            device = device(op)
        if device is None:
            return ""
        return device if isinstance(device, str) else str(device.to_string())


class ControlScope:
    """One `with graph.control_dependencies(...)`.

    An operation that takes a tensor made inside depends on the scope's operations already, through that tensor; it gets
    no control input of its own.
    """

    __slots__ = ("context", "ops", "seen")

    def __init__(self, ops: tuple[Operation, ...], context: Any) -> None:
        self.ops = ops
        self.context = context
        self.seen: set[Operation] = set()

    def saw(self, op: Operation) -> None:
        self.seen.add(op)


class Scopes(threading.local):
    """All stacks of one graph for one thread."""

    def __init__(self) -> None:
        self.name = ""
        self.devices: tuple[DeviceScope, ...] = ()
        self.colocation: tuple[Operation, ...] = ()
        self.controls: tuple[ControlScope, ...] = ()
        self.control_flow_context: Any = None
        self.attrs: dict[str, Any] = {}
        self.gradient_overrides: dict[str, str] = {}
        self.container = ""
        self.tracing: Graph | None = None

    @contextlib.contextmanager
    def replaced(self, stack: str, value: Any) -> Iterator[None]:
        before = getattr(self, stack)
        setattr(self, stack, value)
        try:
            yield
        finally:
            setattr(self, stack, before)

    def pushed(self, stack: str, value: Any) -> contextlib.AbstractContextManager[None]:
        return self.replaced(stack, (*getattr(self, stack), value))

    def control_inputs_for(self, inputs: Sequence[Tensor]) -> tuple[Operation, ...]:
        """The control inputs that a new operation with these data inputs takes, outermost scope first."""
        if not self.controls:
            return ()
        taken: list[Operation] = []
        input_ops = {t.op for t in inputs}
        for scope in self.controls:
            if input_ops & scope.seen:
                continue
            taken.extend(op for op in scope.ops if op not in input_ops and op not in taken)
        return tuple(taken)
