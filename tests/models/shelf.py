"""A real HTTP server with one file on its shelf, and the moods that servers have."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = b"GGUF" + bytes(range(256)) * 4096  # 1 MB and 4 bytes


@dataclass
class Shelf:
    """What the server gives, how, and what it was asked.

    ``cuts`` says after how many bytes of its body each answer in turn breaks off. ``gate`` is
    waited for after ``before_gate`` bytes. ``answers`` maps a path to a status and a target.
    """

    body: bytes = BODY
    etag: str = '"one"'
    modified: str = ""
    ranges: bool = True
    length: bool = True
    cuts: list[int] = field(default_factory=list)
    before_gate: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: list[str | None] = field(default_factory=list)
    port: int = 0

    def url(self, path: str = "/tiny.gguf") -> str:
        """Give the address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"


class Handler(BaseHTTPRequestHandler):
    """Answers GET."""

    def __init__(self, shelf: Shelf, *args: object) -> None:
        self.shelf = shelf
        super().__init__(*args)  # type: ignore[arg-type]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Give the file, or a part of it, or what else the shelf says."""
        shelf, asked = self.shelf, self.headers.get("Range")
        shelf.asked.append(asked)
        if answer := shelf.answers.get(self.path.partition("?")[0]):
            self.send_response(answer[0])
            self.send_header("Location", answer[1])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = 0
        if asked and shelf.ranges and self.headers.get("If-Range") in (shelf.etag, shelf.modified):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(shelf.body) > 0:
            self.send_error(416)
            return
        self.head(start, len(shelf.body))
        self.send(shelf.body[start:], shelf.cuts.pop(0) if shelf.cuts else None)

    def head(self, start: int, total: int) -> None:
        """Write the status and the headers."""
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if self.shelf.etag:
            self.send_header("ETag", self.shelf.etag)
        if self.shelf.modified:
            self.send_header("Last-Modified", self.shelf.modified)
        if self.shelf.length:
            self.send_header("Content-Length", str(total - start))
        self.end_headers()

    def send(self, body: bytes, cut: int | None) -> None:
        """Write the body, as far as it goes."""
        body = body if cut is None else body[:cut]
        before = self.shelf.before_gate
        try:
            if before:
                self.wfile.write(body[:before])
                self.shelf.gate.wait(30)
            self.wfile.write(body[before:])
        except OSError:  # the other end has gone
            self.close_connection = True


@contextmanager
def serving(shelf: Shelf) -> Iterator[Shelf]:
    """Serve on a free port of loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, shelf))
    shelf.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield shelf
    finally:
        shelf.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
