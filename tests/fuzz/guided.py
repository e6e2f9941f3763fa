"""Fuzz one target guided by coverage: `python -m tests.fuzz.guided TARGET SEEDS [libFuzzer options]`.

Not a test module's import: atheris instruments the code that it imports, and ends the process when it is done.
"""

import random
import sys

import atheris

with atheris.instrument_imports(include=["service", "PIL"]):
    from tests.fuzz.mutations import corrupt
    from tests.fuzz.targets import TARGETS

OUR_SHARE = 0.5
"""Share of the mutations that know chunks and segments. The others are libFuzzer's."""


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Mutate an input for libFuzzer."""
    rng = random.Random(seed)
    if rng.random() < OUR_SHARE:
        return corrupt(data, data, rng)[:max_size]
    return bytes(atheris.Mutate(data, max_size))


def main() -> None:
    """Run libFuzzer. It exits with 0 if no input crashed the target."""
    name, *arguments = sys.argv[1:]
    atheris.Setup([sys.argv[0], *arguments], TARGETS[name], custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
