"""How the kernels are compiled: once on a machine, and kept in the user's cache."""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

import platformdirs

from vidnas.nn.native.prototypes import calls_in_c

SOURCE = Path(__file__).with_name("kernels.c")
# Sums may be reordered into vectors. Not -ffast-math: it would change how the whole process rounds small
# numbers.
OPTIONS = ("-O3", "-shared", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros",
           "-fassociative-math", "-ffp-contract=fast")  # fmt: skip
COMPILE_SEC = 120
DIGEST = ".sha256"


def compiled(command: list[str]) -> Path:
    """The library that this command makes of the sources, from the cache if it was made on such a machine."""
    # the compiler's version and the processor's abilities are among the macros
    macros = _run([*command, "-dM", "-E", "-x", "c", os.devnull])
    sources = [source.read_bytes() for source in sorted(SOURCE.parent.glob("*.[ch]"))]
    calls = calls_in_c().encode()
    key = hashlib.sha256(b"\0".join([*sources, calls, " ".join(command).encode(), macros])).hexdigest()[:16]
    path = platformdirs.user_cache_path("vidnas") / "kernels" / f"{key}.so"
    if not _is_whole(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            made = Path(folder) / path.name
            _run([*command, "-include", str(SOURCE), "-x", "c", "-", "-o", str(made)], calls)
            digest = made.with_suffix(DIGEST)
            digest.write_text(_digest(made))
            for own in (digest, made):  # processes that start together never meet half a file
                own.replace(path.with_suffix(own.suffix))
    return path


def _is_whole(library: Path) -> bool:
    """Whether it is what was compiled: to load half a one, as a full disk may leave it, ends the process."""
    try:
        return library.with_suffix(DIGEST).read_text() == _digest(library)
    except (OSError, UnicodeDecodeError):
        return False


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _run(command: list[str], code: bytes = b"") -> bytes:
    return subprocess.run(command, input=code, check=True, capture_output=True, timeout=COMPILE_SEC).stdout
