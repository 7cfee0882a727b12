"""Short ways to write GraphDefs."""

from __future__ import annotations

from typing import Any

from regraft import proto

FLOAT = "type: DT_FLOAT"


def node(name: str, op: str, *inputs: str, device: str = "", **attrs: str) -> str:
    """A NodeDef in text form; attributes are the text of their AttrValue."""
    parts = [f'name: "{name}" op: "{op}" device: "{device}"']
    parts += [f'input: "{i}"' for i in inputs]
    parts += [f'attr {{ key: "{key}" value {{ {value} }} }}' for key, value in attrs.items()]
    return " ".join(parts)


def x(name: str = "x", dtype: str = FLOAT, **more: Any) -> str:
    return node(name, "Placeholder", dtype=dtype, shape="shape { unknown_rank: true }", **more)


def relu(name: str, *inputs: str, **more: Any) -> str:
    return node(name, "Relu", *inputs, T=FLOAT, **more)


def graph_def(*nodes: str, producer: int = 1000) -> proto.GraphDef:
    text = "".join(f"node {{ {n} }}\n" for n in nodes)
    return proto.parse_text(f"{text} versions {{ producer: {producer} }}", proto.GraphDef)
