"""Decide whether an image shows a single digit or a line of several."""

from collections.abc import Callable

from service.errors import RequestError
from service.inference.isolation import map_valid
from service.inference.number import read_line, reread_line
from service.inference.reading import Classify, FirstReading, Reading

MIN_SURE_SINGLE = 0.9
"""Confidence from which an image shows a single digit, if its line is doubtful."""

MIN_SURE_LINE = 0.7
"""Confidence of each digit of a line from which it is preferred to a sure, single digit."""


def read_digits(first: FirstReading, settle: Callable[[FirstReading], Reading], classify: Classify) -> list[Reading]:
    """Read a line that is surely a number, or else a single digit that is sure, or else the likelier of both.

    settle: reads the alternatives of a doubtful first reading. Raises ImageError if the image shows no digit.
    """
    line = read_line(first.gray, classify)
    if line.is_number:
        return line.readings
    single = map_valid(settle, [first])[0]
    is_sure = isinstance(single, Reading) and single.prediction.confidence >= MIN_SURE_SINGLE
    may_be_several = line.may_be_several or (first.digit is not None and first.digit.may_be_several)
    if isinstance(single, Reading) and is_sure and not may_be_several:
        return [single]
    readings = reread_line(line, first.gray, classify)
    least = min((reading.prediction.confidence for reading in readings), default=0.0)
    if len(readings) > 1 and (least >= MIN_SURE_LINE or not is_sure):
        return readings
    if isinstance(single, RequestError):
        raise single
    return [single]
