"""The HTTP edge: limits, pipelining, upgrade offers and protocol errors, over real sockets."""

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.server import pss
from service.process.crowd import MIN_SILENCE, MIN_STALL
from service.process.linger import LINGER_SECONDS, MAX_DROPPED_BYTES
from service.process.log_limit import MAX_REPEATS
from service.web.request_limits import MAX_HEADER_BYTES, MAX_URL_BYTES
from tests.images import DIGIT
from tests.service.process.connection import POST, Connection, get, post_head
from tests.service.process.running_service import PNG, PYTHON, Service, running_service, wait_until

MAX_UPLOAD_BYTES = 200_000


def chunked(body: bytes, size: int) -> bytes:
    """Return a body in chunked encoding."""
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


CHUNKED = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED += chunked(PNG, 100)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run a service with a short header time-out and a low size limit."""
    log = tmp_path_factory.mktemp("service") / "log"
    with running_service(log, HEADER_TIMEOUT="0.5", MAX_UPLOAD_BYTES=str(MAX_UPLOAD_BYTES)) as service:
        yield service
        assert service.request("GET", "/health")[0] == 200
    assert "Traceback" not in log.read_text()


@pytest.fixture
def connection(service: Service) -> Iterator[Connection]:
    """Open a connection to the service."""
    with Connection(service.port) as connection:
        yield connection


# Headers


def padded(size: int) -> str:
    """Return a header that fills the headers of `get` up to a size: 4 bytes count for each line's separators."""
    return f"A: {'x' * (size - len('Host' + 'x' + 'A') - 8)}\r\n"


def test_headers_up_to_the_limit_are_accepted(connection: Connection) -> None:
    """Respond to headers of exactly MAX_HEADER_BYTES."""
    assert connection.ask(get("/health", padded(MAX_HEADER_BYTES))).status == 200


@pytest.mark.parametrize(
    "headers",
    [padded(MAX_HEADER_BYTES + 1), "A: x\r\n" * MAX_HEADER_BYTES],
    ids=["one", "many"],
)
def test_large_headers_get_431(connection: Connection, headers: str) -> None:
    """Respond with 431 to headers over the limit, and close the connection."""
    response = connection.ask(get("/health", headers))
    assert (response.status, response.closes) == (431, True)
    assert response.content == {"detail": f"The headers are larger than {MAX_HEADER_BYTES} bytes."}
    assert connection.is_at_end()


@pytest.mark.parametrize("name", ["header value", "header name", "trailer", "chunk extension"])
def test_endless_headers_get_431(service: Service, connection: Connection, name: str) -> None:
    """Respond with 431 to a header or a trailer that does not end, and take less than 4 MB meanwhile."""
    begin = get("/health")[:-2]
    endless = {
        "header value": begin + b"A: ",
        "header name": begin,
        "trailer": CHUNKED[:-2] + b"A: ",
        "chunk extension": CHUNKED[: -len(b"0\r\n\r\n")] + b"1;",
    }
    before = pss(service.process.pid)
    connection.send(endless[name] + b"A" * 20_000_000)
    assert pss(service.process.pid) - before < 4_000_000
    response = connection.receive()
    assert (response.status, response.closes) == (431, True)
    assert connection.is_at_end()


def test_url_up_to_the_limit_is_accepted(connection: Connection) -> None:
    """Respond to a URL of exactly MAX_URL_BYTES."""
    assert connection.ask(get("/health?" + "x" * (MAX_URL_BYTES - 8))).status == 200


@pytest.mark.parametrize("size", [MAX_URL_BYTES + 1, 50 * MAX_URL_BYTES])
def test_long_url_gets_414(connection: Connection, size: int) -> None:
    """Respond with 414 to a URL over the limit, and close the connection."""
    response = connection.ask(get("/" + "x" * (size - 1)))
    assert (response.status, response.closes) == (414, True)
    assert response.content == {"detail": f"The URL is longer than {MAX_URL_BYTES} bytes."}
    assert connection.is_at_end()


# Time


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n"], ids=["nothing", "blank lines"])
def test_silent_connection_is_closed(connection: Connection, sent: bytes) -> None:
    """Close a connection that begins no request within HEADER_TIMEOUT. Respond with nothing."""
    connection.send(sent)
    begun = time.monotonic()
    assert connection.is_at_end()
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("before", [b"", get("/health")], ids=["first request", "second request"])
def test_slow_headers_get_408(connection: Connection, before: bytes) -> None:
    """Respond with 408 if the headers do not arrive within HEADER_TIMEOUT, however steadily they drip."""
    if before:
        assert connection.ask(before).status == 200
    begun = time.monotonic()
    for byte in b"GET / HTTP/1.1":
        connection.send(bytes([byte]))
        time.sleep(0.02)
    response = connection.receive()
    assert 0.4 < time.monotonic() - begun < 1
    assert (response.status, response.closes) == (408, True)
    assert response.content == {"detail": "The headers did not arrive within 0.5 s."}
    assert connection.is_at_end()


