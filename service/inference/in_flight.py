"""The number of requests in flight. Imports nothing of this project."""


class InFlight:
    """Counts the requests that have arrived and are not answered yet.

    A request counts from the moment its headers are parsed, before its handler starts. A handler that sees a count of
    1 therefore knows that no other request waits for the event loop.
    """

    def __init__(self) -> None:
        self.count = 0

    def begin(self) -> None:
        """Count a request that has arrived."""
        self.count += 1

    def end(self) -> None:
        """Stop counting a request that is answered or abandoned."""
        self.count -= 1
