"""What is measured: each scenario as a value. Relies on nothing; a scenario's kind says which file measures it."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Scenario:
    """One scenario.

    kind: closed (wrk), generator (our own generator in a closed loop), open (the generator at a fixed rate), idle.
    peers: its own, where it compares kinds of the gateway; else those that the operator chose, less `without`.
    base: the peer to which ratios are taken beside limit, haproxy and nginx.
    """

    key: str
    title: str
    kind: str = "closed"
    bytes: int = 215
    upstream: str = "plain"
    connections: int = 64
    peers: tuple = ()
    without: tuple = ()
    base: str = ""
    # Each request has an idempotency key of its own.
    keys: bool = False
    # Each request has a connection of its own.
    churn: bool = False
    # Requests per second of an open loop.
    rate: int = 0
    # Idle connections.
    idle: int = 0

    @property
    def room(self):
        """Connections that a peer must be able to hold."""
        return max(4096, self.idle + 1024, 2 * self.connections)

    def fitted(self, descriptors):
        """The same with as many idle connections as so many descriptors allow; a third is left for all else."""
        most = descriptors * 2 // 3 // 1000 * 1000
        if self.idle <= most:
            return self
        return replace(self, idle=most, title=f"{most:,} idle connections, one request served on each "
                                              f"({descriptors:,} descriptors do not allow {self.idle:,})")

    def chosen(self, peers):
        """The peers of a run in which the operator chose `peers`."""
        return self.peers or tuple(name for name in peers if name not in self.without)


ALL = [
    Scenario("W1", "215-byte POST, 64 connections, plain upstream"),
    Scenario("W2", "215-byte POST, 64 connections, TLS 1.3 upstream", upstream="tls"),
    Scenario("W3", "64 KiB POST, 64 connections, plain upstream", bytes=65536, upstream="reading"),
    Scenario("W4", "1 MiB POST, 16 connections, plain upstream", bytes=1 << 20, upstream="reading", connections=16),
    Scenario("B1", "215-byte POST, the API key as a header or spliced into the body", peers=("header", "body"),
             base="header"),
    Scenario("U1", "215-byte POST, 64 connections, callers on TCP or on a Unix socket", kind="generator",
             peers=("limit", "countersign", "bare", "unix", "unix-bare"), base="countersign"),
    Scenario("F1", "215-byte POST, 2,000/s, 16 connections, open loop", kind="open", connections=16, rate=2000),
    # The limit program has buffers and an upstream connection for each caller and is not made for this.
    Scenario("C5", "5,000 idle connections, one request served on each", kind="idle", idle=5_000,
             without=("limit",)),
    Scenario("C50", "50,000 idle connections, one request served on each", kind="idle", idle=50_000,
             without=("limit",)),
    # The limit program does not read Connection: close.
    Scenario("N1", "215-byte POST, a new connection for each request, 64 at once", churn=True, without=("limit",)),
    Scenario("S1", "215-byte POST, upstream answers after 75 ms, 2,000 in flight", upstream="slow", connections=2000),
    Scenario("I1", "215-byte POST with an idempotency key of its own, 64 connections, plain upstream", keys=True,
             peers=("off", "memory", "sqlite"), base="off"),
    Scenario("Q1", "215-byte POST within a quota and a pace that are never reached, 64 connections",
             peers=("off", "quota", "pace", "quota+pace"), base="off"),
    Scenario("L1", "215-byte POST, 64 connections, access log off, in a file, with ids, with redacted bodies",
             peers=("log-off", "log-file", "log-ids", "log-bodies"), base="log-off"),
    Scenario("L2", "64 KiB POST, 64 connections, access log off, in a file, with ids, with redacted bodies",
             bytes=65536, upstream="reading", peers=("log-off", "log-file", "log-ids", "log-bodies"), base="log-off"),
    Scenario("X2", "215-byte POST, 64 connections, one worker or two (the second beside the load), or two processes",
             peers=("one", "two", "apart", "two-batch"), base="one"),
    # Here the workers have more to do than load and upstream.
    Scenario("X3", "64 KiB POST, 64 connections, one worker or two, or two processes", bytes=65536, upstream="reading",
             peers=("one", "two", "apart"), base="one"),
]
BY_KEY = {scenario.key: scenario for scenario in ALL}
