"""Correctness first: no peer is measured before the verifier has taken several hundred of its signatures."""

import json
import socket
from http.client import HTTPConnection

from .peers import Peer, bufsize, place
from .processes import connect
from .settings import PATH, VERIFIED, VERIFIER, Failure
from .upstreams import start_verifier

# Edges of hash blocks and of buffers, in bytes.
EDGES = (64, 111, 128, 215, 239, 256, 4096, 16384, 65536)


class Caller(HTTPConnection):
    """HTTP over a port of 127.0.0.1 or over a Unix socket."""

    def __init__(self, listens):
        super().__init__("127.0.0.1", timeout=10)
        self.listens = listens

    def connect(self):
        self.sock = connect(self.listens, 10)
        # Head and body are written apart: else each body would wait for the other side's delayed acknowledgement.
        if isinstance(self.listens, int):
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def body_sizes(scenario):
    """Bytes of the bodies that are tried: around every edge that the scenario's size reaches, and its own."""
    most = min(bufsize(scenario) - 2048, scenario.bytes + 4200)
    sizes = {size for edge in EDGES for size in (edge - 1, edge, edge + 1) if size <= most}
    # A whole mebibyte is the gateway's own bound: beyond it lies a refusal.
    return sorted(sizes | {scenario.bytes})


def verify(peer):
    """Sends some hundred requests on four connections; every one must be answered with `verified`."""
    sizes, count = body_sizes(peer.scenario), 0
    for _ in range(4):
        connection = Caller(peer.listens)
        for _ in range(max(4, 80 // len(sizes))):
            for size in sizes:
                body = b'{"v":"' + b"x" * (size - 8) + b'"}'
                connection.request("POST", f"{PATH}?n={count}", body, {
                    "Content-Type": "application/json", "Accept": "*/*",
                    "Idempotency-Key": f"{peer.label}-{count}"})
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 200 or json.loads(text).get("verified") is not True:
                    raise Failure(f"{peer.name} does not sign as it must: {size} bytes: {answer.status} {text[:200]!r}")
                count += 1
        connection.close()
    return count


def verify_all(names, scenario):
    """Starts each peer before the verifier; the number of signatures that were right, by peer."""
    tls = scenario.upstream == "tls"
    counts, verifier, present = {}, None, None
    for index, name in enumerate(names):
        if name == "direct":
            continue
        if place(name) != present:
            if verifier:
                verifier.stop()
            present = place(name)
            verifier = start_verifier(tls, present)
        peer = Peer(name, VERIFIED + index, VERIFIER["tls" if tls else "plain"], scenario)
        counts[name] = verify(peer)
        peer.stop()
    if verifier:
        verifier.stop()
    return counts
