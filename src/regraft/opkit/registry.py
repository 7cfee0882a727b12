"""The registry of ops and its one decorator.

    @op("TanhGrad", shape=same_as(0))
    def tanh_grad(y, dy):
        \"""dy * (1 - y^2), with y the forward output.\"""
        return dy * (1 - y * y)

    @tanh_grad.gradient
    def _(b, node, dz): ...

Two rules for kernels:

1. Inputs are positional, one parameter an input of the OpDef (an input that is a list of tensors arrives as a tuple);
   attributes are keyword-only, and only those that the kernel names are handed in. The result is one array, or a tuple
   with one array for each output tensor; an op without outputs returns None.
2. A kernel is pure. What it needs beyond its inputs stands on the decorator (see `OpSpec`).
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from regraft.base.errors import AlreadyExistsError


class Runs(enum.Enum):
    """Where a kernel runs."""

    XLA = "xla"
    """Traced into a compiled program, or called with NumPy arrays by the interpreter."""
    HOST = "host"
    """Called with NumPy arrays only: strings, files, queues, image codecs, results whose shape depends on values."""
    CONTROL = "control"
    """Has no kernel of its own: the executor gives it meaning (Switch, Merge, function calls, ...)."""


class Control(enum.Enum):
    """What a CONTROL op means to the executor."""

    PLACEHOLDER = "placeholder"
    """A value that the caller must feed."""
    VARIABLE = "variable"
    """Output 0 names a variable: a reference or a resource handle."""
    INITIALIZED = "initialized"
    """Whether the variable that input 0 names has a value."""
    DESTROY = "destroy"
    """Takes the value of the variable that input 0 names away; a reference's last value is output 0."""
    SWITCH = "switch"
    MERGE = "merge"
    ENTER = "enter"
    EXIT = "exit"
    NEXT_ITERATION = "next iteration"
    LOOP_COND = "loop cond"
    TRIGGER = "trigger"
    """Does nothing, and does so even where what it waits for is dead."""
    CALL = "call"
    """Runs the library function that attribute `f` names (or that has the op's name)."""
    GRADIENT = "gradient"
    """Runs the gradient of the library function that attribute `f` names."""
    IF = "if"
    CASE = "case"
    WHILE = "while"


Surplus = Literal["", "makes", "counts", "sums", "keeps", "drops"]
Mask = Literal["", "draws", "scales", "adds", "compares", "rounds"]
Repeated = Literal["", "same", "gives", "takes"]

# Keyword arguments that a kernel gets from the run, not from the node.
_CONTEXT = ("rng", "session", "objects", "node", "functions")


