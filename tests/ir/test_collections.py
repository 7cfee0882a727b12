"""Collections: what was put off is there before anybody looks."""

from __future__ import annotations

from regraft.ir.graph import Graph


def test_what_was_put_off_is_made_once_when_somebody_looks() -> None:
    graph, calls = Graph(), []

    def make() -> list[str]:
        calls.append("made")
        return ["a", "b"]

    graph.add_to_collection("first", 1)
    graph.add_to_collection_later("variables", make)
    graph.add_to_collection("other", 2)
    assert calls == []
    assert graph.get_collection("variables") == ["a", "b"]
    graph.get_collection_ref("variables").append("c")
    assert graph.get_collection("variables") == ["a", "b", "c"]
    assert graph.get_all_collection_keys() == ["first", "variables", "other"]
    assert calls == ["made"]


def test_what_is_added_later_comes_later() -> None:
    graph = Graph()
    graph.add_to_collection("variables", "before")
    graph.add_to_collection_later("variables", lambda: ["put off"])
    graph.add_to_collection("variables", "after")
    assert graph.get_collection("variables") == ["before", "put off", "after"]


def test_a_cleared_collection_stays_empty() -> None:
    graph = Graph()
    graph.add_to_collection_later("variables", lambda: ["put off"])
    graph.clear_collection("variables")
    assert graph.get_collection("variables") == []
    assert graph.get_all_collection_keys() == []
