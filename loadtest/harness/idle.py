"""Memory of idle connections: opens thousands, has one request served on each, looks at the peer's memory."""

import socket

from .measure import progress
from .peers import Peer
from .processes import connect, resident_kib
from .settings import MEASURED, PATH, UPSTREAM, Failure
from .verify import verify_all

# Connections per source address, of which there are several: below the number of ports of one.
PER_SOURCE = 10_000
# Connections between two lines of progress.
STEP = 10_000


def request(scenario):
    body = b'{"v":"' + b"x" * (scenario.bytes - 8) + b'"}'
    return (f"POST {PATH} HTTP/1.1\r\nHost: loadtest\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def ask(connection, text):
    """One request and its answer, which must be 200 and whole."""
    connection.sendall(text)
    got = b""
    while True:
        part = connection.recv(65536)
        if not part:
            raise Failure("an idle connection was closed by the peer; see its log in loadtest/out")
        got += part
        head, end, body = got.partition(b"\r\n\r\n")
        if not end:
            continue
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if len(body) >= int(fields[b"content-length"]):
            break
    if not got.startswith(b"HTTP/1.1 200 "):
        raise Failure(f"an idle connection's request was answered with {got[:60]!r}")


def open_one(port, number):
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.settimeout(10)
    # The port is chosen when it connects, so that one port can serve several peers.
    connection.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
    connection.bind((f"127.0.0.{2 + number // PER_SOURCE}", 0))
    connection.connect(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def measure(name, scenario, options):
    """Resident memory of a fresh peer: at its start, after one request, and with all connections idle."""
    peer = Peer(name, MEASURED, UPSTREAM[scenario.upstream], scenario)
    text, held = request(scenario), []
    try:
        start = resident_kib(peer.pid)
        first = connect(peer.listens, 10)
        ask(first, text)
        before = resident_kib(peer.pid)
        for number in range(scenario.idle):
            held.append(open_one(peer.port, number))
            ask(held[-1], text)
            if (number + 1) % STEP == 0:
                progress(scenario, options, f"{name}: {number + 1:,} connections")
        after = resident_kib(peer.pid)
        # Idle, not forgotten: some of each end still serve.
        for connection in held[:3] + held[-3:]:
            ask(connection, text)
        first.close()
    finally:
        for connection in held:
            connection.close()
        peer.stop()
    return {"start_kib": start, "before_kib": before, "after_kib": after,
            "bytes_per_connection": (after - before) * 1024 / scenario.idle}


def run_idle(scenario, names, options):
    """Each peer alone, in alternation."""
    progress(scenario, options, scenario.title)
    counts = verify_all(names, scenario)
    rounds = []
    for number in range(1 if options.quick else min(3, options.rounds)):
        this = {name: measure(name, scenario, options) for name in names}
        rounds.append(this)
        progress(scenario, options, f"round {number + 1}: " + "  ".join(
            f"{name} {this[name]['bytes_per_connection']:,.0f} bytes each" for name in names))
    return {"verified": counts, "rounds": rounds}
