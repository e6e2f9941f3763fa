"""Tests of service.metrics."""
