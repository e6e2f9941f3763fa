"""Fuzz what clients send: images, forms, documents and whole requests. `make fuzz` runs it for MINUTES.

A crash is kept in `tests/fuzz/crashes`, where `tests/test_fuzz.py` replays it as a regression test.
"""
