"""Tests of the container image and of what runs it."""
