"""The Ray job reads a folder on a cluster of two nodes, and resumes where it stopped."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.images import DIGIT, SEVEN, encode

pytestmark = pytest.mark.slow

NUMBER = 25
SHARD_SIZE = 10


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Start a cluster of two nodes with one CPU each on this machine."""
    cluster_utils = pytest.importorskip("ray.cluster_utils", reason="Ray is missing: pip install 'ray[data]'.")
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    yield cluster.address
    cluster.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Create a folder of images, one of which is damaged."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for index in range(NUMBER):
        (folder / f"{index:02}.png").write_bytes(encode(SEVEN))
    (folder / "03.png").write_bytes(b"damaged")
    return folder


def predict_folder(address: str, source: Path, target: Path) -> dict[str, int]:
    """Run the job with an actor per node. Returns what it counts."""
    script = ROOT / "deploy" / "ray" / "predict_folder.py"
    options = ["--actors", "2", "--shard-size", str(SHARD_SIZE)]
    finished = subprocess.run(
        [sys.executable, str(script), str(source), str(target), *options],
        env={**os.environ, "RAY_ADDRESS": address, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stderr
    return dict(json.loads(finished.stdout.splitlines()[-1]))


def test_folder_is_read_and_a_second_run_reads_the_rest(address: str, folder: Path, tmp_path: Path) -> None:
    """Write one row per image in order, a damaged one with its error; read only shards that are missing again."""
    parquet = pytest.importorskip("pyarrow.parquet")
    target = tmp_path / "rows"
    assert predict_folder(address, folder, target) == {"rows": NUMBER, "failed": 1}
    shards = sorted(target.glob("shard-*.parquet"))
    rows = [row for shard in shards for row in parquet.read_table(shard).to_pylist()]
    assert [row["path"] for row in rows] == [str(folder / f"{index:02}.png") for index in range(NUMBER)]
    assert [row["digit"] for row in rows] == [None if index == 3 else DIGIT for index in range(NUMBER)]
    assert "neither a PNG nor a JPEG" in rows[3]["error"]
    assert rows[4]["confidence"] == max(rows[4]["probabilities"])

    shards[1].unlink()
    assert predict_folder(address, folder, target) == {"rows": SHARD_SIZE, "failed": 0}
    assert predict_folder(address, folder, target) == {"rows": 0, "failed": 0}
    assert len(list(target.glob("shard-*.parquet"))) == 3
