"""Running a part of a graph: prune, plan, interpret or compile. Knows kinds and effects of ops, never their names."""
