"""A store of plain files, one a value, that several processes may use at once."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.files import (
    PRIVATE,
    make_folder,
    opened,
    replacing,
    sync_folder,
    tidy,
)
from agentlab.core.protocols import Change
from agentlab.store.base import Pairs, Shelf, StoreRow, StoreStats
from agentlab.store.disk import busy, look, reading, writing
from agentlab.store.envelope import (
    HEAD_LIMIT,
    Broken,
    DamagedRecord,
    Head,
    head_of,
    sealed,
)
from agentlab.store.names import HASH, is_name, name_of, same_key
from agentlab.store.turns import still_wanted

STRIPES = 64
DAMAGED, LOCKS = "damaged", ".locks"
POLL_S, LOCK_S = 0.002, 30.0

log = logging.getLogger("agentlab.store")


class FilePersistenceBackend(Shelf):
    """Keeps each value in a file of its own, whole or not there, whatever dies when.

    A file is named after its key, begins with a line of JSON that says what it is, and goes on
    with the value as it is. Damaged files are moved to ``damaged`` beside them.

    Parameters
    ----------
    base_dir : str or Path
        The folder. It is made, for nobody else to read, when the first value is saved.
    sync : bool
        Whether a save waits until the disk has it. Without that a crash of the process loses
        nothing, but a loss of power may.
    clock : Clock
        The time that ``update`` and the rows tell.
    """

    def __init__(
        self, base_dir: str | Path, *, sync: bool = True, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        super().__init__(clock)
        self._folder = Path(base_dir).expanduser().absolute()
        self._sync = sync

    def _begin(self) -> None:
        super()._begin()
        self._tidied = False
        self._stripes = [threading.Lock() for _ in range(STRIPES)]
        self._locks: dict[int, Any] = {}
        self._known: dict[str, str] = {}  # file name to key, which never changes

    def __repr__(self) -> str:
        return f"<FilePersistenceBackend {str(self._folder)!r}>"

    def _put(self, pairs: Pairs) -> None:
        for key, value in pairs:
            with self._turn(key) as path:
                self._write(path, key, value, self._before(path, key))

    def _get(self, key: str) -> bytes | None:
        self._tidy()
        path = self._folder / name_of(key)
        try:
            found = look(path, key)
        except Broken:  # or somebody has just replaced it
            with self._turn(key):
                found = self._surely(path, key)
        return found[1] if found else None

    def _drop(self, key: str) -> None:
        with self._stripe(key) as (_, path):  # a save that was given up may be at work
            there = os.path.lexists(path)
        if there:
            with self._turn(key):
                self._remove(path)

    def _change(self, key: str, change: Change) -> bytes | None:
        with self._turn(key) as path:
            found = self._surely(path, key)
            new = self._changed(change, found[1] if found else None)
            still_wanted()
            if new is not None:
                self._write(path, key, new, found[0].version if found else 0)
            elif found:
                self._remove(path)
            return new

    def _list(self, prefix: str) -> list[str]:
        self._tidy()
        names = self._names()
        keys = [key for name in names if (key := self._key_of(name)) is not None]
        if len(self._known) > 2 * len(names) + STRIPES:  # most of them are gone
            self._known = {name: self._known[name] for name in names if name in self._known}
        return sorted(key for key in keys if key.startswith(prefix))

    def _number(self, key: str) -> int:
        path = self._folder / name_of(key)
        try:
            found = look(path, key, whole=False)
        except Broken:
            with self._turn(key):
                found = self._surely(path, key)
        return found[0].version if found else 0

    def _scan(self, prefix: str, limit: int | None) -> list[StoreRow]:
        heads = (self._head_of(name) for name in sorted(self._names())[:limit])
        rows = [
            StoreRow(head.key, head.bytes, head.version, head.saved_at)
            for head in heads
            if head and head.key.startswith(prefix)
        ]
        return sorted(rows, key=lambda row: row.key)

    def _sums(self) -> StoreStats:
        sizes, aside = [], self._folder / DAMAGED
        for name in self._names():
            with reading(self._folder), contextlib.suppress(FileNotFoundError):
                sizes.append((self._folder / name).lstat().st_size)
        with reading(aside):
            damaged = len(list(aside.iterdir())) if aside.is_dir() else 0
        return StoreStats(str(self._folder), len(sizes), sum(sizes), damaged)

    @contextmanager
    def _turn(self, key: str) -> Iterator[Path]:
        """Be the only one, of all threads and processes, who changes ``key``."""
        with self._stripe(key) as (stripe, path):
            lock = self._lock(stripe, path)
            try:
                still_wanted()
                yield path
            finally:
                with contextlib.suppress(OSError):  # of its closing, after which it is free
                    lock.release()

    @contextmanager
    def _stripe(self, key: str) -> Iterator[tuple[int, Path]]:
        """Be the only one of this process."""
        path = self._folder / name_of(key)
        stripe = int(path.name[-HASH:-4], 16) % STRIPES
        if not self._stripes[stripe].acquire(timeout=LOCK_S):
            raise busy(path, LOCK_S)
        try:
            yield stripe, path
        finally:
            self._stripes[stripe].release()

    def _lock(self, stripe: int, path: Path) -> Any:
        from filelock import FileLock, Timeout

        folder = self._folder / LOCKS
        with writing(path):
            make_folder(self._folder)
            make_folder(folder)
            target = folder / f"{stripe:02}.lock"
            if folder.is_symlink() or target.is_symlink():
                raise OSError(errno.ELOOP, f"{target} leads elsewhere")
            if stripe not in self._locks:
                self._locks[stripe] = FileLock(target, mode=PRIVATE, thread_local=False)
            try:
                self._locks[stripe].acquire(timeout=LOCK_S, poll_interval=POLL_S)
            except Timeout:
                raise busy(path, LOCK_S) from None
        self._tidy()
        return self._locks[stripe]

    def _write(self, path: Path, key: str, value: bytes, version: int) -> None:
        record = sealed(key, value, version + 1, self._clock.now())
        with writing(path), replacing(path, PRIVATE, sync=self._sync) as file:
            file.write(record.head)
            file.write(record.value)

    def _remove(self, path: Path) -> None:
        with writing(path, "delete"):
            path.unlink(missing_ok=True)
            if self._sync:
                sync_folder(self._folder)

    def _before(self, path: Path, key: str) -> int:
        """Tell the version that is about to be replaced; a damaged one is put aside."""
        try:
            found = look(path, key, whole=False)
        except Broken as error:
            log.warning("%s", self._put_aside(path, error))
            return 0
        return found[0].version if found else 0

    def _surely(self, path: Path, key: str) -> tuple[Head, bytes] | None:
        """Read what nobody else is changing: if it is damaged, it is."""
        try:
            return look(path, key)
        except Broken as error:
            raise self._put_aside(path, error) from None

    def _put_aside(self, path: Path, why: Broken) -> DamagedRecord:
        aside = self._folder / DAMAGED
        target = aside / f"{path.name}.{secrets.token_hex(4)}"
        with writing(path, "put aside the damaged"):
            make_folder(aside)
            if aside.is_symlink():
                raise OSError(errno.ELOOP, f"{aside} leads elsewhere")
            path.replace(target)
        return DamagedRecord(
            f"{path} is damaged: {why}; its bytes now lie at {target}, and its key is absent",
            str(target),
        )

    def _names(self) -> list[str]:
        try:
            with reading(self._folder), os.scandir(self._folder) as entries:
                return [entry.name for entry in entries if is_name(entry.name)]
        except FileNotFoundError:
            return []

    def _key_of(self, name: str) -> str | None:
        if name not in self._known and (head := self._head_of(name)):
            self._known[name] = head.key
        return self._known.get(name)

    def _head_of(self, name: str) -> Head | None:
        """Read a head, or None where there is none: to load its key will tell of damage."""
        path = self._folder / name
        try:
            with reading(path), opened(path) as file:
                head = head_of(file.readline(HEAD_LIMIT), str(path))
            if same_key(name, head.key):
                return head
            log.warning("%s is named for another key than its own, %.80r", path, head.key)
        except FileNotFoundError:  # deleted meanwhile
            pass
        except Broken as error:
            log.warning("%s is damaged and listed under no key: %s", path, error)
        return None

    def _tidy(self) -> None:
        if not self._tidied:
            self._tidied = True
            tidy(self._folder)
