"""A process that is killed again and again while it writes; run by ``test_store_crash``.

Each round forks a writer, which saves and updates numbered values and tells of each when it is
safe, kills it at a random moment, and then reads everything. Prints one line of JSON.

Usage: campaign.py KIND FOLDER ROUNDS SEED
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

from agentlab.store.base import Shelf
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.sqlite import SqlitePersistenceBackend

KEYS = 5
MAKE: dict[str, Callable[[Path], Shelf]] = {
    "file": lambda folder: FilePersistenceBackend(folder / "kept"),
    "sqlite": lambda folder: SqlitePersistenceBackend(folder / "kept.sqlite"),
}


def value_of(number: int) -> bytes:
    """Give a value that shows whether it is whole."""
    body = b"%d " % number * (1 + number * 37 % 900)
    return b"%08x " % crc32(body) + body


def number_of(value: bytes) -> int:
    """Give its number back, if it is whole."""
    number = int(value[9:].split(b" ", 1)[0])
    assert value == value_of(number), f"torn: {value[:40]!r}"
    return number


def write(store: Shelf, number: int, told: int) -> None:
    """Save value after value, and tell of each."""
    while True:
        key, value = f"k{number % KEYS}", value_of(number)
        if number % 3:
            store.save_sync(key, value)
        else:
            store.update_sync(key, lambda old, _, new=value: new if old != new else None)  # type: ignore[misc]
        os.write(told, b"%d\n" % number)
        number += 1


def killed(store: Shelf, number: int, wait_s: float, *, begun: bool) -> list[int]:
    """Fork a writer, kill it after a while, and give what it said was safe.

    The while begins with its first word, where it should have ``begun``.
    """
    hear, tell = os.pipe()
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            write(store, number, tell)
        os._exit(3)
    os.close(tell)
    with os.fdopen(hear, "rb") as file:
        said = file.readline() if begun else b""
        time.sleep(wait_s)
        os.kill(child, signal.SIGKILL)
        said += file.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the writer failed by itself"
    return [int(line) for line in said.split()]


def main(kind: str, folder: Path, rounds: int, seed: int) -> None:
    """Play all rounds; every third begins with an empty folder.

    ``left`` counts the rounds after which there were unfinished files.
    """
    rng = random.Random(seed)  # noqa: S311 - the same each time
    number, total, safe, left = 1, 0, dict[str, int](), 0
    for each in range(rounds):
        if each % 3 == 0:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            safe.clear()
        wait_s = rng.uniform(0.0001, 0.02)
        said = killed(MAKE[kind](folder), number, wait_s, begun=each % 3 > 0)
        safe |= {f"k{done % KEYS}": done for done in said}
        total += len(said)
        last = said[-1] + 1 if said else number
        store = MAKE[kind](folder)
        for key in (f"k{i}" for i in range(KEYS)):
            value = store.load_sync(key)
            found = number_of(value) if value is not None else 0
            assert found >= safe.get(key, 0), f"{key}: {safe.get(key)} was safe, {found} is there"
            assert found <= last
            assert found == 0 or found % KEYS == int(key[1:])
            assert (key in store.keys_sync()) == (found > 0)
        assert store.stats_sync().damaged == 0
        store.save_sync(f"k{last % KEYS}", value_of(last))
        safe[f"k{last % KEYS}"] = last
        store.close()
        number = last + 1
        left += any(folder.rglob(".*.tmp"))
    print(json.dumps({"rounds": rounds, "safe": total, "left": left}))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
