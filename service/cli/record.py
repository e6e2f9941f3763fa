"""The values of a row, as JSON, CSV and Parquet have them."""

from collections.abc import Callable
from typing import Any

from service.cli.result import Row


def record_maker(is_number: bool) -> Callable[[Row], dict[str, Any]]:
    """Return the function that converts a row to a record. All records have the same keys; a missing value is None."""
    return _number_record if is_number else _digit_record


def _digit_record(row: Row) -> dict[str, Any]:
    digit = row.result.digits[0] if row.result.digits else None
    return {
        "file": row.file,
        "digit": digit and digit.digit,
        "confidence": digit and digit.confidence,
        "probabilities": digit and digit.probabilities,
        "error": row.result.error or None,
    }


def _number_record(row: Row) -> dict[str, Any]:
    result = row.result
    digits = [{"digit": digit.digit, "confidence": digit.confidence, "box": digit.box} for digit in result.digits]
    return {
        "file": row.file,
        "number": result.number or None,
        "confidence": result.confidence if digits else None,
        "digits": digits or None,
        "error": result.error or None,
    }
