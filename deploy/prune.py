"""Copy what serving needs into a new tree, and try the service in it: `python -m deploy.prune ROOT`.

Run it in the folder that holds `service/`, `weights/`, `examples/` and `deploy/`, with the interpreter of the virtual
environment of requirements-serve.txt. The environment is copied to the same path below ROOT, the folder to ROOT/app.
What is copied of the packages: the files that were opened or mapped while the service responded to requests, and KEPT.

It fails if the service in the new tree responds to a request otherwise than the service in the full environment.
"""

import compileall
import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

from deploy.trial.pictures import draw_variants, read_examples
from deploy.trial.requests import Request, all_requests
from deploy.trial.running import Response, TrialError, running
from service.web.recorder import ROUTES

PACKAGES = Path(sysconfig.get_path("purelib")).resolve()

KEPT = (
    # Versions for scanners, and licenses.
    "*.dist-info/METADATA",
    "*.dist-info/licenses/**/*",
    "*.dist-info/sboms/*",
    "onnxruntime/LICENSE",
    "onnxruntime/ThirdPartyNotices.txt",
    # Loaded by name on some processors.
    "onnxruntime/capi/libonnxruntime_providers_shared.so",
    # Modules that may be imported late: on an error, at the first use of a function, by an option.
    "anyio/**/*.py",
    "click/**/*.py",
    "httptools/**/*.py",
    "starlette/**/*.py",
    "uvicorn/**/*.py",
    "numpy/*.py",
    "numpy/_core/*.py",
    "numpy/lib/*.py",
    "numpy/linalg/*.py",
    "PIL/Image*.py",
    "PIL/Tiff*.py",
)
"""Files of the packages that are copied whether or not they were used."""


def main() -> None:
    """Trace the service, copy what it used, strip and compile the copy, and try it."""
    root = Path(sys.argv[1]).resolve()
    examples = read_examples(Path("examples"))
    requests = all_requests(examples, draw_variants(examples[-1]), ROUTES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        responses, imported, read = trace(requests, folder)
        copy_environment(root, {*imported, *read, *kept_files()})
        copy_app(root / "app")
        strip(root)
        compile_modules(root, keep_source=read)
        for workers in ("1", "2"):
            try_tree(root, workers, requests, responses, folder)
    megabytes = sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir()) / 1e6
    print(f"{root}: {megabytes:.1f} MB. {len(requests)} requests got the same responses as before.")


def trace(requests: list[Request], folder: Path) -> tuple[list[Response], set[Path], set[Path]]:
    """Serve requests in the full environment.

    Return the responses, the modules and libraries of packages that were imported, and the files that were read.
    """
    log = folder / "opened"
    command = [sys.executable, "-m", "deploy.tracer", str(log)]
    with running(command, Path.cwd(), folder / "log", WORKERS="1") as service:
        responses = [service.send(request) for request in requests]
        mapped = Path(f"/proc/{service.pid}/maps").read_text().splitlines()
    opened = [line.split(maxsplit=1) for line in log.read_text().splitlines()]
    imported = [*(path for how, path in opened if how == "import"), *(line.split(maxsplit=5)[-1] for line in mapped)]
    return responses, _in_packages(imported), _in_packages(path for how, path in opened if how == "read")


def kept_files() -> Iterator[Path]:
    """Yield the files that match KEPT. Raises TrialError for a pattern without any: a package has changed."""
    for pattern in KEPT:
        paths = [path for path in PACKAGES.glob(pattern) if path.is_file()]
        if not paths:
            raise TrialError(f"{pattern} in KEPT matches no file in {PACKAGES}.")
        yield from paths


def copy_environment(root: Path, files: Iterable[Path]) -> None:
    """Copy files, the links to the interpreter, and what makes them a virtual environment."""
    prefix = Path(sys.prefix)
    links = [path for path in (*prefix.iterdir(), *(prefix / "bin").glob("python*")) if path.is_symlink()]
    for path in (*files, *links, prefix / "pyvenv.cfg"):
        _copy(path, root / path.relative_to("/"))


def copy_app(app: Path) -> None:
    """Copy the service, of each model its contract and the served file, and the health check."""
    shutil.copytree("service", app / "service", ignore=shutil.ignore_patterns("__pycache__"))
    for contract in Path("weights").glob("*/contract.json"):
        for name in (contract.name, json.loads(contract.read_bytes())["serves"]):
            _copy(contract.with_name(name), app / contract.with_name(name))
    _copy(Path("deploy/probe.py"), app / "probe.py")


def strip(root: Path) -> None:
    """Remove from the libraries the symbols that only debuggers read."""
    if shutil.which("strip") is None:
        print("strip is not installed: the libraries keep their symbols.", file=sys.stderr)
        return
    for path in root.rglob("*.so*"):
        original = path.read_bytes()
        subprocess.run(["strip", "--strip-unneeded", path], check=True)
        if not _can_load(path):  # strip breaks some libraries into which auditwheel has written other paths
            path.write_bytes(original)


def compile_modules(root: Path, keep_source: set[Path]) -> None:
    """Compile each module once. Packages keep only byte code, and the sources that they read themselves, as anyio does.

    The service keeps its source, which tracebacks show.
    """
    packages = root / PACKAGES.relative_to("/")
    for path in packages.rglob("*.py"):
        is_kept = PACKAGES / path.relative_to(packages) in keep_source
        _compile(path, root, beside_source=not is_kept)
        if not is_kept:
            path.unlink()
    for path in (root / "app" / "service").rglob("*.py"):
        _compile(path, root)


def try_tree(root: Path, workers: str, requests: list[Request], expected: list[Response], folder: Path) -> None:
    """Serve the requests from the new tree. Raises TrialError if a response differs or the health check fails."""
    python = str(root / Path(sys.prefix, "bin", "python3").relative_to("/"))
    with running([python, "-m", "service"], root / "app", folder / "log", WORKERS=workers) as service:
        probe = [python, "-I", "-S", "-E", "probe.py"]
        subprocess.run(probe, cwd=root / "app", env={"PORT": str(service.port)}, check=True)
        for request, before in zip(requests, expected, strict=True):
            response = service.send(request)
            if response != before and request.path != "/metrics":  # which counts and times
                raise TrialError(
                    f"{request.method} {request.path}: {response!s:.500}, but {before!s:.500} before pruning."
                )


def _can_load(library: Path) -> bool:
    """Return whether the dynamic linker accepts a library, in a process of its own."""
    command = [sys.executable, "-c", f"import ctypes; ctypes.CDLL({str(library)!r})"]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


def _in_packages(paths: Iterable[str]) -> set[Path]:
    """Return the files of packages among some paths, of byte code its source."""
    files = {_source(Path(path).resolve()) for path in paths}
    return {path for path in files if PACKAGES in path.parents and path.is_file()}


def _compile(path: Path, root: Path, *, beside_source: bool = False) -> None:
    """Write byte code, which stays valid however the image is copied: it is not compared with the source."""
    mode = PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_file(path, quiet=1, legacy=beside_source, stripdir=root, invalidation_mode=mode):
        raise TrialError(f"{path} cannot be compiled.")


def _source(path: Path) -> Path:
    """Return the source file of a file of byte code, and any other path as it is."""
    is_byte_code = path.parent.name == "__pycache__"
    return path.parent.parent / f"{path.name.split('.')[0]}.py" if is_byte_code else path


def _copy(path: Path, into: Path) -> None:
    into.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, into, follow_symlinks=False)


if __name__ == "__main__":
    main()
