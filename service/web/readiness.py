"""Whether the service accepts images."""

from enum import StrEnum

from service.errors import NotReadyError


class State(StrEnum):
    """The status that GET /ready returns."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Readiness:
    """The state that the app reads and the server sets."""

    def __init__(self) -> None:
        self.state = State.STARTING

    def check(self) -> None:
        """Raise NotReadyError unless the service is ready."""
        if self.state is not State.READY:
            raise NotReadyError(f"The service is {self.state}. Try again in a moment.")