# Connections


WAITING = {
    "nothing": b"",
    "half of the headers": get("/health")[:-2],
    "a request that was answered": get("/health"),
    "half of an upload": POST[:-50],
    "half of a body for an unknown path": POST.replace(b"/predict", b"/nowhere")[:-50],
}


def crowd_out(log: Path, sent: bytes) -> str:
    """Hold all connections of a service after sending this on each, let others come, and return the log."""
    with running_service(log, MAX_CONNECTIONS="20") as service:
        waiting = [Connection(service.port) for _ in range(20)]
        for connection in waiting:
            connection.send(sent)
        time.sleep(max(MIN_SILENCE, MIN_STALL) + 0.3)
        for _ in range(3 * MAX_REPEATS):
            waiting.append(Connection(service.port))
            assert service.request("GET", "/health")[0] == 200
            time.sleep(0.1)
        for connection in waiting:
            connection.socket.close()
    return log.read_text()


@pytest.fixture(scope="module")
def crowds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[str]]]:
    """Crowd out each kind of connection at the same time: that takes four seconds of waiting."""
    folder = tmp_path_factory.mktemp("crowds")
    with ThreadPoolExecutor() as pool:
        yield {name: pool.submit(crowd_out, folder / name, sent) for name, sent in WAITING.items()}


@pytest.mark.parametrize("name", WAITING)
def test_connections_that_wait_for_their_clients_make_room(crowds: dict[str, Future[str]], name: str) -> None:
    """Respond to a new client although others hold all connections, and log it at most MAX_REPEATS times."""
    log = crowds[name].result()
    assert 0 < log.count("that waited for their clients: more than 20 were open.") <= MAX_REPEATS


def test_flood_of_connections_exhausts_no_descriptors(tmp_path: Path) -> None:
    """Accept as many of 400 connections as the descriptors allow, and refuse the others without a traceback."""
    command = ["sh", "-c", f"ulimit -n 160; exec {PYTHON} -m service"]
    with running_service(tmp_path / "log", command) as service:
        flood = [Connection(service.port) for _ in range(400)]
        time.sleep(MIN_SILENCE + 0.3)
        assert service.request("GET", "/health")[0] == 200
        for connection in flood:
            connection.socket.close()
    log = service.log.read_text()
    assert "out of system resource" not in log
    assert "Traceback" not in log


def test_client_that_never_reads_is_cut_off(service: Service, connection: Connection) -> None:
    """Free the descriptor of a client that does not read its responses soon after HEADER_TIMEOUT."""
    descriptors = Path(f"/proc/{service.process.pid}/fd")
    assert connection.ask(get("/health")).status == 200
    before = len(list(descriptors.iterdir()))
    asked = f"Origin: x\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: {'x' * 30_000}\r\n"
    preflight = get("/health", asked).replace(b"GET", b"OPTIONS", 1)  # its response repeats the headers
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.socket.settimeout(0.2)
    with suppress(OSError):  # until the server does not read on either
        while connection.socket.send(preflight):
            time.sleep(0.002)
    begun = time.monotonic()
    wait_until(lambda: len(list(descriptors.iterdir())) < before)
    assert time.monotonic() - begun < 10


def test_connections_that_work_are_not_closed_for_others(tmp_path: Path) -> None:
    """Refuse new connections while others upload, and accept them again afterwards."""
    with running_service(tmp_path / "log", MAX_CONNECTIONS="3") as service:
        uploads = [service.open_upload(len(PNG), PNG[:50]) for _ in range(3)]
        time.sleep(MIN_SILENCE + 0.2)
        with Connection(service.port) as refused:
            assert refused.is_at_end()
        for upload in uploads:
            upload.sendall(PNG[50:])
            assert upload.recv(1_000).startswith(b"HTTP/1.1 200")
            upload.close()
        time.sleep(0.1)
        assert service.request("GET", "/health")[0] == 200
    assert "ERROR" not in service.log.read_text()


def test_descriptors_are_raised_to_the_hard_limit(tmp_path: Path) -> None:
    """Hold more connections than the soft limit of descriptors allows."""
    command = ["sh", "-c", f"ulimit -Sn 40; exec {PYTHON} -m service"]
    with running_service(tmp_path / "log", command) as service:
        limits = Path(f"/proc/{service.process.pid}/limits").read_text()
        match = re.search(r"Max open files +(\d+) +(\d+)", limits)
        assert match
        assert match[1] == match[2]
        silent = [Connection(service.port) for _ in range(100)]
        assert service.request("GET", "/health")[0] == 200
        for connection in silent:
            connection.socket.close()


