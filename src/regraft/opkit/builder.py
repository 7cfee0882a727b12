"""Adding TensorFlow ops to a graph, with the names, attributes and constants that TensorFlow itself would add.

    b = Builder(graph)
    y = b.MatMul(x, w, transpose_b=True, name="logits")

A capitalised method is the op of that name: inputs are positional and become tensors, attributes are keywords, type
attributes follow from the inputs. A lower-case method is TensorFlow's Python function of that name where that function
adds more than one node, or none (`b.shape(x)` is a constant when the shape is known). Gradient rules use both.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from regraft.base.dtypes import DType, as_dtype
from regraft.base.errors import NotFoundError
from regraft.base.shapes import TensorShape
from regraft.ir.attr import FunctionRef, TensorValue
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.ir.op_def import ArgDef, AttrDef, OpDef
from regraft.opkit.composites import Composites
from regraft.opkit.conversion import conversion_for, to_array


class Builder(Composites):
    """Adds ops to one graph. Holds nothing else; make one wherever it is needed."""

    __slots__ = ("graph",)

    def __init__(self, graph: Graph) -> None:
        self.graph = graph.building

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if not name[0].isupper() and name[0] != "_":
            raise AttributeError(f"Builder has no function {name!r}")
        if name.startswith("__"):
            raise AttributeError(name)

        def add(*inputs: Any, name: str | None = None, **attrs: Any) -> Any:
            return self.op(op_type, *inputs, name=name, **attrs)

        op_type = name
        return add

    def op(self, op_type: str, *inputs: Any, name: str | None = None, **attrs: Any) -> Any:
        """Add the op: a Tensor (or list) for one output, a tuple for several, the Operation where there is none."""
        operation = self.operation(op_type, *inputs, name=name, **attrs)
        return self.results(operation)

    def results(self, operation: Operation) -> Any:
        """The outputs of an operation, as `op` returns them."""
        definition = self.graph.op_def(operation.type)
        assert definition is not None
        out: list[Any] = []
        at = 0
        for arg in definition.outputs:
            if arg.is_list:
                count = (
                    int(operation.attrs[arg.number_attr])
                    if arg.number_attr
                    else len(operation.attrs[arg.type_list_attr])
                )
                out.append(operation.outputs[at : at + count])
                at += count
            else:
                out.append(operation.outputs[at])
                at += 1
        if not out:
            return operation
        return out[0] if len(out) == 1 else tuple(out)

    def operation(self, op_type: str, *inputs: Any, name: str | None = None, **attrs: Any) -> Operation:
        """Add the op and return its node.

        raises  NotFoundError for an op without a signature; TypeError, ValueError for inputs and attributes that do not
                fit;
                ValueError for shapes that can never match
        """
        graph = self.graph
        definition = graph.op_def(op_type)
        if definition is None:
            raise NotFoundError(
                f"Op type not registered {op_type!r}", hint="register its signature with register_op_def"
            )
        if len(inputs) != len(definition.inputs):
            raise TypeError(f"op {op_type!r} takes {len(definition.inputs)} inputs, got {len(inputs)}")
        graph.check_not_finalized()
        with graph.name_scope(name or op_type) as scope:
            values = _Attrs(definition, attrs)
            tensors: list[Tensor] = []
            references: list[Tensor] = []
            for arg, value in zip(definition.inputs, inputs, strict=True):
                converted = self._convert_arg(definition, arg, value, values)
                tensors.extend(converted)
                if arg.is_ref:
                    references.extend(converted)
            final = values.finish(op_type)
            types = output_types(definition, final)
            with contextlib.ExitStack() as groups:
                # An op that takes a reference stands where the variable stands.
                for tensor in references:
                    groups.enter_context(graph.colocate_with(tensor.op))
                operation = graph.create_op(op_type, tensors, types, final, name=scope)
            graph.infer_new_shapes(operation)
        return operation

    def _convert_arg(self, definition: OpDef, arg: ArgDef, value: Any, attrs: _Attrs) -> list[Tensor]:
        where = f"Input {arg.name!r} of {definition.name!r} Op"
        if arg.is_list:
            if not isinstance(value, (list, tuple)):
                raise TypeError(f"Expected list for {arg.name!r} argument to {definition.name!r} Op, not {value!r}.")
            return self._convert_list(definition, arg, list(value), attrs, where)
        wanted = attrs.type_of(arg)
        tensor = self._convert_one(definition, arg, value, wanted, attrs.default_type(arg), arg.name, where)
        attrs.learn_type(arg.type_attr, tensor.dtype.base, where)
        return [tensor]

    def _convert_list(
        self, definition: OpDef, arg: ArgDef, value: list[Any], attrs: _Attrs, where: str
    ) -> list[Tensor]:
        if arg.type_list_attr:
            wanted_list = attrs.given(arg.type_list_attr)
            wants = list(wanted_list) if wanted_list is not None else [None] * len(value)
            if len(wants) != len(value):
                raise TypeError(
                    f"{where} has {len(value)} tensors where {arg.type_list_attr!r} names {len(wants)} types"
                )
            tensors = [
                self._convert_one(definition, arg, v, w, None, f"{arg.name}_{i}", where)
                for i, (v, w) in enumerate(zip(value, wants, strict=True))
            ]
            attrs.learn(arg.type_list_attr, tuple(t.dtype.base for t in tensors), where)
            return tensors
        wanted = attrs.type_of(arg)
        if wanted is None:
            wanted = next((t.dtype.base for t in value if isinstance(t, Tensor)), None)
            if wanted is None:
                wanted = next((self._stands_for(v) for v in value if self._stands_for(v) is not None), None)
        tensors = []
        for i, v in enumerate(value):
            tensor = self._convert_one(definition, arg, v, wanted, attrs.default_type(arg), f"{arg.name}_{i}", where)
            wanted = wanted or tensor.dtype.base
            tensors.append(tensor)
        attrs.learn(arg.number_attr, len(tensors), where)
        if tensors:
            attrs.learn_type(arg.type_attr, tensors[0].dtype.base, where)
        return tensors

    def _stands_for(self, value: Any) -> DType | None:
        """The dtype of an object that a conversion turns into a tensor (a variable)."""
        dtype = getattr(value, "dtype", None)
        return as_dtype(dtype).base if dtype is not None and conversion_for(value) is not None else None

    def _convert_one(
        self,
        definition: OpDef,
        arg: ArgDef,
        value: Any,
        wanted: DType | None,
        preferred: DType | None,
        name: str,
        where: str,
    ) -> Tensor:
        if isinstance(value, Tensor):
            tensor = value
        else:
            try:
                tensor = self._convert_value(definition, arg, value, wanted, preferred, name)
            except (TypeError, ValueError) as e:
                if wanted is None:
                    raise
                raise type(e)(f"{where} has type {wanted.name}; {e}") from e
        if wanted is not None and tensor.dtype.base is not wanted.base:
            expected = f"expected type of {wanted.name}" if arg.type else f"type {wanted.name} of the other arguments"
            raise TypeError(f"{where} has type {tensor.dtype.base.name} that does not match {expected}.")
        if arg.is_ref and not tensor.dtype.is_ref:
            raise TypeError(
                f"{definition.name!r} Op requires that input {arg.name!r} be a mutable tensor (e.g.: a tf.Variable)"
            )
        return tensor

    def _convert_value(
        self, definition: OpDef, arg: ArgDef, value: Any, wanted: DType | None, preferred: DType | None, name: str
    ) -> Tensor:
        attr = definition.attrs.get(arg.type_attr)
        if wanted is None and preferred is not None and not arg.is_list and attr is not None and attr.allowed:
            # TensorFlow asks the value first. What has a type that is not allowed (a list of no numbers is float32)
            # leaves its constant behind, and is converted again to the default.
            try:
                tensor = self.convert(value, name=name, as_ref=arg.is_ref)
            except TypeError:
                pass
            else:
                if tensor.dtype in attr.allowed:
                    return tensor
        return self.convert(value, wanted, name=name, as_ref=arg.is_ref, preferred=preferred)

    def convert(
        self,
        value: Any,
        dtype: Any = None,
        name: str | None = None,
        as_ref: bool = False,
        preferred: DType | None = None,
    ) -> Tensor:
        """The tensor that `value` is or stands for, or a new Const. ValueError when it is a tensor of another dtype."""
        wanted = None if dtype is None else as_dtype(dtype)
        if not isinstance(value, Tensor):
            function = conversion_for(value)
            if function is not None:
                found = function(value, wanted, name, as_ref)
                if found is not NotImplemented:
                    value = found
            elif isinstance(value, (list, tuple)) and _holds_tensors(value):
                return self._packed(value, wanted, name)
        if isinstance(value, Tensor):
            if (
                wanted is not None
                and not wanted.is_compatible_with(value.dtype)
                and wanted.base is not value.dtype.base
            ):
                raise ValueError(
                    f"Tensor conversion requested dtype {wanted.name} for Tensor with dtype {value.dtype.name}: "
                    f"{value!r}"
                )
            return value
        array, found_type = to_array(value, wanted, preferred)
        return self.const(TensorValue(found_type.base, array), name=name or "Const")

    def const(self, value: TensorValue, name: str = "Const") -> Tensor:
        """A Const node, with no scope of its own around it."""
        self.graph.check_not_finalized()
        op = self.graph.create_op("Const", (), (value.dtype,), {"value": value, "dtype": value.dtype}, name=name)
        tensor = op.outputs[0]
        tensor._shape = TensorShape.of(value.array.shape)
        return tensor

    def _packed(self, value: Any, dtype: DType | None, name: str | None) -> Tensor:
        """A nested list with tensors among its leaves, as Pack nodes."""
        inferred = _first_dtype(value)
        if dtype is None:
            dtype = inferred
        elif inferred is not dtype.base:
            value = self._cast_leaves(value, dtype.base)
        with self.graph.name_scope(name or "packed") as scope:
            # As in TensorFlow, what holds tensors comes first, and the constants between it after all of that.
            items: list[Any] = list(value)
            constants = []
            for i, item in enumerate(value):
                if isinstance(item, (list, tuple)) and _holds_tensors(item):
                    items[i] = self._packed(item, dtype, str(i))
                elif isinstance(item, Tensor) or conversion_for(item) is not None:
                    items[i] = self.convert(item, dtype)
                else:
                    if isinstance(item, (list, tuple)):
                        self.graph.unique_name(str(i))  # TensorFlow opens a scope for each list in the list
                    constants.append(i)
            for i in constants:
                items[i] = self.convert(value[i], dtype, name=str(i))
            tensor: Tensor = self.op("Pack", items, name=scope)
        return tensor

    def _cast_leaves(self, value: Any, dtype: DType) -> Any:
        if isinstance(value, (list, tuple)):
            return [self._cast_leaves(v, dtype) for v in value]
        if isinstance(value, Tensor) and value.dtype.base is not dtype:
            return self.op("Cast", value, DstT=dtype)
        return value


def _holds_tensors(value: Any) -> bool:
    return any(
        isinstance(v, Tensor) or conversion_for(v) is not None or (isinstance(v, (list, tuple)) and _holds_tensors(v))
        for v in value
    )


def _first_dtype(value: Any) -> DType | None:
    for item in value:
        if isinstance(item, (list, tuple)):
            found = _first_dtype(item)
            if found is not None:
                return found
        elif isinstance(item, Tensor) or conversion_for(item) is not None:
            return as_dtype(item.dtype).base
    return None


def output_types(definition: OpDef, attrs: Mapping[str, Any]) -> tuple[DType, ...]:
    """The dtypes of a node's outputs, from its OpDef and attributes."""
    types: list[DType] = []
    for arg in definition.outputs:
        if arg.type_list_attr:
            found: Sequence[DType] = attrs[arg.type_list_attr]
        else:
            one = as_dtype(arg.type) if arg.type else attrs[arg.type_attr]
            found = (one,) * (int(attrs[arg.number_attr]) if arg.number_attr else 1)
        types.extend(t.ref if arg.is_ref else t for t in found)
    return tuple(types)