@dataclass(slots=True)
class OpSpec:
    """An op as Regraft implements it.

    name      TensorFlow's name of the op
    kernel    the function; None for CONTROL ops
    shape     the shape rule: (ShapeContext) -> one Sizes for each output (see `opkit.shapes`)
    runs      where the kernel runs
    static    inputs that must be known when the op is traced: they arrive as NumPy arrays and key the compile cache
    static_if (Operation) -> names of further static inputs, where that depends on the node
    metadata  inputs of which the kernel reads shape and dtype alone: asking for its result asks for no value of theirs
    reads     inputs that are variables (refs or resource handles) and are read: the kernel gets the value instead
    writes    inputs that are variables and are written. The kernel gets their old values (None for `blind` ones) and
              returns the new values, in this order, before its other outputs. Outputs that are refs are not returned:
              they name the variable of the first input in `writes`
    blind     inputs in `writes` whose old value the kernel does not need: they may be uninitialized
    lax       the kernel can't run on NumPy: the interpreter compiles it by itself
    costly    the kernel takes so long on NumPy that a step with it is compiled at once where that is for a GPU or TPU
    random    the kernel takes `rng` (see `opkit.random`), drawn from the session's counter for the node
    session   HOST only: the kernel takes `session`, the run's resources (queues, tables, iterators, files); if it takes
              `node` as well, that is the name of its node, after which a resource is called that nobody named; one
              that takes `functions` instead can call functions of the library too (see `runtime.functions`)
    objects   the kernel makes or takes TensorArrays or stacks (see `opkit.objects`); one that makes them has `objects`
    puts      the input that the kernel puts into the object of input 0, from where an op that `gets` takes it
    gets      output 0 is what some op has put into the object of input 0
    blocking  HOST only: the kernel may wait for another thread; it runs outside the lock that serialises writes. One
              that is a generator (`waits`) yields what it waits for, see `opkit.waiting`
    checks    the kernel does nothing but raise where input 0 does not hold. A program takes that input alone; where it
              does not hold, the program leaves everything as it was, and the step is interpreted instead
    surplus   what the op does with rows that a program adds at the end of a value (see `runtime.surplus`)
    mask      what the op does with random numbers that a mask is made of (see `runtime.masks`)
    elementwise  each number of the results follows from one number of each input; the inputs broadcast
    rows      how the kernel runs on several elements at once (see `runtime.rows`): it takes what the kernel takes, some
              inputs with an axis for the elements in front, and `rows`, which says of each input whether it has that
              axis; the results have it. None for a combination that it does not know
    repeated  what an op does in a run that is done several times at once (see `runtime.repeated`). It has the `same`
              results each time; or it `gives` an element: `rows` is a task that takes the inputs and `count`, waits
              for one element, and returns for each output a list with its values for that and those behind it, as many
              as are there, at most `count`; or it `takes` an element: `rows` is a task that takes the handle and a list
              of elements. The resource of that handle says by `room()` how many it takes without waiting
    alias     output 0 is another name for what input 0 names, where that is a variable
    control   what a CONTROL op means
    pure      whether two runs on equal inputs give equal results and nothing else happens; such ops fold
    grad      the gradient rule: (Builder, Operation, *output gradients) -> input gradients, None where there is none
    no_grad   why there is no gradient; "" where `grad` gives it or nobody has said
    """

    name: str
    kernel: Callable[..., Any] | None
    shape: Callable[[Any], Sequence[Any]]
    runs: Runs = Runs.XLA
    static: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()
    lax: bool = False
    costly: bool = False
    random: bool = False
    session: bool = False
    objects: bool = False
    puts: str = ""
    gets: bool = False
    blocking: bool = False
    checks: bool = False
    surplus: Surplus = ""
    mask: Mask = ""
    elementwise: bool = False
    rows: Callable[..., Any] | None = None
    repeated: Repeated = ""
    pure: bool = True
    alias: bool = False
    control: Control | None = None
    grad: Callable[..., Any] | None = None
    no_grad: str = ""
    module: str = ""
    static_if: Callable[[Any], Sequence[str]] | None = None
    attr_names: tuple[str, ...] = field(init=False, default=())
    input_names: tuple[str, ...] = field(init=False, default=())
    makes_objects: bool = field(init=False, default=False)
    named: bool = field(init=False, default=False)
    waits: bool = field(init=False, default=False)
    calls: bool = field(init=False, default=False)
    plain: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        if self.kernel is None:
            return
        # The code object says it ten times sooner than inspect.signature, which counts at 600 ops.
        code = inspect.unwrap(self.kernel).__code__
        keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        self.input_names = code.co_varnames[: code.co_argcount]
        self.attr_names = tuple(name for name in keywords if name not in _CONTEXT)
        self.makes_objects = "objects" in keywords
        self.named = "node" in keywords
        self.waits = bool(code.co_flags & inspect.CO_GENERATOR)
        self.calls = "functions" in keywords
        # Arrays and attributes are all that the kernel takes, and NumPy all that it needs.
        self.plain = not (self.random or self.lax or self.session or self.makes_objects or self.calls or self.waits)

    def static_inputs(self, node: Any) -> tuple[str, ...]:
        """The static inputs of a node of this op."""
        return self.static if self.static_if is None else (*self.static, *self.static_if(node))


