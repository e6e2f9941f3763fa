"""Make a base image of the Debian packages that this machine has, where none can be downloaded.

It takes Python and what it depends on, in the versions that are installed.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

NAME = "localhost/python-of-this-machine"
WANTED = ("python3-venv", "base-files", "bash", "binutils", "coreutils", "dash", "libstdc++6", "zlib1g")
LINKS = ("/bin", "/lib", "/lib64", "/sbin")
"""Debian and Ubuntu have merged these into /usr by links, which belong to no package."""

LEFT_OUT = re.compile(r"/usr/share/(doc|locale|man)/")


def make_base_image() -> str:
    """Import the files of the packages as an image, and return its name. Raises CalledProcessError elsewhere."""
    depends = read_depends()
    packages: set[str] = set()
    missing = [*WANTED]
    while missing:
        package = missing.pop()
        packages.add(package)
        missing += [name for name in depends.get(package, []) if name in depends and name not in packages]
    listed = _output("dpkg-query", "--listfiles", *sorted(packages & depends.keys())).splitlines()
    files = [_in_real_folder(path) for path in listed if _is_wanted(path)]
    byte_code = [str(path) for file in files if file.endswith(".py") for path in _byte_code(Path(file))]
    paths = [*LINKS, "/etc/passwd", "/etc/group", *files, *byte_code]
    archive = subprocess.run(
        ["tar", "--create", "--no-recursion", "--null", "--files-from=-"],
        input=b"\0".join(path.encode() for path in dict.fromkeys(paths)),
        check=True,
        capture_output=True,
    )
    subprocess.run(["podman", "import", "-", NAME], input=archive.stdout, check=True, capture_output=True)
    return NAME


def read_depends() -> dict[str, list[str]]:
    """Return the names that each installed package depends on, without versions and alternatives."""
    form = "${Package}\\t${Pre-Depends}, ${Depends}\\n"
    rows = (line.split("\t") for line in _output("dpkg-query", "--show", f"--showformat={form}").splitlines())
    return {package: re.findall(r"(?:^|, )([a-z0-9][a-z0-9.+-]+)", depends) for package, depends in rows}


def _is_wanted(path: str) -> bool:
    """Return whether a path exists and is needed. /. is the root; a folder of documentation is empty without it."""
    return path.startswith("/") and path != "/." and not LEFT_OUT.match(path) and Path(path).exists()


def _in_real_folder(path: str) -> str:
    """Return /usr/bin/sh for /bin/sh: an archive must not write through a link."""
    return str(Path(path).parent.resolve() / Path(path).name)


def _byte_code(source: Path) -> Iterator[Path]:
    """Yield what the installation of a package has compiled: no package lists it."""
    return source.parent.glob(f"__pycache__/{source.stem}.cpython-*.pyc")


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
