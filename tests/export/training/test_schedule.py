"""The learning rate follows its schedule."""

import pytest

from export.training.schedule import learning_rate_factor


def test_the_learning_rate_rises_stays_and_falls_to_zero() -> None:
    """Reaches its peak after the warm-up, and falls in the last 40 of 100 steps."""
    factors = [learning_rate_factor(step, warm_up=10, total=100, decay=0.4) for step in range(101)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9:61] == [1.0] * 52
    assert factors[80] == pytest.approx(0.5)
    assert factors[100] == 0


def test_a_longer_run_begins_with_the_learning_rates_of_a_shorter_one() -> None:
    """Depends on the length of the run only in the decay."""
    short, long = ([learning_rate_factor(step, 5, total, 0.4) for step in range(60)] for total in (100, 200))
    assert short == long
