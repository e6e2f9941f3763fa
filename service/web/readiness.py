"""Whether the service accepts images."""

from enum import StrEnum

from service.errors import NotReadyError


class State(StrEnum):
    """The status that GET /ready returns."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    DRAINING = "draining"


class Readiness:
    """The state that the app reads and the server sets."""

    def __init__(self) -> None:
        self.state = State.STARTING

    @property
    def accepts_images(self) -> bool:
        """Whether images are read: also for a while after /ready has called the service unready."""
        return self.state in (State.READY, State.STOPPING)

    @property
    def is_ending(self) -> bool:
        """Whether the service has been told to stop."""
        return self.state in (State.STOPPING, State.DRAINING)

    def check(self) -> None:
        """Raise NotReadyError unless images are accepted."""
        if not self.accepts_images:
            raise self._error()

    def check_ready(self) -> None:
        """Raise NotReadyError unless the service is ready, as load balancers see it."""
        if self.state is not State.READY:
            raise self._error()

    def _error(self) -> NotReadyError:
        return NotReadyError(f"The service is {self.state}. Try again in a moment.")
