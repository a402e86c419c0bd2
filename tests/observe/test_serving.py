"""A page for this machine only."""

from __future__ import annotations

import http.client
import socket
import threading
import time
import urllib.request

import pytest

from agentlab.core.errors import InvalidValue
from agentlab.observe.prometheus import CONTENT_TYPE, MetricsRegistry


def status(port: int, path: str, host: str | None = None) -> int:
    """Ask for a path, as a browser that was told ``host`` would."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_a_scrape() -> None:
    """Gives the text as it is then, until it is closed."""
    registry = MetricsRegistry()
    with registry.serve() as server:
        assert server.url == f"http://127.0.0.1:{server.port}/metrics"
        registry.errors.inc()
        with urllib.request.urlopen(server.url, timeout=5) as page:  # noqa: S310 - our own
            assert page.headers["Content-Type"] == CONTENT_TYPE
            assert page.read().decode() == registry.prometheus_text()
        assert repr(server) == f"<MetricsServer {server.url}>"

    assert repr(server) == f"<MetricsServer {server.url}, closed>"
    server.close()
    with pytest.raises(ConnectionRefusedError):
        status(server.port, "/metrics")
    assert not [t for t in threading.enumerate() if t.name == "agentlab-metrics"]


def test_who_may_ask() -> None:
    """Only by a name that means this machine, and only for what there is."""
    with MetricsRegistry().serve(host="localhost") as server:
        asked = {
            host: status(server.port, "/metrics", host)
            for host in ("localhost:80", "127.0.0.1", "[::1]:9", "evil.example", "10.0.0.1", "[x")
        }
        assert asked == {
            "localhost:80": 200, "127.0.0.1": 200, "[::1]:9": 200, "evil.example": 403,
            "10.0.0.1": 403, "[x": 403,
        }  # fmt: skip
        assert [status(server.port, path) for path in ("/", "/metrics?x=1", "/x")] == [
            200, 200, 404,
        ]  # fmt: skip


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "example.org", ""])  # noqa: S104
def test_nobody_else(host: str) -> None:
    """An address that others can reach is refused, whatever it is."""
    with pytest.raises(InvalidValue, match=f"to this machine only, got host {host!r}"):
        MetricsRegistry().serve(host=host)


def test_ports() -> None:
    """Are what they are; one that is taken is an error of the system's."""
    with pytest.raises(InvalidValue, match="got 70000"):
        MetricsRegistry().serve(70_000)
    with MetricsRegistry().serve() as server, pytest.raises(OSError, match="in use"):
        MetricsRegistry().serve(server.port)


def test_somebody_who_says_nothing_holds_nobody_up() -> None:
    """Neither another reader nor whoever closes."""
    server = MetricsRegistry().serve()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5):
        assert status(server.port, "/metrics") == 200
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < 3
