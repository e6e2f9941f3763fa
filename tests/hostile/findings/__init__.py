"""Repeat the 24 findings of a hostile campaign against commit a0c1052, one by one, against a running service."""
