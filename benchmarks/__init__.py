"""Benchmarks: speed, memory and start-up beside a FastAPI + PyTorch reference server."""
