"""Soak a running service in mixed traffic. `make soak` runs it for MINUTES and draws memory and latency over time."""