class Kernel:
    """What the decorator leaves behind in the module: call it as the plain function, or hang the gradient on it."""

    def __init__(self, specs: tuple[OpSpec, ...], function: Callable[..., Any]) -> None:
        self.specs = specs
        self.function = function
        self.__doc__ = function.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def gradient(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Make `rule` the gradient of every op of this kernel."""
        for spec in self.specs:
            spec.grad = rule
        return rule

    def rows(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Let `rule` run every op of this kernel on several elements at once; see `OpSpec.rows`."""
        for spec in self.specs:
            spec.rows = rule
        return rule

    def static_where(self, rule: Callable[[Any], Sequence[str]]) -> Callable[[Any], Sequence[str]]:
        """Let `rule` say which inputs of a node are static beside those that always are."""
        for spec in self.specs:
            spec.static_if = rule
        return rule


_SPECS: dict[str, OpSpec] = {}


def _tuple(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def op(
    *names: str,
    shape: Callable[[Any], Sequence[Any]],
    runs: Runs = Runs.XLA,
    static: str | Sequence[str] = (),
    metadata: str | Sequence[str] = (),
    reads: str | Sequence[str] = (),
    writes: str | Sequence[str] = (),
    blind: str | Sequence[str] = (),
    lax: bool = False,
    costly: bool = False,
    random: bool = False,
    session: bool = False,
    objects: bool = False,
    puts: str = "",
    gets: bool = False,
    blocking: bool = False,
    checks: bool = False,
    surplus: Surplus = "",
    mask: Mask = "",
    elementwise: bool = False,
    repeated: Repeated = "",
    pure: bool | None = None,
    alias: bool = False,
    no_gradient: str = "",
) -> Callable[[Callable[..., Any]], Kernel]:
    """Register the decorated function as the kernel of the ops `names`: several only where they are the same."""

    def register(function: Callable[..., Any]) -> Kernel:
        effects = bool(_tuple(reads) or _tuple(writes) or random or session or objects or blocking or checks)
        specs = tuple(
            OpSpec(
                name,
                function,
                shape,
                runs,
                static=_tuple(static),
                metadata=_tuple(metadata),
                reads=_tuple(reads),
                writes=_tuple(writes),
                blind=_tuple(blind),
                lax=lax,
                costly=costly,
                random=random,
                session=session,
                objects=objects,
                puts=puts,
                gets=gets,
                blocking=blocking,
                checks=checks,
                surplus=surplus,
                mask=mask,
                elementwise=elementwise,
                repeated=repeated,
                pure=(not effects) if pure is None else pure,
                alias=alias,
                no_grad=no_gradient,
                module=function.__module__,
            )
            for name in names
        )
        for spec in specs:
            add(spec)
        return Kernel(specs, function)

    return register


def control_op(
    *names: str,
    shape: Callable[[Any], Sequence[Any]],
    control: Control | None = None,
    alias: bool = False,
    no_gradient: str = "",
    module: str = "",
) -> Kernel:
    """Register ops to which the executor itself gives meaning. A gradient can be hung on the result."""
    specs = tuple(
        OpSpec(
            name,
            None,
            shape,
            Runs.CONTROL,
            pure=False,
            alias=alias,
            control=control,
            no_grad=no_gradient,
            module=module,
        )
        for name in names
    )
    for spec in specs:
        add(spec)

    def never(*args: Any) -> Any:
        raise TypeError(f"{names[0]} is run by the executor and has no kernel")

    return Kernel(specs, never)


def add(spec: OpSpec, replace: bool = False) -> None:
    """Take in a spec. AlreadyExistsError when the op has one, unless `replace` says that this is meant."""
    if spec.name in _SPECS and not replace:
        raise AlreadyExistsError(
            f"op {spec.name!r} has a kernel already",
            where=(f"module {_SPECS[spec.name].module}", f"module {spec.module}"),
        )
    _SPECS[spec.name] = spec


def lookup(name: str) -> OpSpec | None:
    """The spec of an op, or None when Regraft has no kernel for it. `regraft.ops` must have been imported."""
    return _SPECS.get(name)


def all_specs() -> dict[str, OpSpec]:
    """Every registered spec by op name."""
    return dict(_SPECS)


Gradient = Callable[..., Any]
_NAMED_GRADIENTS: dict[str, Gradient] = {}


def register_gradient(name: str, rule: Gradient) -> None:
    """Register a gradient under a name of its own, for `_gradient_op_type` and `gradient_override_map`."""
    if name in _NAMED_GRADIENTS:
        raise KeyError(f"Registering two gradient with name {name!r}!")
    _NAMED_GRADIENTS[name] = rule


def named_gradient(name: str) -> Gradient | None:
    """The gradient registered under `name`: by `register_gradient`, or as the gradient of the op of that name."""
    if name in _NAMED_GRADIENTS:
        return _NAMED_GRADIENTS[name]
    spec = _SPECS.get(name)
    return spec.grad if spec is not None else None
