"""The graph, its values and the signatures of its ops; free of protobuf."""
