"""The grammar of names: `node`, `node:0`, `^node`, `loc:@node`, and the scopes put before them."""

from __future__ import annotations

import re

VALID_OP_NAME = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$")
VALID_SCOPE_NAME = re.compile(r"^[A-Za-z0-9_.\\/>-]*$")
VALID_NODE_NAME = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$")

COLOCATION_PREFIX = b"loc:@"


def parse_input(text: str) -> tuple[str, int]:
    """A NodeDef's input as (node, output index); index -1 stands for a control input (`^node`)."""
    if text.startswith("^"):
        return text[1:], -1
    node, colon, index = text.rpartition(":")
    if colon and index.isdigit():
        return node, int(index)
    return text, 0


def parse_tensor_name(name: str) -> tuple[str, int]:
    """`node:index` as its parts. ValueError when the form is another."""
    parts = name.split(":")
    if len(parts) == 2 and parts[0] and parts[1].isdigit():
        return parts[0], int(parts[1])
    if len(parts) == 1 and parts[0]:
        return parts[0], 0
    raise ValueError(f"Cannot convert {name!r} to a tensor name.")


def prepend_scope(name: str, scope: str) -> str:
    """`scope/name`, behind a leading `^` or `loc:@` where there is one; `name` itself when `scope` is empty."""
    if not scope:
        return name
    scope = scope.removesuffix("/")
    for mark in ("^", "loc:@"):
        if name.startswith(mark):
            return f"{mark}{scope}/{name[len(mark) :]}"
    return f"{scope}/{name}"


def strip_scope(name: str, scope: str) -> str:
    """`name` without a leading `scope/`, behind `^` or `loc:@`; `name` itself when it lies elsewhere."""
    if not scope:
        return name
    scope = scope.removesuffix("/")
    for mark in ("^", "loc:@", ""):
        head = f"{mark}{scope}/"
        if name.startswith(head):
            return mark + name[len(head) :].lstrip("/")
    return name


def in_scope(name: str, scope: str) -> bool:
    """Whether a node lies in an export scope, by TensorFlow's prefix test ("hidden1" also catches "hidden10/")."""
    return not scope or name.startswith(scope)
