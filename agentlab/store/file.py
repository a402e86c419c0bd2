"""A store of plain files, one a value, that several processes may use at once."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.errors import InvalidValue
from agentlab.core.files import opened, path_of
from agentlab.core.protocols import Change
from agentlab.store.base import Pairs, Shelf, StoreRow, StoreStats
from agentlab.store.envelope import (
    HEAD_LIMIT,
    Broken,
    Head,
    check,
    head_of,
    opened_value,
    sealed,
)
from agentlab.store.folder import Folder, reading
from agentlab.store.names import is_name, name_of, same_key
from agentlab.store.turns import still_wanted

FEW = 64  # names of files that are gone, remembered all the same

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
        folder = path_of(base_dir, "base_dir")
        if folder.is_file():
            raise InvalidValue(
                f"base_dir must be a folder, got the file {str(folder)!r}: name another, or give"
                " the path of an SQLite file to SqlitePersistenceBackend"
            )
        self._files = Folder(folder, sync=sync)
        self._known: dict[str, str] = {}  # file name to key, which never changes

    def __repr__(self) -> str:
        return f"<FilePersistenceBackend {str(self._files.path)!r}>"

    def _put(self, pairs: Pairs) -> None:
        for key, value in pairs:
            with self._files.turn(name_of(key)) as path:
                self._write(path, key, value, self._before(path, key))

    def _get(self, key: str) -> bytes | None:
        self._files.tidy()
        path = self._files.path / name_of(key)
        try:
            found = look(path, key)
        except Broken:  # or somebody has just replaced it
            with self._files.turn(name_of(key)):
                found = self._surely(path, key)
        return found[1] if found else None

    def _drop(self, key: str) -> None:
        name = name_of(key)
        if self._files.has(name):
            with self._files.turn(name) as path:
                self._files.remove(path)

    def _change(self, key: str, change: Change) -> bytes | None:
        with self._files.turn(name_of(key)) as path:
            found = self._surely(path, key)
            new = self._changed(change, found[1] if found else None)
            still_wanted()
            if new is not None:
                self._write(path, key, new, found[0].version if found else 0)
            elif found:
                self._files.remove(path)
            return new

    def _list(self, prefix: str) -> list[str]:
        names = self._files.names(is_name)
        keys = [key for name in names if (key := self._key_of(name)) is not None]
        if len(self._known) > 2 * len(names) + FEW:  # most of them are gone
            self._known = {name: self._known[name] for name in names if name in self._known}
        return sorted(key for key in keys if key.startswith(prefix))

    def _number(self, key: str) -> int:
        path = self._files.path / name_of(key)
        try:
            found = look(path, key, whole=False)
        except Broken:
            with self._files.turn(name_of(key)):
                found = self._surely(path, key)
        return found[0].version if found else 0

    def _scan(self, prefix: str, limit: int | None) -> list[StoreRow]:
        heads = (self._head_of(name) for name in sorted(self._files.names(is_name))[:limit])
        rows = [
            StoreRow(head.key, head.bytes, head.version, head.saved_at)
            for head in heads
            if head and head.key.startswith(prefix)
        ]
        return sorted(rows, key=lambda row: row.key)

    def _sums(self) -> StoreStats:
        folder, sizes = self._files.path, list[int]()
        for name in self._files.names(is_name):
            with reading(folder), contextlib.suppress(FileNotFoundError):
                sizes.append((folder / name).lstat().st_size)
        return StoreStats(str(folder), len(sizes), sum(sizes), self._files.damaged())

    def _write(self, path: Path, key: str, value: bytes, version: int) -> None:
        self._files.write(path, *sealed(key, value, version + 1, self._clock.now()))

    def _before(self, path: Path, key: str) -> int:
        """Tell the version that is about to be replaced; a damaged one is put aside."""
        try:
            found = look(path, key, whole=False)
        except Broken as error:
            log.warning("%s", self._files.put_aside(path, error))
            return 0
        return found[0].version if found else 0

    def _surely(self, path: Path, key: str) -> tuple[Head, bytes] | None:
        """Read what nobody else is changing: if it is damaged, it is."""
        try:
            return look(path, key)
        except Broken as error:
            raise self._files.put_aside(path, error) from None

    def _key_of(self, name: str) -> str | None:
        if name not in self._known and (head := self._head_of(name)):
            self._known[name] = head.key
        return self._known.get(name)

    def _head_of(self, name: str) -> Head | None:
        """Read a head, or None where there is none: to load its key will tell of damage."""
        path = self._files.path / name
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


def look(path: Path, key: str, *, whole: bool = True) -> tuple[Head, bytes] | None:
    """Read a value, or only its head, if it is there.

    Raises
    ------
    Broken
        It is damaged.
    PersistenceError
        It cannot be read.
    """
    try:
        with reading(path), opened(path) as file:
            head = head_of(file.readline(HEAD_LIMIT), str(path))
            size = os.fstat(file.fileno()).st_size - file.tell()
            check(head, key, size)
            return head, opened_value(head, file.read()) if whole else b""
    except FileNotFoundError:
        return None
