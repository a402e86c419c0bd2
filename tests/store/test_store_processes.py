"""Several processes use one store at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agentlab.store.base import Shelf
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.sqlite import SqlitePersistenceBackend

KINDS: dict[str, Callable[[Path], Shelf]] = {
    "file": lambda folder: FilePersistenceBackend(folder / "kept"),
    "sqlite": lambda folder: SqlitePersistenceBackend(folder / "kept.sqlite"),
}
START = """
import asyncio, sys, time
from pathlib import Path
from agentlab.core.errors import PersistenceError
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.sqlite import SqlitePersistenceBackend
folder, kind, me = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = (FilePersistenceBackend(folder / "kept") if kind == "file"
         else SqlitePersistenceBackend(folder / "kept.sqlite"))
(folder / f"ready{me}").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
"""
COUNT = """
def add_one(old, now):
    return str(int(old or b"0") + 1).encode()
async def steps():
    for _ in range(100):
        await store.update("n", add_one)
        await store.save(f"mine{me}", b"%d" % me)
if me % 2:
    asyncio.run(steps())
else:
    for _ in range(100):
        store.update_sync("n", add_one)
"""
DAMAGE = """
for _ in range(20):
    try:
        store.update_sync("n", lambda old, now: str(int(old or b"0") + 1).encode())
    except PersistenceError as error:
        print("told", error)
    else:
        print("done")
"""


def at_once(code: str, folder: Path, kind: str, count: int = 4) -> list[str]:
    """Run ``code`` in several processes that begin together, and give what they print."""
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    children = [
        subprocess.Popen(  # noqa: S603 - our own
            [sys.executable, "-c", START + code, str(folder), kind, str(number)],
            env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(count)
    ]  # fmt: skip
    try:
        while not all((folder / f"ready{number}").exists() for number in range(count)):
            assert all(child.poll() is None for child in children), children[0].communicate()
        (folder / "go").touch()
        said = [child.communicate(timeout=60) for child in children]
    finally:
        for child in children:
            child.kill()
    assert [child.returncode for child in children] == [0] * count, said
    return [out for out, _ in said]


@pytest.mark.parametrize("kind", KINDS)
def test_no_update_is_lost(tmp_path: Path, kind: str) -> None:
    """Four processes add one, a hundred times each, in a store that none of them found there."""
    at_once(COUNT, tmp_path, kind)
    store: Shelf = KINDS[kind](tmp_path)

    assert store.load_sync("n") == b"400"
    assert store.version_sync("n") == 400
    assert store.keys_sync("mine") == ["mine1", "mine3"]


def test_one_puts_a_damaged_database_aside(tmp_path: Path) -> None:
    """Where several find a database damaged, it is put aside once and no later save is lost."""
    path = tmp_path / "kept.sqlite"
    store = SqlitePersistenceBackend(path)
    store.save_sync("n", b"1000")
    store.close()
    data = bytearray(path.read_bytes())
    data[4096:8192] = bytes(range(256)) * 16
    path.write_bytes(data)

    said = "".join(at_once(DAMAGE, tmp_path, "sqlite")).splitlines()

    aside = [path for path in tmp_path.glob("kept.sqlite.damaged-*") if path.name[-4] != "-"]
    assert len(aside) == 1
    assert aside[0].read_bytes() == bytes(data)
    done = said.count("done")
    assert done >= 76
    rest = [line for line in said if line != "done"]
    assert not [line for line in rest if " damaged " not in line and " was moved " not in line]
    assert len(said) == 80
    assert SqlitePersistenceBackend(path).load_sync("n") == str(done).encode()


def test_a_store_sees_what_others_save(tmp_path: Path) -> None:
    """Two stores on one place are one store, also when its files were moved away meanwhile."""
    for kind, make in KINDS.items():
        one, two = make(tmp_path / kind), make(tmp_path / kind)
        one.save_sync("k", b"1")
        assert two.load_sync("k") == b"1"
        two.delete_sync("k")
        assert one.load_sync("k") is None
        one.save_sync("k", b"1")
        one.close()
        (tmp_path / kind).rename(tmp_path / f"{kind} moved")
        assert two.load_sync("k") is None
        two.save_sync("k", b"2")
        assert (one.load_sync("k"), make(tmp_path / f"{kind} moved").load_sync("k")) == (b"2", b"1")
