"""A page of metrics for this machine's own Prometheus. Nothing serves unless somebody asks."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agentlab.core.errors import InvalidValue
from agentlab.observe.exposition import CONTENT_TYPE

if TYPE_CHECKING:
    from typing import Self

log = logging.getLogger("agentlab.metrics")
PATHS = ("/metrics", "/")
PATIENCE_S = 5.0
POLL_S = 0.1  # how soon closing is noticed
MAX_PORT = 65_535


class MetricsServer:
    """Serves what ``text`` gives, in threads that do not keep the program alive.

    A browser is let in only by an address that is this machine's own, so that no page of
    somebody else's can read it under a name of theirs.

    Parameters
    ----------
    text : callable
        Gives the page.
    port : int
        Where; 0 is any that is free.
    host : str
        ``localhost``, or an address that only this machine can reach.

    Raises
    ------
    InvalidValue
        ``host`` is not this machine's own, or ``port`` is none.
    """

    def __init__(self, text: Callable[[], str], port: int = 0, host: str = "127.0.0.1") -> None:
        address = "127.0.0.1" if host == "localhost" else host
        if not is_own(address):
            raise InvalidValue(
                f"metrics are served to this machine only, got host {host!r}: use '127.0.0.1'"
            )
        if not 0 <= port <= MAX_PORT:
            raise InvalidValue(f"a port is from 0 to {MAX_PORT}, got {port!r}")
        serving = ServingIPv6 if ":" in address else Serving
        self._server = serving((address, port), handler_of(text))
        self.host, self.port = address, int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_S,), name="agentlab-metrics", daemon=True
        )
        self._thread.start()

    def __repr__(self) -> str:
        state = "" if self._thread.is_alive() else ", closed"
        return f"<MetricsServer {self.url}{state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where it is."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/metrics"

    def close(self) -> None:
        """Serve no more; once more does nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class Serving(ThreadingHTTPServer):
    """The standard library's, by IPv4."""

    daemon_threads = True
    block_on_close = False  # somebody slow does not hold up whoever closes

    def server_bind(self) -> None:
        """Bind, and ask no name server what this machine is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - its names
        """Log it; the standard library's prints."""
        log.debug("a reader of metrics failed", exc_info=sys.exception())


class ServingIPv6(Serving):
    """The same by IPv6."""

    address_family = socket.AF_INET6


def handler_of(text: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    """Give the class that answers with ``text``."""

    class Page(BaseHTTPRequestHandler):
        timeout = PATIENCE_S
        server_version, sys_version = "agentlab", ""

        def do_GET(self) -> None:
            if not is_own(host_in(self.headers.get("Host", ""))):
                self.send_error(403)
            elif urlsplit(self.path).path not in PATHS:
                self.send_error(404)
            else:
                body = text().encode()
                self.send_response(200)
                self.send_header("Content-Type", CONTENT_TYPE)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
            log.debug(format, *args)

    return Page


def is_own(host: str) -> bool:
    """Tell whether only this machine can be meant by ``host``."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def host_in(header: str) -> str:
    """Give the host that a request is for, without its port."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
