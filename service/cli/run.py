"""Read what the arguments name: sources -> chunks -> rows -> output."""

import os
import sys
from collections.abc import Callable, Iterator

from service.cli.arguments import Arguments
from service.cli.chunk_reader import Chunk, ChunkReader, make_chunks
from service.cli.inputs import find_sources
from service.cli.output import Output
from service.cli.parquet import check_pyarrow
from service.cli.pool import Pool
from service.cli.result import Row, make_rows
from service.cli.sheet import MAX_CELLS
from service.cli.stop import Stop
from service.errors import ServiceError
from service.inference.predictor import Predictor
from service.settings import Settings

SETTINGS = ("MODEL", "WEIGHTS_DIR", "MAX_DECODED_BYTES")
BROKEN_PIPE = 141
"""The exit status of a program that a closed pipe ends."""


def run(arguments: Arguments) -> int:
    """Read everything and write it. Returns the exit status."""
    stop = Stop()
    try:
        return _run(arguments, stop)
    except ServiceError as error:
        print(f"digit-predict: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"digit-predict: the output cannot be written ({error.strerror}).", file=sys.stderr)
        return 2


def _run(arguments: Arguments, stop: Stop) -> int:
    if arguments.parquet:
        check_pyarrow()
    reader = ChunkReader(_load_predictor(), arguments.is_number)
    chunks = make_chunks(find_sources(arguments.inputs), MAX_CELLS if arguments.show else 0)
    jobs = arguments.jobs or len(os.sched_getaffinity(0))
    if jobs == 1:
        return _write(_read_here(reader, chunks, stop.is_requested), arguments, stop)
    pool = Pool(reader.read, jobs, stop.is_requested)
    try:
        return _write(pool.map(chunks), arguments, stop)
    finally:
        pool.close()


def _load_predictor() -> Predictor:
    settings = Settings.from_mapping({name: os.environ[name] for name in SETTINGS if name in os.environ})
    return Predictor.load(settings.model, settings.weights_dir, settings.max_decoded_bytes)


def _read_here(reader: ChunkReader, chunks: Iterator[Chunk], is_stopped: Callable[[], bool]) -> Iterator[list[Row]]:
    """Yield rows batch by batch, read in this process."""
    for chunk in chunks:
        sources = iter(chunk.sources)
        for results in reader.read(chunk):
            yield make_rows(sources, results)
            if is_stopped():
                return


def _write(batches: Iterator[list[Row]], arguments: Arguments, stop: Stop) -> int:
    """Write rows as they come. Returns the exit status."""
    output = Output(arguments)
    try:
        for rows in batches:
            output.write(rows)
    except BrokenPipeError:  # the reader has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        output.close()
        return BROKEN_PIPE
    output.close(is_interrupted=stop.is_requested())
    if stop.is_requested():
        return stop.exit_code
    return 1 if output.failed else 0
