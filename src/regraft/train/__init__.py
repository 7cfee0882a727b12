"""What training adds to a graph: optimizers and their slots, decays, averages, the global step."""
