"""Read every image of a folder or bucket on a Ray cluster, and write Parquet files.

    python predict_folder.py INPUT OUTPUT --actors 16

INPUT and OUTPUT are local paths that all nodes share, or s3:// or gs:// addresses. Each node needs the wheel of
digit-service, ray[data] and pyarrow. A run that was interrupted goes on where it stopped when it is started again.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet
import ray

from service import Predictor
from service.cli.chunk_reader import ChunkReader, make_chunks
from service.cli.record import record_maker
from service.cli.result import Row, make_rows
from service.cli.source import check_size
from service.errors import FileError

MANIFEST = "manifest.parquet"

COLUMNS = pa.schema(
    {
        "path": pa.string(),
        "digit": pa.int8(),
        "confidence": pa.float64(),
        "probabilities": pa.list_(pa.float64()),
        "error": pa.string(),
    }
)


@dataclass(frozen=True)
class StoredImage:
    """A file in a folder or bucket. It reads as the sources of the command line do."""

    files: pyarrow.fs.FileSystem
    name: str

    def read(self) -> bytes:
        """Return the bytes of the file. Raises FileError if they cannot be read."""
        try:
            with self.files.open_input_file(self.name) as file:
                check_size(file.size())
                return bytes(file.read())
        except OSError as error:
            raise FileError(f"it cannot be read ({error}).") from error


class ShardReader:
    """An actor: one predictor, which reads one shard after the other."""

    def __init__(self, source: str, target: str) -> None:
        """Load the model. source, target: addresses of the images and of the output."""
        self._source_files, _ = pyarrow.fs.FileSystem.from_uri(source)
        self._target_files, self._target = pyarrow.fs.FileSystem.from_uri(target)
        self._reader = ChunkReader(Predictor.load(), is_number=False)

    def __call__(self, shard: dict[str, Any]) -> dict[str, Any]:
        """Write the Parquet file of one shard, and return what it holds."""
        rows = list(self._read([str(path) for path in shard["paths"]]))
        table = pa.Table.from_pylist([_record(row) for row in rows], COLUMNS)
        _write(self._target_files, f"{self._target}/{shard_name(int(shard['shard']))}", table)
        return {"rows": len(rows), "failed": sum(bool(row.result.error) for row in rows)}

    def _read(self, paths: list[str]) -> Iterator[Row]:
        for chunk in make_chunks(iter([StoredImage(self._source_files, path) for path in paths])):
            sources = iter(chunk.sources)
            for results in self._reader.read(chunk):
                yield from make_rows(sources, results)


def shard_name(number: int) -> str:
    """Return the name of the Parquet file of a shard."""
    return f"shard-{number:06}.parquet"


def predict_folder(source: str, target: str, actors: int, shard_size: int = 1_000) -> dict[str, int]:
    """Read the images that no earlier run has read, with so many actors.

    shard_size: files per output file, at most; an interrupted run reads unfinished ones again. Returns the number of
    rows that were written, and of those with an error.
    """
    files, folder = pyarrow.fs.FileSystem.from_uri(target)
    files.create_dir(folder, recursive=True)
    shards = _read_manifest(files, folder) or _write_manifest(files, folder, source, shard_size)
    done = {info.base_name for info in files.get_file_info(pyarrow.fs.FileSelector(folder))}
    waiting = [
        {"shard": number, "paths": paths} for number, paths in enumerate(shards) if shard_name(number) not in done
    ]
    if not waiting:
        return {"rows": 0, "failed": 0}
    data = ray.data.from_items(waiting, override_num_blocks=len(waiting))
    pool = ray.data.ActorPoolStrategy(size=min(actors, len(waiting)))
    counts = data.map(ShardReader, fn_constructor_args=(source, target), compute=pool, num_cpus=1).take_all()
    return {key: sum(count[key] for count in counts) for key in ("rows", "failed")}


def _read_manifest(files: pyarrow.fs.FileSystem, folder: str) -> list[list[str]]:
    """Return the paths of each shard as the first run listed them, or none if this is the first run."""
    if files.get_file_info(f"{folder}/{MANIFEST}").type == pyarrow.fs.FileType.NotFound:
        return []
    with files.open_input_file(f"{folder}/{MANIFEST}") as file:
        return list(pyarrow.parquet.read_table(file)["paths"].to_pylist())


def _write_manifest(files: pyarrow.fs.FileSystem, folder: str, source: str, shard_size: int) -> list[list[str]]:
    """List the files of INPUT, and divide them into shards for this run and those that resume it."""
    source_files, root = pyarrow.fs.FileSystem.from_uri(source)
    listing = source_files.get_file_info(pyarrow.fs.FileSelector(root, recursive=True))
    paths = sorted(info.path for info in listing if info.type == pyarrow.fs.FileType.File)
    shards = [paths[start : start + shard_size] for start in range(0, len(paths), shard_size)]
    _write(files, f"{folder}/{MANIFEST}", pa.table({"paths": pa.array(shards, pa.list_(pa.string()))}))
    return shards


def _write(files: pyarrow.fs.FileSystem, path: str, table: pa.Table) -> None:
    """Write a file under another name, and rename it: a file with its own name is complete."""
    pyarrow.parquet.write_table(table, f"{path}.partial", filesystem=files)
    files.move(f"{path}.partial", path)


def _record(row: Row) -> dict[str, Any]:
    record = record_maker(is_number=False)(row)
    return {"path": record.pop("file"), **record}


def main() -> None:
    """Run the job on the cluster that RAY_ADDRESS names, or on this machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="INPUT")
    parser.add_argument("target", metavar="OUTPUT")
    parser.add_argument("--actors", type=int, default=2, help="processes that read images, one CPU each (2)")
    parser.add_argument("--shard-size", type=int, default=1_000, help="images per Parquet file (1000)")
    arguments = parser.parse_args()
    ray.init()
    print(json.dumps(predict_folder(**vars(arguments))))


if __name__ == "__main__":
    main()
