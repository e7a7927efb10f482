"""The programs that are compared, and the gateway in its kinds. Relies on the templates in loadtest/peers.

A name that is not known is a gateway whose program the variable COUNTERSIGN_NAME names, with the settings of
`countersign`, or those of `bare` where the name begins with `bare-`.
"""

import base64
import os
import subprocess
import sys

from .processes import Started
from .settings import ADMIN, API_KEY, LOADTEST, OUT, PEER_CPU, ROOT, SECRET, USERNAME, Failure
from .upstreams import fill

# The name of the socket that each of two processes is passed.
PASSED = "apps"
PEERS = ("limit", "haproxy", "nginx", "countersign", "bare")
QUOTA = "quotas:\n  - {name: each, per: [caller, route], rate: 1000000/s, burst: 1000000}"
PACE = "{rate: 1000000/s, burst: 1000000, concurrency: 10000, queue: 10000}"
HARDENED, OPEN = "", "hardening: {seccomp: false, landlock: false}"
LOG_OFF = "{requests: off}"
LOG_FILE = "{path: @OUT@/access-@LABEL@.log}"
LOG_NO_IDS = "{path: @OUT@/access-@LABEL@.log, ids: none}"
LOG_BODIES = "{path: @OUT@/access-@LABEL@.log, bodies: redacted}"
FULL = {"log": LOG_NO_IDS, "quotas": QUOTA, "admin": True}
LEAN = {"log": LOG_OFF}
BARE = {"log": LOG_OFF, "hardening": OPEN}
SQLITE = "{kind: sqlite, path: @OUT@/keys-@LABEL@.db, key: \"file:@OUT@/store_key\"}"
# The gateway's kinds. FULL is what an operator would run, but for ids out of bodies in the log, which L1 shows; LEAN has no
# log, so that one feature shows by itself.
GATEWAYS = {
    "countersign": FULL,
    "bare": BARE,
    "countersign-body": {**FULL, "place": "body"},
    "unix": {**FULL, "unix": True},
    "unix-bare": {**BARE, "unix": True},
    "off": LEAN,
    "memory": {**LEAN, "store": "{kind: memory}"},
    "sqlite": {**LEAN, "store": SQLITE},
    "quota": {**LEAN, "quotas": QUOTA},
    "pace": {**LEAN, "pace": PACE},
    "quota+pace": {**LEAN, "quotas": QUOTA, "pace": PACE},
    "log-off": LEAN,
    "log-file": {**LEAN, "log": LOG_NO_IDS},
    "log-ids": {**LEAN, "log": LOG_FILE},
    "log-bodies": {**LEAN, "log": LOG_BODIES},
    "header": LEAN,
    "body": {**LEAN, "place": "body"},
    "one": {**LEAN, "workers": 1},
    "two": {**LEAN, "workers": 2},
    # Two processes of one worker on one port, which have nothing in common: what two workers cost in any case.
    "apart": {**LEAN, "workers": 1, "processes": 2},
    # Woken workers wait for who is running (sched(7)): as two for whom processor time matters more than latency.
    "two-batch": {**LEAN, "workers": 2, "batch": True},
    # What a failing run looks like: no signature of it is right.
    "wrong": {**LEAN, "secret": "wrong_secret"},
}


def features(name):
    """What is switched on in the gateway of that name."""
    return GATEWAYS.get(name, BARE if name.startswith("bare-") else FULL)


def program(name):
    """The program of a gateway's kind."""
    known = name in GATEWAYS
    variable = "COUNTERSIGN" if known else f"COUNTERSIGN_{name.removeprefix('bare-').upper().replace('-', '_')}"
    path = os.environ.get(variable)
    if not path and not known:
        raise Failure(f"{name} is no peer; set {variable} to a gateway's program, or choose of {', '.join(PEERS)}")
    return path or ROOT / ".build/release/countersign"


def place(name):
    """Where the upstream has to find the API key."""
    return "header" if name in ("limit", "haproxy", "nginx") else features(name).get("place", "header")


def bufsize(scenario):
    """HAProxy's default holds the small bodies; a large one needs room for all of it."""
    return 16384 if scenario.bytes < 8192 else scenario.bytes + 16384


