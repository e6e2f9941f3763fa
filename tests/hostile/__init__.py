"""Crafted images, forms and documents that a service must answer quickly, in little memory, and with 200 or 400.

`python -m tests.hostile` measures each of them.
"""
