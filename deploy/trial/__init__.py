"""Try a tree of the service: start it, send it requests of every kind, compare its responses."""