class Peer:
    """A peer that runs: where it listens and what it wrote."""

    def __init__(self, name, port, upstream, scenario):
        self.name, self.port = name, port
        self.label = f"{name}-{port}"
        self.upstream, self.scenario = upstream, scenario
        self.tls = scenario.upstream == "tls"
        self.access_log = OUT / f"access-{self.label}.log"
        commands = {"limit": self.limit, "haproxy": self.haproxy, "nginx": self.nginx}
        self.listens = port
        cpus = {PEER_CPU}
        if name not in commands:
            if features(name).get("unix"):
                self.listens = OUT / f"{self.label}.sock"
            cpus = set(range(PEER_CPU, PEER_CPU + self.processes * features(name).get("workers", 1)))
        self.started = Started(self.label, commands.get(name, self.gateway)(), cpus, self.listens)

    @property
    def pid(self):
        return self.started.pid

    @property
    def processes(self):
        return features(self.name).get("processes", 1)

    @property
    def authority(self):
        return f"127.0.0.1:{self.upstream}"

    @property
    def target(self):
        """As the generator takes it, without a path."""
        return f"http://127.0.0.1:{self.port}" if isinstance(self.listens, int) else f"unix:{self.listens}"

    def stop(self):
        self.started.stop()
        self.remove_files()

    def remove_files(self):
        """What the gateway leaves that is large or in the way of the next one."""
        for left in [*OUT.glob(f"keys-{self.label}.db*"), self.access_log, OUT / f"{self.label}.sock"]:
            left.unlink(missing_ok=True)

    def rest(self):
        """Before a measurement, and before each slice: the access log is emptied, so that no disk fills and that it grows
        into memory that was used before (docs/performance.md, "What is measured")."""
        if self.access_log.exists():
            os.truncate(self.access_log, 0)

    def limit(self):
        command = [OUT / "limit", self.port, self.upstream, self.authority, USERNAME, OUT / "secret", OUT / "api_key"]
        return command + ([OUT / "server.pem"] if self.tls else [])

    def haproxy(self):
        way = f"ssl verify required ca-file {OUT}/server.pem sni str(localhost) verifyhost localhost"
        config = fill(
            "peers/haproxy.cfg.in", f"{self.label}.cfg", CPU=PEER_CPU, LISTEN=self.port, UPSTREAM=self.upstream,
            SERVER_TLS=way if self.tls else "", AUTHORITY=self.authority, API_KEY=API_KEY, USERNAME=USERNAME,
            BUFSIZE=bufsize(self.scenario), MAXCONN=self.scenario.room,
            SECRET_BASE64=base64.b64encode(SECRET.encode()).decode())
        return ["haproxy", "-db", "-f", config]

    def nginx(self):
        way = (f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {OUT}/server.pem; proxy_ssl_name localhost; "
               "proxy_ssl_server_name on; proxy_ssl_protocols TLSv1.3;")
        config = fill(
            "peers/nginx.conf.in", f"{self.label}.conf", LISTEN=self.port, UPSTREAM=self.upstream, OUT=OUT,
            LABEL=self.label, SCHEME="https" if self.tls else "http", SERVER_TLS=way if self.tls else "",
            AUTHORITY=self.authority, API_KEY=API_KEY, USERNAME=USERNAME, SECRET_FILE=OUT / "secret",
            LUA=LOADTEST / "peers", BUFFER=bufsize(self.scenario), CONNECTIONS=2 * self.scenario.room)
        return ["nginx", "-e", OUT / f"{self.label}.log", "-c", config]

    def bind(self):
        """The address of the gateway's listener, as its configuration says it."""
        if self.processes > 1:
            return f"fd:{PASSED}"
        return f"unix:{self.listens}" if features(self.name).get("unix") else f"127.0.0.1:{self.port}"

    def gateway(self):
        on = features(self.name)
        url = f"{'https' if self.tls else 'http'}://{self.authority}"
        lines = f'    tls: {{ca_file: "{OUT}/server.pem", server_name: localhost}}' if self.tls else "    plain: false"
        config = fill(
            "peers/countersign.yaml.in", f"{self.label}.yaml", USERNAME=USERNAME, URL=url, TLS_LINES=lines,
            BIND=self.bind(),
            WORKERS=on.get("workers", 1), PLACE=on.get("place", "header"), PACE=on.get("pace", "none"),
            SECRET_FILE=on.get("secret", "secret"), MAX_CONNECTIONS=self.scenario.room,
            QUOTAS=on.get("quotas", ""), HARDENING=on.get("hardening", HARDENED),
            ADMIN=f'admin: {{bind: "127.0.0.1:{self.port - 19000 + ADMIN}"}}' if on.get("admin") else "",
            IDEMPOTENCY="    idempotency: {key: Idempotency-Key}" if on.get("store") else "",
            STORE=f"store: {on['store']}" if on.get("store") else "", LOG=on["log"],
            OUT=OUT, LABEL=self.label)
        self.remove_files()
        command = [program(self.name), "run", "--config", config]
        if self.processes > 1:
            return [sys.executable, LOADTEST / "peers/apart.py", self.port, PASSED, *command]
        return ["chrt", "--batch", "0", *command] if on.get("batch") else command


def sizes(peers):
    """Bytes of each peer's program as it is, and without its symbols where `strip` is there."""
    found, seen = {}, set()
    for name in peers:
        path = {"limit": OUT / "limit", "haproxy": "/usr/sbin/haproxy", "nginx": "/usr/sbin/nginx"}.get(name)
        path = path or program(name)
        if path in seen:
            continue
        seen.add(path)
        found[name] = {"bytes": os.path.getsize(path)}
        copy = OUT / "stripped"
        done = subprocess.run(["strip", "-o", copy, path], capture_output=True, check=False) if which("strip") else None
        if done and done.returncode == 0:
            found[name]["stripped"] = copy.stat().st_size
            copy.unlink()
    return found


def which(command):
    return any(os.access(os.path.join(folder, command), os.X_OK) for folder in os.get_exec_path())