# Pipelining


def test_two_pipelined_requests_are_answered_in_order(connection: Connection) -> None:
    """Respond to two requests that arrive at once, and then to a third."""
    first = connection.ask(POST + get("/health"))
    assert first.content["digit"] == DIGIT
    assert connection.receive().content == {"status": "ok"}
    assert connection.ask(POST).content["digit"] == DIGIT


def test_flood_of_pipelined_requests_is_cut_off(service: Service, connection: Connection) -> None:
    """Answer two of 30,000 pipelined requests, close with the second, and take less than 4 MB meanwhile."""
    before = pss(service.process.pid)
    connection.send(POST * 30_000)
    assert pss(service.process.pid) - before < 4_000_000
    responses = [connection.receive(), connection.receive()]
    assert [response.status for response in responses] == [200, 200]
    assert [response.closes for response in responses] == [False, True]
    assert connection.is_at_end()


def test_request_before_a_malformed_one_is_answered(connection: Connection) -> None:
    """Answer a request although garbage follows it, and close with its response."""
    response = connection.ask(POST + b"garbage\r\n\r\n")
    assert (response.status, response.closes) == (200, True)
    assert connection.is_at_end()


# Size


@pytest.mark.parametrize("length", [MAX_UPLOAD_BYTES + 1, 10**12])
@pytest.mark.parametrize("path", ["/predict", "/predict-batch"])
def test_declared_length_over_the_limit_gets_413_at_once(connection: Connection, path: str, length: int) -> None:
    """Respond with 413 to the headers alone, without 100 Continue, and end the connection."""
    response = connection.ask(post_head(length, "Expect: 100-continue\r\n", path))
    assert (response.status, response.closes) == (413, True)
    assert response.content == {"detail": f"The upload is larger than {MAX_UPLOAD_BYTES} bytes. Send a smaller file."}
    assert connection.is_at_end()


def test_client_that_still_sends_receives_413(connection: Connection) -> None:
    """Let a client read the response after it has sent all of a body that is too large, slowly."""
    connection.send(post_head(1_000_000))
    for _ in range(10):
        connection.send(bytes(100_000))
        time.sleep(0.3)
    assert connection.receive().status == 413
    assert connection.is_at_end()


