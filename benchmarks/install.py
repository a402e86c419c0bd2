"""Size and time of an install of the base and of each extra, each into a new environment.

Takes minutes and needs the package index. Names of extras as arguments; by default all that
people install. What pip has in its cache is not fetched again: the times are those of a warm
cache the second time this is run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXTRAS = ("", "local", "lab", "lab,local")


def install(extra: str) -> None:
    """Install into a new environment and print what it cost."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        packages = Path(next(Path(folder).glob("lib/python*/site-packages")))
        before = size(packages)
        began = time.monotonic()
        what = f"{ROOT}[{extra}]" if extra else str(ROOT)
        command = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", what]
        subprocess.run(command, check=True)  # noqa: S603 - our own package
        took = time.monotonic() - began
        listed = subprocess.check_output([python, "-m", "pip", "list", "--format=freeze"])  # noqa: S603
        count = len(listed.splitlines()) - 2  # pip and setuptools were there
        megabytes = (size(packages) - before) / 1e6
        print(f"{extra or 'base'}: {took:.0f} s, {megabytes:.0f} MB, {count} packages")


def size(folder: Path) -> int:
    """Add up the bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    for each in sys.argv[1:] or EXTRAS:
        install(each)