class _Attrs:
    """The attributes of a node in the making: what the caller gave, what the inputs taught, and the defaults."""

    def __init__(self, definition: OpDef, given: Mapping[str, Any]) -> None:
        self.definition = definition
        self.values: dict[str, Any] = {}
        for name, value in given.items():
            attr = definition.attrs.get(name)
            if attr is None and not name.startswith("_"):
                raise TypeError(
                    f"{definition.name}() got an unexpected attribute {name!r}; it has {list(definition.attrs)}"
                )
            if value is not None:
                self.values[name] = value if attr is None else coerce(attr, value, definition.name)

    def given(self, name: str) -> Any:
        return self.values.get(name)

    def type_of(self, arg: ArgDef) -> DType | None:
        if arg.type:
            return as_dtype(arg.type)
        return self.values.get(arg.type_attr)

    def default_type(self, arg: ArgDef) -> DType | None:
        attr = self.definition.attrs.get(arg.type_attr)
        return attr.default if attr is not None and attr.has_default else None

    def learn_type(self, name: str, value: DType, where: str) -> None:
        if name:
            self.learn(name, value, where)

    def learn(self, name: str, value: Any, where: str) -> None:
        known = self.values.get(name)
        if known is not None and known != value:
            raise ValueError(f"{where} gives attr {name!r} the value {value!r}, but it is {known!r} already")
        if known is None:
            attr = self.definition.attrs[name]
            self.values[name] = coerce(attr, value, self.definition.name, where)

    def finish(self, op_type: str) -> dict[str, Any]:
        final = {}
        for name, attr in self.definition.attrs.items():
            if name in self.values:
                final[name] = self.values[name]
            elif attr.has_default:
                default = attr.default
                if attr.type == "tensor" and not isinstance(default, TensorValue):
                    default = TensorValue(as_dtype(default.dtype), default)
                final[name] = default
            else:
                raise TypeError(f"op {op_type!r} needs attribute {name!r} ({attr.type})")
        final.update({k: v for k, v in self.values.items() if k not in final})
        return final


