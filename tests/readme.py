"""The commands of README.md."""

import re

from tests.conftest import ROOT

TEXT = (ROOT / "README.md").read_text()

PROGRAM = re.compile(r"(?:[A-Z_]+=\S+ )*(?:make|curl|docker|podman|pip|python3?|digit-\w+|\.venv/\S+)(?: |$)")
"""How a command in running text begins. Other words in back quotes are names of files, routes and settings."""


def blocks() -> list[list[str]]:
    """Return the commands of each block of shell commands, without their comments."""
    found = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    return [[re.sub(r" +# .*", "", line) for line in block.splitlines()] for block in found]


def block_of(command: str) -> list[str]:
    """Return the commands of the block that holds this one."""
    (found,) = (block for block in blocks() if command in block)
    return found


def inline_commands() -> list[str]:
    """Return the commands in running text."""
    text = re.sub(r"^```.*?^```", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    return [code for code in re.findall(r"`([^`]+)`", text) if PROGRAM.match(code)]


def commands() -> list[str]:
    """Return each command once, in the order of the README, those of blocks first."""
    return list(dict.fromkeys([*(command for block in blocks() for command in block), *inline_commands()]))
