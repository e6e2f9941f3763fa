"""Numbers in memory that all workers share, so that any worker can report the totals of all."""

import mmap
import threading

ROW_SLOTS = 512
FLOAT_BYTES = 8


class SharedValues:
    """One row of float64 per worker. A worker writes only its own row; every worker reads all rows.

    Create it before the workers are forked. A worker that replaces another continues its row, so counters never fall.
    Safe to use from several threads.
    """

    def __init__(self, workers: int = 1) -> None:
        self._cells = memoryview(mmap.mmap(-1, workers * ROW_SLOTS * FLOAT_BYTES)).cast("d")
        self._workers = workers
        self._row_start = 0
        self._allocated = 0
        self._lock = threading.Lock()

    def use_row(self, worker: int) -> None:
        """Write the row of this worker, 0 to workers - 1, from now on."""
        self._row_start = worker * ROW_SLOTS

    def allocate(self, count: int) -> int:
        """Reserve `count` slots in every row. Returns the first."""
        first = self._allocated
        self._allocated += count
        if self._allocated > ROW_SLOTS:
            raise ValueError(f"{self._allocated} slots are needed, and a row has {ROW_SLOTS}. Raise ROW_SLOTS.")
        return first

    def add(self, slot: int, amount: float) -> None:
        """Add to a slot of this worker."""
        with self._lock:
            self._cells[self._row_start + slot] += amount

    def add_pair(self, slot: int, amount: float, other: int, other_amount: float) -> None:
        """Add to two slots of this worker at once."""
        start = self._row_start
        with self._lock:
            self._cells[start + slot] += amount
            self._cells[start + other] += other_amount

    def set(self, slot: int, value: float) -> None:
        """Set a slot of this worker."""
        self._cells[self._row_start + slot] = value

    def of_each_worker(self, slot: int) -> list[float]:
        """Return the value of a slot in each worker's row."""
        return [self._cells[worker * ROW_SLOTS + slot] for worker in range(self._workers)]

    def total(self, slot: int) -> float:
        """Return the sum of a slot over all workers."""
        return sum(self.of_each_worker(slot))
