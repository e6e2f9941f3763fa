"""Repeated warnings are limited, and counted."""

import logging

import pytest

from service.process import log_limit
from service.process.log_limit import MAX_REPEATS, RepeatLimit


def log_record(message: str, level: int = logging.WARNING, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("name", level, __file__, 1, message, arguments, None)


def test_repeats_of_a_template_are_dropped() -> None:
    """Log MAX_REPEATS records of one template, whatever their arguments, and all of another."""
    limit = RepeatLimit()
    logged = [limit.filter(log_record("Refused %s.", logging.WARNING, number)) for number in range(MAX_REPEATS + 3)]
    assert logged == [True] * MAX_REPEATS + [False] * 3
    assert limit.filter(log_record("Another."))


def test_information_is_not_limited() -> None:
    """Log every record below the level of a warning."""
    limit = RepeatLimit()
    assert all(limit.filter(log_record("Started.", logging.INFO)) for _ in range(3 * MAX_REPEATS))


def test_dropped_repeats_are_counted_in_the_next_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the number of dropped records to the first of the same template in the next interval, once."""
    limit = RepeatLimit()
    for _ in range(MAX_REPEATS + 3):
        limit.filter(log_record("Refused %s.", logging.WARNING, 1))
    monkeypatch.setattr(log_limit, "INTERVAL", 0.0)
    limit._interval_end = 0.0
    first, second = (log_record("Refused %s.", logging.WARNING, 2) for _ in range(2))
    assert limit.filter(first)
    assert limit.filter(second)
    assert first.getMessage() == "Refused 2. (3 more of these were not logged.)"
    assert second.getMessage() == "Refused 2."


def test_dropped_repeats_are_counted_after_an_interval_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the number of dropped records over intervals in which only others are logged."""
    limit = RepeatLimit()
    for _ in range(MAX_REPEATS + 3):
        limit.filter(log_record("Refused."))
    monkeypatch.setattr(log_limit, "INTERVAL", 0.0)
    limit._interval_end = 0.0
    for _ in range(3):
        limit.filter(log_record("Another."))
    record = log_record("Refused.")
    assert limit.filter(record)
    assert record.getMessage() == "Refused. (3 more of these were not logged.)"
