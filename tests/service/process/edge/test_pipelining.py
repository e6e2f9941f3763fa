"""At most one pipelined request is queued."""

from benchmarks.server import pss
from tests.images import DIGIT
from tests.service.process.connection import POST, Connection, get
from tests.service.process.running_service import Service


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
