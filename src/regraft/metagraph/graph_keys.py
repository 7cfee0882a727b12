"""The names of collections, from where programs that work with MetaGraphs look for them."""

from regraft.ir.graph_keys import VARIABLE_COLLECTIONS, GraphKeys

__all__ = ["VARIABLE_COLLECTIONS", "GraphKeys"]
