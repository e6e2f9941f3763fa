"""Requests of the tests of the HTTP edge, as they are sent."""

from tests.service.process.connection import get
from tests.service.process.running_service import PNG

MAX_UPLOAD_BYTES = 200_000
"""Limit of the tested service."""


def chunked(body: bytes, size: int) -> bytes:
    """Return a body in chunked encoding."""
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


CHUNKED_HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED = CHUNKED_HEAD + chunked(PNG, 100)

JAVA_POST = (  # recorded from java.net.http.HttpClient of JDK 17.0.15, but for the port and the length
    b"POST /predict HTTP/1.1\r\n"
    b"Connection: Upgrade, HTTP2-Settings\r\n"
    b"Content-Length: %d\r\n"
    b"Host: 127.0.0.1:8000\r\n"
    b"HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\n"
    b"Upgrade: h2c\r\n"
    b"User-Agent: Java-http-client/17.0.15\r\n"
    b"Content-Type: image/png\r\n"
    b"\r\n"
) % len(PNG)

UPGRADE = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"

MALFORMED = {
    "garbage": b"garbage\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no path": b"GET HTTP/1.1\r\n\r\n",
    "path without a host": b"GET x HTTP/1.1\r\n\r\n",
    "host without a path": b"GET http://x HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the path": b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in a header": get("/health", "A: \0\r\n"),
    "space in a name": get("/health", "A B: x\r\n"),
    "negative length": get("/health", "Content-Length: -1\r\n"),
    "overflowing length": get("/health", "Content-Length: 99999999999999999999\r\n"),
    "two lengths": get("/health", "Content-Length: 1\r\nContent-Length: 2\r\n"),
    "length and chunks": get("/health", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
    "unknown transfer encoding": get("/health", "Transfer-Encoding: x\r\n"),
    "unknown transfer encoding of an offer": get("/health", UPGRADE + "Transfer-Encoding: x\r\n"),
    "CONNECT without a port": b"CONNECT x HTTP/1.1\r\n\r\n",
    "bad chunk": CHUNKED_HEAD + b"5\r\nhello\r\nnonsense\r\n",
    "bad chunk at once": CHUNKED_HEAD + b"nonsense\r\n",
}
