"""Graphs and MetaGraphs in and out: import under a prefix, export of a scope, collections and what they hold."""
