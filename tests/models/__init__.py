"""Models as TensorFlow 1 users wrote them, and what real TensorFlow computes with them.

Each module has `build(tf, config, optimizer) -> Model`; `tf` is a module with the names of
`tensorflow.compat.v1`, so the same program builds its graph in TensorFlow and in Regraft. `catalogue` lists
the sizes by name, `write` saves one with its reference results in a process of its own, `fixtures` gives the
saved files to tests and keeps them between runs.
"""
