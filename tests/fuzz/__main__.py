"""Fuzz everything for some minutes: `python -m tests.fuzz [--minutes N] [--every]`.

For each target, one process runs libFuzzer, guided by coverage. Beside it, another one runs corruptions of the seeds
and the inputs that hypothesis draws. `--every` first decodes every corruption of the examples at one place, which takes
many minutes more.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.corpus import seeds
from tests.fuzz.crash_files import FOLDER, crash_files
from tests.fuzz.every import run_every

SHARES = {"decode": 0.4, "app": 0.2, "form": 0.1, "document": 0.1, "inference": 0.2}
"""Shares of the time. The last three read hundreds or thousands of inputs a second, the others about a hundred."""

GUIDED_SECONDS = 30
"""After this time, a new process goes on with the corpus: atheris leaks up to 20 MB a second in instrumented code."""

LIMITS = ("-timeout=10", "-rss_limit_mb=1500", "-max_len=65536")
"""An input that takes longer, in seconds, or more memory, counts as a crash. Instrumented code is slow and large."""


@dataclass(frozen=True)
class Run:
    """What one fuzzer did. inputs: how many it ran. has_crashed: whether one of them crashed the target."""

    target: str
    fuzzer: str
    inputs: int
    has_crashed: bool


def main() -> int:
    """Run all fuzzers, report the inputs of each, and return 1 if anything crashed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", action="store_true")
    arguments = parser.parse_args()
    if arguments.every:
        print(f"{'decode':10} {'every':10} {run_every('decode'):10,}", flush=True)
    seconds = 60 * arguments.minutes
    runs = [run for target, share in SHARES.items() for run in fuzz(target, share * seconds)]
    print(f"\n{'target':10} {'fuzzer':10} {'inputs':>10}")
    for run in runs:
        print(f"{run.target:10} {run.fuzzer:10} {run.inputs:10,}{'  CRASHED' if run.has_crashed else ''}")
    names = [path.name for path in crash_files()]
    print(f"{'total':21} {sum(run.inputs for run in runs):10,}")
    print(f"earlier crashes, which make test repeats: {', '.join(names) or 'none'}")
    return int(any(run.has_crashed for run in runs))


def fuzz(target: str, seconds: float) -> list[Run]:
    """Fuzz one target for some seconds in two processes."""
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds(target)):
            Path(corpus, str(number)).write_bytes(seed)
        corrupted = start("tests.fuzz.corrupted", target, f"{seconds}")
        return [fuzz_guided(target, seconds, corpus), finish(target, "corrupted", corrupted)]


def fuzz_guided(target: str, seconds: float, corpus: str) -> Run:
    """Run libFuzzer for some seconds, in one process after another, until an input crashes."""
    end, inputs = time.monotonic() + seconds, 0
    while (left := end - time.monotonic()) > 0:
        options = [f"-max_total_time={min(GUIDED_SECONDS, left) + 1:.0f}", "-print_final_stats=1", "-verbosity=0"]
        process = start("tests.fuzz.guided", target, corpus, *options, f"-artifact_prefix={FOLDER}/{target}-", *LIMITS)
        run = finish(target, "guided", process)
        inputs += run.inputs
        if run.has_crashed:
            break
    return Run(target, "guided", inputs, run.has_crashed)


def start(module: str, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(target: str, fuzzer: str, process: "subprocess.Popen[str]") -> Run:
    """Wait for a fuzzer, show what it says about a crash, and count its inputs."""
    output, _ = process.communicate()
    if process.returncode:
        print(f"--- {target}, {fuzzer}\n{output}")
    counts = re.findall(r"number_of_executed_units: +(\d+)", output)
    return Run(target, fuzzer, int(counts[-1]) if counts else 0, process.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
