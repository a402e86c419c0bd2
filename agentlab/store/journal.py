"""A journal: everything that runs say, a line an entry, safe when a step ends.

A finished step survives a crash, a full disk and whoever else writes to the same file: under the
file's lock each flush first closes off what another writer left torn, then appends all it has in
one piece, and takes that back if it does not become safe.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agentlab import __version__
from agentlab.core import lines
from agentlab.core.errors import InvalidValue, PersistenceError
from agentlab.core.events import Entry, RunEnded, Token
from agentlab.core.files import path_of, sync_folder
from agentlab.core.secrets import scrubber
from agentlab.core.sync import twin
from agentlab.store.prompts import Masks
from agentlab.store.turns import Turns

try:
    import fcntl
except ImportError:  # where there is none, only one process may write
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from typing import Self

KIND, VERSION = "journal", 1
FIRST_LINE = 1 << 16
NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EINVAL})


class Journal:
    """Write down what runs say. Any number of runs, and of processes, may share a journal.

    >>> import tempfile
    >>> from agentlab.core.events import Warned
    >>> from agentlab.core.trace import Trace
    >>> from agentlab.store.loading import load
    >>> with tempfile.TemporaryDirectory() as folder, Journal(f"{folder}/j.jsonl") as journal:
    ...     Trace(journal).emit(Warned("how odd"), run="r")
    ...     journal.close()
    ...     load(journal.path).entries[0].event.text
    'how odd'

    Parameters
    ----------
    path : str or Path
        The file. One that is there is gone on with.
    sync : bool
        Whether a step is over only when the disk has it. Without, it survives the end of the
        process, and not that of the machine.
    tokens : bool
        Whether the pieces of answers are written too; the answers always are.
    redact : callable, optional
        Is given each entry as a plain dict, and gives what to write: still an entry.

    Raises
    ------
    PersistenceError
        The file is no journal, or one from the future, or cannot be read. It is left alone.
    """

    durable = True

    def __init__(
        self,
        path: str | Path,
        *,
        sync: bool = True,
        tokens: bool = True,
        redact: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> None:
        self.path = path_of(path, "path")
        self.key = self.path.name
        self._sync, self._tokens, self._redact = sync, tokens, redact
        self._closed = False
        self._taken: deque[Entry] = deque()
        self._masked: deque[Entry] = deque()
        self._lines: deque[bytes] = deque()
        self._masks = Masks()
        self._turns = Turns(1)  # however many runs there are, one thread writes
        self._writing = threading.Lock()  # held while the file is written, so never on a loop
        check(self.path)

    def __repr__(self) -> str:
        waiting = len(self._taken) + len(self._masked) + len(self._lines)
        return f"<Journal {self.key!r}, {waiting} entries to write>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, entry: Entry, /) -> None:
        """Take an entry.

        Raises
        ------
        PersistenceError
            The journal is closed.
        """
        if self._closed:
            raise PersistenceError(f"the journal {self.key!r} is closed: open another on its path")
        if self._tokens or type(entry.event) is not Token:
            self._taken.append(entry)

    async def flush(self) -> None:
        """Write what there is to write, in a thread; whoever stops waiting tears nothing.

        Raises
        ------
        PersistenceError
            It could not be written, and is kept.
        """
        if self._taken or self._masked or self._lines:
            await self._turns.run(self._write)

    flush_sync = twin(flush)

    def close(self) -> None:
        """Write what there is to write, and take no more.

        Raises
        ------
        PersistenceError
            It could not be written, and is kept: it may be closed again.
        """
        self._closed = True
        self._write()

    def _write(self) -> None:
        with self._writing:
            self._encode()
            count = len(self._lines)
            if not count:
                return
            try:
                self._append(b"".join(self._lines))
            except OSError as error:
                why = f"cannot write {self.path} ({error.strerror or error}): it is tried again"
                raise PersistenceError(why) from error
            for _ in range(count):
                self._lines.popleft()

    def _encode(self) -> None:
        """Make lines of what was taken; what cannot be one is kept, and all after it."""
        scrub = scrubber()
        record = lines.recorder(scrub)
        batch = [self._taken.popleft() for _ in range(len(self._taken))]  # others may be adding
        self._masked += self._masks.over(batch, scrub)
        while self._masked:
            entry = self._masked[0]
            self._lines.append(lines.frame(record(self._redacted(entry))))
            self._masked.popleft()
            if isinstance(entry.event, RunEnded):
                self._masks.forget(entry.run)

    def _redacted(self, entry: Entry) -> Any:
        if self._redact is None:
            return entry
        try:
            return msgspec.convert(self._redact(entry.to_dict()), Entry)
        except msgspec.ValidationError as error:
            raise InvalidValue(f"redact must give an entry as it was given one: {error}") from None

    def _append(self, data: bytes) -> None:
        with locked(self.path) as file:
            size, end = ending(file)
            about = {"agentlab": __version__} | ({} if self._tokens else {"tokens": "left out"})
            start = lines.opening(end, lines.Header(KIND, VERSION, about))
            try:
                write_all(file, start + data)
                if self._sync:
                    os.fsync(file)
                    if not size:
                        sync_folder(self.path.parent)
            except BaseException:
                with contextlib.suppress(OSError):  # then whoever writes next closes it off
                    os.ftruncate(file, size)
                raise


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Open a file to append to, for nobody else meanwhile.

    What it locks is the file itself: nothing else comes to lie beside it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        if fcntl is not None:
            lock(file)
        yield file
    finally:
        with contextlib.suppress(OSError):  # what was to be safe is, and the lock is let go
            os.close(file)


def lock(file: int) -> None:
    """Wait for the file's lock; some file systems have none."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise


def ending(file: int) -> tuple[int, bytes]:
    """Give the size of a file and its last byte; a first line that is torn is cut off."""
    size = os.fstat(file).st_size
    if not size:
        return 0, b""
    end = piece(file, size - 1, 1)
    if end != b"\n" and size <= FIRST_LINE:
        start = piece(file, 0, FIRST_LINE)
        if b"\n" not in start and lines.unframe(start) is None:
            os.ftruncate(file, 0)
            return 0, b""
    return size, end


def piece(file: int, place: int, length: int) -> bytes:
    """Give some bytes of a file."""
    os.lseek(file, place, os.SEEK_SET)
    return os.read(file, length)


def write_all(file: int, data: bytes) -> None:
    """Write all of ``data``, however little the system takes at a time."""
    view = memoryview(data)
    while view:
        taken = os.write(file, view)
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        view = view[taken:]


def check(path: Path) -> None:
    """Refuse a file that is there and is no journal of ours.

    Raises
    ------
    PersistenceError
        It is something else, or from the future, or cannot be read.
    """
    if path.exists() and not path.is_file():  # to open a pipe is to wait for its other end
        raise PersistenceError(f"{path} is not a file: take another name")
    try:
        with path.open("rb") as file:
            start = file.read(FIRST_LINE)
    except FileNotFoundError:
        return
    except OSError as error:
        raise PersistenceError(f"cannot read {path}: {error.strerror}") from error
    first = start.partition(b"\n")[0]
    lines.read(first, lines.Header(KIND, VERSION))
    if lines.foreign(first, []):
        raise PersistenceError(f"{path} is not a journal: take another name")
