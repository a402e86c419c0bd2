"""Memories in a store: written whole as one value of JSON, with a version and a checksum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from agentlab.core.errors import (
    DamagedRecord,
    InvalidValue,
    MemoryStoreError,
    NewerFormat,
    PersistenceError,
)
from agentlab.core.lines import frame, record, unframe
from agentlab.core.protocols import PersistenceBackend
from agentlab.core.sync import run_sync, settled, twin

if TYPE_CHECKING:
    from typing import Self

# What may go wrong when a state is read that is of another shape than ours.
UNFIT = (LookupError, TypeError, ValueError, ArithmeticError, OSError, RecursionError)


class Document(msgspec.Struct, frozen=True):
    """What is written of a memory."""

    kind: str
    format: int
    state: msgspec.Raw


class Kept:
    """Saves itself in a store and is read from there.

    A kind of memory says its ``kind`` and ``format``, gives its state as plain JSON, and reads it.
    """

    kind: ClassVar[str] = "agentlab memory"
    format: ClassVar[int] = 1

    def _state(self) -> Any:
        raise NotImplementedError

    @classmethod
    def _of_state(cls, state: Any, **parts: Any) -> Self:
        raise NotImplementedError

    async def save(self, store: PersistenceBackend, key: str) -> None:
        """Keep all of it under ``key``; keys in its texts are written as ``***``.

        Parameters
        ----------
        store : Store
            Anything with ``save`` and ``load``, such as ``SqlitePersistenceBackend(path)``.
        key : str
            What to call it there.

        Raises
        ------
        MemoryStoreError
            There is something in it that JSON cannot hold.
        PersistenceError
            It could not be written; what was there before still is.
        """
        data = self.to_bytes()
        await settled(method_of(store, "save")(key, data))

    @classmethod
    async def load(cls, store: PersistenceBackend, key: str, **parts: Any) -> Self:
        """Read what was saved under ``key``.

        Parameters
        ----------
        store, key
            Where it is.
        **parts
            What is not written down: a clock, an embedder.

        Raises
        ------
        PersistenceError
            There is nothing, or something else, or it is damaged or of a newer agentlab.
        """
        data = await settled(method_of(store, "load")(key))
        if data is None:
            raise PersistenceError(f"no {cls.kind} is kept under {key!r:.80}")
        return cls.from_bytes(data, **parts)

    def to_bytes(self) -> bytes:
        """Give all of it as one line of JSON; the same memory gives the same bytes.

        Raises
        ------
        MemoryStoreError
            There is something in it that JSON cannot hold.
        """
        try:
            state = record(self._state())
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise MemoryStoreError(f"this {self.kind} cannot be written: {error}") from error
        return frame(msgspec.json.encode(Document(self.kind, self.format, msgspec.Raw(state))))

    @classmethod
    def from_bytes(cls, data: bytes, **parts: Any) -> Self:
        """Read what :meth:`to_bytes` gave.

        Raises
        ------
        PersistenceError
            It is something else, or damaged, or of a newer agentlab.
        """
        inside = unframe(bytes(data).removesuffix(b"\n"))
        if inside is None:
            raise DamagedRecord(f"this {cls.kind} is damaged")
        try:
            found = msgspec.json.decode(inside, type=Document)
        except (msgspec.DecodeError, RecursionError) as error:
            raise PersistenceError(f"this is no {cls.kind}: {error}") from None
        if found.kind != cls.kind:
            raise PersistenceError(f"this is a {found.kind!r:.80}, not a {cls.kind!r}")
        if found.format > cls.format:
            raise NewerFormat(
                f"{cls.kind} of format {found.format}, newer than {cls.format}: update agentlab"
            )
        try:
            return cls._of_state(msgspec.json.decode(found.state), **parts)
        except UNFIT as error:
            raise PersistenceError(f"this {cls.kind} cannot be read: {error}") from error

    save_sync = twin(save)

    @classmethod
    def load_sync(cls, store: PersistenceBackend, key: str, **parts: Any) -> Self:
        """Read what was saved under ``key``; see :meth:`load`."""
        return run_sync(cls.load, store, key, **parts)


def method_of(store: Any, name: str) -> Any:
    """Give a method of a store.

    Raises
    ------
    InvalidValue
        It is none.
    """
    method = getattr(store, name, None)
    if not callable(method) or isinstance(store, type):
        raise InvalidValue(
            f"a store has save and load, got {store!r:.80}: SqlitePersistenceBackend(path) is one"
        )
    return method
