"""The native interface: what is in a saved graph, and running it."""
