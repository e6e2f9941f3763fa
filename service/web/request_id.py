"""Identify requests: the client's own X-Request-ID if it is safe to log, otherwise a new one."""

import itertools
import os
import re

HEADER = b"x-request-id"

SAFE_ID = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}")
TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, version 00 and what later versions keep of it."""

Headers = list[tuple[bytes, bytes]]


class RequestIds:
    """Creates identifiers that are unique across workers and restarts."""

    def __init__(self) -> None:
        self._prefix = b""
        self._numbers = itertools.count(1)
        os.register_at_fork(after_in_child=self._renew)
        self._renew()

    def choose(self, headers: Headers) -> bytes:
        """Return the client's identifier if it is safe, otherwise a new one."""
        given = find_header(headers, HEADER)
        return given if SAFE_ID.fullmatch(given) else b"%b-%x" % (self._prefix, next(self._numbers))

    def _renew(self) -> None:
        self._prefix = os.urandom(6).hex().encode()


def find_traceparent(headers: Headers) -> str:
    """Return the W3C trace context that a client sent, empty if there is none or it is invalid."""
    given = find_header(headers, b"traceparent")
    return given.decode() if TRACEPARENT.fullmatch(given) else ""


def find_header(headers: Headers, name: bytes) -> bytes:
    """Return the first value of a header, whose name is in lower case, or nothing."""
    for key, value in headers:
        if key == name:
            return value
    return b""
