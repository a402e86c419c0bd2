"""A model in memory, and the one thread that talks to it.

The engine is C++ and blocks. All of it happens on a daemon thread of its own: loading, answering
and letting go. Questions are answered one after the other, in the order they came, so that no
answer depends on what else is being asked.

**Equal questions get equal answers, whatever was asked before.** The engine keeps what it has
read, and a prompt that goes on from there is answered sooner. But what is read in other portions
differs in the last bits, enough to change a word now and then. So a prompt is always read in the
same portions, and only whole ones are kept.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeAlias

from agentlab.core.errors import InternalError, ProviderError
from agentlab.core.extras import need
from agentlab.models.catalogue import ModelFile
from agentlab.models.progress import megabytes
from agentlab.models.pull import at_hand
from agentlab.models.question import Body, Call

Key: TypeAlias = tuple[Path, int, int | None]

IDLE_POLICY = "OMP_WAIT_POLICY"

log = logging.getLogger("agentlab.models")


class Engine:
    """One file, loaded once.

    Parameters
    ----------
    file : ModelFile
        What to load.
    n_ctx : int
        How many tokens a prompt and its answer may have together.
    threads : int, optional
        How many threads it may use; by default one a core.
    """

    def __init__(self, file: ModelFile, n_ctx: int, threads: int | None) -> None:
        self.ready: Future[None] = Future()
        self.ready.set_running_or_notify_cancel()  # whoever stops waiting does not stop the load
        self._load = file, n_ctx, threads
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closing = False
        self._kept: list[tuple[str, str]] = []
        self._server: Any = None
        self._thread = threading.Thread(target=self._serve, name="agentlab-engine", daemon=True)
        self._thread.start()

    def ask(self, call: Call) -> None:
        """Put a question in the line.

        Raises
        ------
        ProviderError
            The model has been unloaded.
        """
        with self._lock:
            if self._closing:
                raise ProviderError("the model has been unloaded")
            self._calls.put(call)

    def close(self) -> None:
        """Stop what is being answered, give the memory back, and wait until that is done."""
        with self._lock:
            self._closing = True
            self._calls.put(None)
        self._thread.join()

    def _serve(self) -> None:
        try:
            self._server = load(*self._load)
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            self.ready.set_exception(error)
            return
        self.ready.set_result(None)
        while call := self._calls.get():
            try:
                self._answer(call)
            except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
                self._kept = []
                call.put(InternalError(f"the engine failed: {error}"))
            call.put(None)
        self._server = None

    def _answer(self, call: Call) -> None:
        kept = self._read(call)
        if not self._gone(call):
            body = {**call.question.whole(), "cache_prompt": kept}
            self._handle(call, body, lambda piece: call.put(piece) or self._closing)

    def _read(self, call: Call) -> bool:
        """Have all portions but the last read and nothing else kept; tell whether any are."""
        question, ends = call.question, call.question.ends()
        wanted = [(question.system, question.prompt[:end]) for end in ends]
        pairs = zip(self._kept, wanted, strict=False)
        same = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
        for n in range(max(same - 1, 0), len(ends)):
            if self._gone(call):
                return False
            self._kept = []
            heard: list[Body] = []
            body = {**question.until(ends[n]), "cache_prompt": n + same > 0}
            self._handle(call, body, heard.append)
            if "error" in heard[-1]:
                return False  # too long; the whole of it will tell by how much
            self._kept = wanted[: n + 1]
        return bool(ends)

    def _handle(self, call: Call, body: Body, heard: Callable[[Body], object]) -> None:
        if call.question.chat:
            self._server.handle_chat_completions(body, heard)
        else:
            self._server.handle_completions(body, heard)

    def _gone(self, call: Call) -> bool:
        return call.left or self._closing


def load(file: ModelFile, n_ctx: int, threads: int | None) -> Any:
    """Load a model, and have it answer once.

    Raises
    ------
    NotConfigured
        The engine is not installed, or the file is not here.
    ProviderError
        The engine cannot load it.
    """
    with waiting_asleep():
        engine = need("xllamacpp", "local")
    path = at_hand(file)
    began = time.monotonic()
    log.info("loading %s (%d MB) …", file.name, megabytes(path.stat().st_size))
    try:
        server = engine.Server(parameters(engine, path, n_ctx, threads))
    except RuntimeError as error:
        raise ProviderError(
            f"the engine cannot load {path} ({error}): "
            "the file may be damaged, or of a kind that it does not know"
        ) from error
    # One that has not answered yet could not be let go: it would wait for its own beginning.
    server.handle_completions({"prompt": "a", "max_tokens": 1}, lambda _: False)
    log.info("%s is ready in %.1f s", file.name, time.monotonic() - began)
    return server


def parameters(engine: Any, path: Path, n_ctx: int, threads: int | None) -> Any:
    """Say how to load: one slot, nothing printed, no memory but the model's own."""
    params = engine.CommonParams()
    params.model.path = str(path)
    params.n_ctx = n_ctx
    params.n_parallel = 1
    params.verbosity = -1
    params.warmup = False
    params.fit_params = False
    params.swa_full = True  # else what was read could not be cut back, see the module
    params.n_ctx_checkpoints = 0
    params.cache_ram_mib = 0
    params.n_threads_http = 1
    params.api_keys = [secrets.token_hex()]  # it listens on loopback; nobody is to ask it there
    params.reasoning_format = engine.common_reasoning_format.COMMON_REASONING_FORMAT_NONE
    if threads:
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    return params


@contextmanager
def waiting_asleep() -> Iterator[None]:
    """Have the engine's threads sleep while they wait for each other, if it is loaded in here.

    Else they spin, and with as little as one core busy elsewhere, as it is with a browser, the
    engine is twenty times slower.
    """
    if IDLE_POLICY in os.environ:
        yield
        return
    os.environ[IDLE_POLICY] = "passive"
    try:
        yield
    finally:
        del os.environ[IDLE_POLICY]


class Engines:
    """The engines of this process, one a file and a way to load it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[Key, Engine] = {}
        self._lost: list[dict[Key, Engine]] = []
        atexit.register(self.close)

    def get(self, file: ModelFile, n_ctx: int, threads: int | None) -> Engine:
        """Give the engine, which may still be loading."""
        key = file.path.resolve(), n_ctx, threads
        with self._lock:
            engine = self._all.get(key)
            if engine is None or (engine.ready.done() and engine.ready.exception()):
                engine = self._all[key] = Engine(file, n_ctx, threads)
            return engine

    def close(self, path: Path | None = None) -> None:
        """Unload the engines of a file, or all."""
        with self._lock:
            gone = [key for key in self._all if path is None or key[0] == path.resolve()]
            engines = [self._all.pop(key) for key in gone]
        for engine in engines:
            engine.close()

    def lose(self) -> None:
        """Begin anew in a forked process, which has none of the threads; nothing can be freed."""
        self._lock = threading.Lock()
        self._lost.append(self._all)
        self._all = {}


ENGINES = Engines()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=ENGINES.lose)
