"""Metrics of the state of a worker: the model, the requests in flight and the memory that they hold."""

from service import __version__
from service.inference.contract import Contract
from service.inference.in_flight import InFlight
from service.metrics.registry import Registry
from service.web.admission import Admission, MemoryBudget


def declare_model(registry: Registry, contract: Contract) -> None:
    """Describe the served model."""
    served = contract.served
    labels = {"model": str(contract.content["model"]), "precision": served["precision"], "sha256": served["sha256"]}
    registry.info("digit_service_model_info", "The served model.", {**labels, "version": __version__})


def declare_state(registry: Registry, in_flight: InFlight, budget: MemoryBudget, admission: Admission) -> None:
    """Expose the requests in flight, each pool of memory by its name, and the requests that got none."""
    requests = registry.gauge("digit_service_in_flight", "Requests that are not answered yet.")
    refused = registry.gauge(
        "digit_service_memory_refused_total",
        "Requests within MAX_UPLOAD_BYTES for which there is too little memory.",
        kind="counter",
    )
    capacity, used, waiting, expired = (
        registry.gauge(f"digit_service_memory_{name}", description, "pool", list(budget.pools), kind)
        for name, description, kind in (
            ("capacity_bytes", "Memory that requests may hold.", "gauge"),
            ("used_bytes", "Memory that requests hold.", "gauge"),
            ("waiting_requests", "Requests that wait for memory.", "gauge"),
            ("expired_total", "Requests that got no memory within QUEUE_TIMEOUT.", "counter"),
        )
    )

    def refresh() -> None:
        requests.set(in_flight.count)
        refused.set(admission.refused)
        for name, pool in budget.pools.items():
            capacity.set(pool.capacity, name)
            used.set(pool.used, name)
            waiting.set(pool.waiting, name)
            expired.set(pool.expired, name)

    registry.on_refresh(refresh)
