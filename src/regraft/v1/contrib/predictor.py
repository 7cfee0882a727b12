"""tf.contrib.predictor: a SavedModel as a function from a dictionary of arrays to one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from regraft.ir.graph import Graph
from regraft.v1 import _context
from regraft.v1._session import Session
from regraft.v1.saved_model.loader import load
from regraft.v1.saved_model.signature_constants import DEFAULT_SERVING_SIGNATURE_DEF_KEY as DEFAULT_KEY

__all__ = ["Predictor", "from_saved_model"]


class Predictor:
    """Calls a loaded SavedModel: `predictor({"x": array})` gives `{"y": array}`.

    graph, session               where it lives
    feed_tensors, fetch_tensors  tensors by the keys of the signature
    """

    def __init__(self, graph: Graph, session: Session, feeds: dict[str, Any], fetches: dict[str, Any]) -> None:
        self.graph = graph
        self.session = session
        self.feed_tensors = feeds
        self.fetch_tensors = fetches

    def __call__(self, input_dict: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs for these inputs. ValueError naming the keys that the signature does not have."""
        unknown = sorted(set(input_dict) - set(self.feed_tensors))
        if unknown:
            raise ValueError(f"Got unexpected keys in input_dict: {unknown}\nexpected: {sorted(self.feed_tensors)}")
        feeds = {self.feed_tensors[key]: value for key, value in input_dict.items() if value is not None}
        found: dict[str, Any] = self.session.run(self.fetch_tensors, feeds)
        return found


def from_saved_model(
    export_dir: Any,
    signature_def_key: str | None = None,
    signature_def: Any = None,
    input_names: Mapping[str, str] | None = None,
    output_names: Mapping[str, str] | None = None,
    tags: str | Collection[str] | None = None,
    graph: Graph | None = None,
    config: Any = None,
) -> Predictor:
    """Load a SavedModel as a function.

    signature_def_key           which signature to use, "serving_default" without it
    signature_def               one of the caller's own
    input_names, output_names   names of tensors by key, both together, instead of a signature
    tags                        those of the graph to load, "serve" without them; as text, split by commas

    raises  ValueError where more than one of the three is given, and for a key that no signature has
    """
    if (signature_def_key is not None) + (signature_def is not None) + (input_names is not None) > 1:
        raise ValueError("only one of signature_def_key, signature_def and input_names with output_names may be given")
    if (input_names is None) != (output_names is None):
        raise ValueError("input_names and output_names must both be specified or both be unspecified.")
    if isinstance(tags, str):
        tags = tags.split(",")
    graph = graph or Graph()
    with _context.graph_as_default(graph):
        session = Session(graph=graph, config=config)
        message = load(session, set(tags or ["serve"]), export_dir)
    if input_names is None or output_names is None:
        if signature_def is None:
            key = signature_def_key or DEFAULT_KEY
            if key not in message.signature_def:
                raise ValueError(f"the SavedModel has no signature {key!r}, but {sorted(message.signature_def)}")
            signature_def = message.signature_def[key]
        input_names = {key: info.name for key, info in signature_def.inputs.items()}
        output_names = {key: info.name for key, info in signature_def.outputs.items()}
    return Predictor(graph, session, _tensors(graph, input_names), _tensors(graph, output_names))


def _tensors(graph: Graph, names: Mapping[str, str]) -> dict[str, Any]:
    return {key: graph.get_tensor_by_name(name) for key, name in names.items()}