def test_client_that_never_stops_is_cut_off(service: Service, connection: Connection) -> None:
    """End the connection of a client that sends on after 413, before it has sent 1.5 times MAX_DROPPED_BYTES."""
    before = pss(service.process.pid)
    assert connection.ask(post_head(10**12)).status == 413
    with pytest.raises(ConnectionError):
        connection.send(bytes(MAX_DROPPED_BYTES * 3 // 2))
    assert pss(service.process.pid) - before < 4_000_000


def test_silent_client_is_cut_off_after_413(connection: Connection) -> None:
    """End the connection LINGER_SECONDS after the last byte, although the client keeps it open."""
    assert connection.ask(post_head(10**12)).status == 413
    begun = time.monotonic()
    assert connection.is_at_end()
    time.sleep(LINGER_SECONDS + 0.2)
    connection.send(b"x")  # the reset comes back
    time.sleep(0.1)
    with pytest.raises(ConnectionError):
        connection.send(b"x")
    assert time.monotonic() - begun < LINGER_SECONDS + 1


def test_body_of_an_unknown_path_is_dropped(service: Service, connection: Connection) -> None:
    """Respond with 404 at once, drop the body, and answer the next request on the same connection."""
    before = pss(service.process.pid)
    assert connection.ask(post_head(20_000_000, path="/nowhere")).status == 404
    connection.send(bytes(20_000_000))
    assert pss(service.process.pid) - before < 4_000_000
    for _ in range(2):  # what was dropped before does not count for this one
        assert connection.ask(post_head(15_000_000, path="/nowhere") + bytes(15_000_000)).status == 404
    assert connection.ask(POST).content["digit"] == DIGIT


def test_endless_body_of_an_unknown_path_is_cut_off(connection: Connection) -> None:
    """End the connection after MAX_DROPPED_BYTES of a body that nobody reads."""
    assert connection.ask(post_head(10**12, path="/nowhere")).status == 404
    with pytest.raises(ConnectionError):
        connection.send(bytes(MAX_DROPPED_BYTES * 3 // 2))


def test_expected_continue_is_sent(connection: Connection) -> None:
    """Respond with 100 Continue to a length within the limit, and read the body."""
    assert connection.ask(post_head(len(PNG), "Expect: 100-continue\r\n")).status == 100
    assert connection.ask(PNG).content["digit"] == DIGIT


# Bodies


@pytest.mark.parametrize("request_bytes", [POST, CHUNKED], ids=["length", "chunked"])
def test_request_may_be_split_anywhere(connection: Connection, request_bytes: bytes) -> None:
    """Respond to requests in packets of one to many bytes, one after the other on one connection."""
    for size in (1, 7, 64, len(request_bytes)):
        for start in range(0, len(request_bytes), size):
            connection.send(request_bytes[start : start + size])
            time.sleep(0.0005)
        assert connection.receive().content["digit"] == DIGIT


# Upgrade offers

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


def test_java_client_is_served(connection: Connection) -> None:
    """Ignore the h2c offer of Java's HttpClient, which sends headers and body in separate packets, every time."""
    for _ in range(3):
        connection.send(JAVA_POST)
        time.sleep(0.05)
        response = connection.ask(PNG)
        assert (response.status, response.closes) == (200, False)
        assert response.content["digit"] == DIGIT


@pytest.mark.parametrize("size", [1, 50, 1_000_000])
def test_offer_with_a_body_may_be_split_anywhere(connection: Connection, size: int) -> None:
    """Read the body of an upgrade offer in packets of any size."""
    data = JAVA_POST + PNG
    for start in range(0, len(data), size):
        connection.send(data[start : start + size])
        time.sleep(0.0005)
    assert connection.receive().content["digit"] == DIGIT
    assert connection.ask(POST).content["digit"] == DIGIT


@pytest.mark.parametrize(
    "offer",
    [
        get("/health", UPGRADE),
        post_head(len(PNG), UPGRADE) + PNG,
        CHUNKED.replace(b"Host: x\r\n", b"Host: x\r\n" + UPGRADE.encode()),
        get("/health", "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    ],
    ids=["get", "length", "chunked", "websocket"],
)
def test_pipelined_offers_are_ignored(connection: Connection, offer: bytes) -> None:
    """Answer an offer between two ordinary requests, whatever frames its body."""
    assert connection.ask(offer).status == 200
    assert connection.ask(get("/health") + offer).content == {"status": "ok"}
    assert connection.receive().status == 200
    assert connection.ask(offer + get("/ready")).status == 200
    assert connection.receive().content == {"status": "ready"}


# Malformed requests

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
    "bad chunk": CHUNKED[: -len(chunked(PNG, 100))] + b"5\r\nhello\r\nnonsense\r\n",
    "bad chunk at once": CHUNKED[: -len(chunked(PNG, 100))] + b"nonsense\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_request_gets_400(connection: Connection, name: str) -> None:
    """Respond with 400 and a JSON detail at once, and close the connection."""
    begun = time.monotonic()
    response = connection.ask(MALFORMED[name])
    assert time.monotonic() - begun < 0.4  # before any time-out
    assert (response.status, response.closes) == (400, True)
    assert response.headers["content-type"] == "application/json"
    assert response.content == {"detail": "The request is not valid HTTP/1.1."}
    assert connection.is_at_end()


def test_bad_chunk_after_the_response_closes_quietly(connection: Connection) -> None:
    """Send no second response if the rest of a body, already answered, is malformed."""
    head = CHUNKED[: -len(chunked(PNG, 100))].replace(b"/predict", b"/nowhere")
    assert connection.ask(head).status == 404
    connection.send(b"nonsense\r\n")
    assert connection.is_at_end()


def test_malformed_requests_do_not_fill_the_log(tmp_path: Path) -> None:
    """Log at most MAX_REPEATS of a hundred malformed requests."""
    with running_service(tmp_path / "log") as service:
        for _ in range(100):
            with Connection(service.port) as connection:
                assert connection.ask(b"garbage\r\n\r\n").status == 400
    assert service.log.read_text().count("Rejected a request") == MAX_REPEATS


def test_clients_that_reset_while_they_are_rejected_leave_no_descriptor(service: Service) -> None:
    """Free the connection of a client that reads a part of the response to its upload, and resets the connection."""

    def count_descriptors() -> int:
        return len(list(Path(f"/proc/{service.process.pid}/fd").iterdir()))

    before = count_descriptors()
    for _ in range(100):
        with Connection(service.port) as connection:
            connection.send(post_head(10 * MAX_UPLOAD_BYTES))
            assert connection.socket.recv(1) == b"H"  # closing a socket that holds unread data resets the connection
    wait_until(lambda: count_descriptors() <= before)
    assert "Traceback" not in service.log.read_text()
