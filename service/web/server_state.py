"""What the app shares with the server in front of it."""

from dataclasses import dataclass, field

from service.inference.in_flight import InFlight
from service.metrics.registry import Registry
from service.web.access_log import AccessLog
from service.web.readiness import Readiness
from service.web.recorder import RequestRecorder


@dataclass
class ServerState:
    """The state of one server process. access_log: None if requests are not logged."""

    registry: Registry = field(default_factory=Registry)
    access_log: AccessLog | None = None
    readiness: Readiness = field(default_factory=Readiness)
    in_flight: InFlight = field(default_factory=InFlight)
    recorder: RequestRecorder = field(init=False)

    def __post_init__(self) -> None:
        self.recorder = RequestRecorder(self.registry, self.access_log)
