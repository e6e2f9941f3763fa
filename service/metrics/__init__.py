"""Metrics that all workers of the service share. Knows nothing of HTTP, images or models."""
