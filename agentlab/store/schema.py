"""Whose an SQLite file is, and what our own has in it.

It is ours if it says so in the two numbers that SQLite keeps for that, the application id and
the user version. Anything else is left as it is.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agentlab.core.errors import NewerFormat, PersistenceError

if TYPE_CHECKING:
    import sqlite3

APPLICATION, FORMAT = int.from_bytes(b"aglb", "big"), 1
SCHEMA = {
    b"value": b"CREATE TABLE value (key BLOB PRIMARY KEY NOT NULL, head BLOB NOT NULL, "
    b"body BLOB NOT NULL)",
    b"damaged": b"CREATE TABLE damaged (at TEXT NOT NULL, key BLOB, head BLOB, body BLOB)",
}
MAGIC, HEADER, ID_AT = b"SQLite format 3\0", 100, 68
CHECK_BYTES = 1 << 28  # of larger files only the keys are checked: each value has a checksum
ASTRAY = """SELECT count(*) FROM value AS a {0} WHERE NOT EXISTS
(SELECT 1 FROM value AS b {1} WHERE b.key = a.key AND b.rowid = a.rowid)"""
INDEX = "INDEXED BY sqlite_autoindex_value_1"


class File(NamedTuple):
    """Which file it is, wherever it is moved."""

    device: int
    number: int


class Malformed(Exception):
    """Why a database of ours is not as we left it."""


def identity(path: Path) -> File | None:
    """Tell which file is at ``path``, if one is."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return File(found.st_dev, found.st_ino)


def is_fixed(path: Path) -> bool:
    """Tell whether it can only be read: SQLite then must not want to write beside it."""
    return not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists()


def check_owner(path: Path) -> None:
    """See whose file it is before SQLite touches it, for to open one may change it."""
    import sqlite3

    with path.open("rb") as file:
        start = file.read(HEADER)
    if not start or start[ID_AT : ID_AT + 4] == APPLICATION.to_bytes(4, "big"):
        return
    if start.startswith(MAGIC) and not Path(f"{path}-wal").exists():
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(
                sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
            ) as db,
        ):
            if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return  # somebody has made it for us
    raise foreign(path)


def foreign(path: Path) -> PersistenceError:
    """Say that a file is somebody else's."""
    return PersistenceError(
        f"{path} is no store of agentlab's; it is left as it is: choose another path"
    )


def examine(db: sqlite3.Connection, path: Path) -> None:
    """See that a database is as we left it, after making it ours if it is new.

    Raises
    ------
    NewerFormat
        A newer agentlab has made it.
    Malformed
        It is damaged.
    sqlite3.Error
        SQLite cannot tell.
    """
    if not db.execute("PRAGMA application_id").fetchone()[0]:
        create(db)
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise foreign(path)
    if (found := db.execute("PRAGMA user_version").fetchone()[0]) > FORMAT:
        raise NewerFormat(f"{path} has format {found}, newer than {FORMAT}: update agentlab")
    tables = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    if tables != SCHEMA:
        raise Malformed("its tables are not the ones that were made")
    if path.stat().st_size <= CHECK_BYTES:
        said = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if said != b"ok":
            raise Malformed(" ".join(said.decode(errors="replace").split()))
        return
    for ways in (("NOT INDEXED", INDEX), (INDEX, "NOT INDEXED")):
        if lost := db.execute(ASTRAY.format(*ways)).fetchone()[0]:
            raise Malformed(f"{lost} of its keys lead astray")


def create(db: sqlite3.Connection) -> None:
    """Make a new database ours, unless another process has just done so."""
    db.execute("BEGIN IMMEDIATE")  # before the log, so that the file itself says whose it is
    if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for table in SCHEMA.values():
            db.execute(table.decode())
        db.execute(f"PRAGMA application_id = {APPLICATION}")
        db.execute(f"PRAGMA user_version = {FORMAT}")
    db.execute("COMMIT")