def coerce(attr: AttrDef, value: Any, op_type: str, where: str = "") -> Any:
    """`value` in the form of `ir.attr` for an attribute of this type. TypeError and ValueError when it can't be."""
    label = where or f"attr {attr.name!r} of {op_type!r} Op"
    if attr.type.startswith("list("):
        kind = attr.type[5:-1]
        if not isinstance(value, (list, tuple)):
            if kind not in ("int", "string", "type", "float", "bool"):
                raise TypeError(f"Expected list for {label}, not {value!r}")
            value = [value]
        result: Any = tuple(_coerce_one(kind, v, label) for v in value)
        if attr.minimum is not None and len(result) < attr.minimum:
            raise ValueError(f"{label} needs at least {attr.minimum} elements, got {len(result)}")
        allowed_values = result
    else:
        result = _coerce_one(attr.type, value, label)
        if attr.minimum is not None and attr.type == "int" and result < attr.minimum:
            raise ValueError(f"{label} must be at least {attr.minimum}, got {result}")
        allowed_values = (result,)
    if attr.allowed is not None:
        for one in allowed_values:
            if one not in attr.allowed:
                names = ", ".join(a.name if isinstance(a, DType) else repr(a.decode()) for a in attr.allowed)
                seen = one.name if isinstance(one, DType) else repr(one)
                raise (TypeError if isinstance(one, DType) else ValueError)(
                    f"Value passed to {label} has {seen}, not in list of allowed values: {names}"
                )
    return result


def _coerce_one(kind: str, value: Any, label: str) -> Any:
    if kind == "int":
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(f"Expected int for {label}, not {value!r}")
        return int(value)
    if kind == "float":
        return float(value)
    if kind == "bool":
        if not isinstance(value, bool) and type(value).__name__ not in ("bool_", "bool"):
            raise TypeError(f"Expected bool for {label}, not {value!r}")
        return bool(value)
    if kind == "string":
        if not isinstance(value, (str, bytes)):
            raise TypeError(f"Expected string for {label}, not {value!r}")
        return value.encode() if isinstance(value, str) else value
    if kind == "type":
        return as_dtype(value).base
    if kind == "shape":
        return TensorShape(value)
    if kind == "tensor":
        if isinstance(value, TensorValue):
            return value
        array, dtype = to_array(value)
        return TensorValue(dtype, array)
    if kind == "func":
        return FunctionRef(value) if isinstance(value, str) else value
    raise TypeError(f"{label} is of type {kind!r}, which no value can be given for")
