"""What the crash test starts and kills: the gateway, the sandbox, and a counter between the two.

Relies on the built commands. A program that does not say that it is ready in time ends the test with what it wrote.
"""

import collections
import http.client
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time

READY_SECONDS = 20
KEY = re.compile(rb'"(?:idempotent_key|participant_unique_id1)":"(crash-[0-9]+-[0-9]+)"')


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class Program:
    """A program that is started, killed and started again with the same command line."""

    def __init__(self, command, ready):
        self.command, self.ready = command, ready
        self.process = None
        self.lines = collections.deque(maxlen=200)
        self.start_seconds = []

    def begin(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            # Without a buffer: what was read ahead would be waited for in vain.
            bufsize=0)

    def wait_until_ready(self):
        begin = time.monotonic()
        while True:
            readable, _, _ = select.select([self.process.stdout], [], [], READY_SECONDS)
            line = self.process.stdout.readline() if readable else b""
            if not line:
                raise SystemExit(f"{self.command[0]} is not ready: {list(self.lines)[-20:]}")
            self.lines.append(line)
            if self.ready in line:
                break
        self.start_seconds.append(time.monotonic() - begin)
        threading.Thread(target=self._keep, args=(self.process.stdout,), daemon=True).start()

    def _keep(self, stream):
        for line in stream:
            self.lines.append(line)

    def start(self):
        self.begin()
        self.wait_until_ready()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Asks it to end; gives its status."""
        if self.process is None or self.process.poll() is not None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()
            return "killed"


def sandbox(folder, port):
    return Program([os.path.join(folder, "ingo-sandbox"), "--plain", "--port", str(port)], b"ready: ")


def control(port, path, body=None):
    """Asks the sandbox's control endpoints."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body))
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"the sandbox refuses {path}: {text!r}")
    return json.loads(text)


CONFIGURATION = """
listeners:
  - {{name: crash, bind: "127.0.0.1:{port}"}}
workers: 2
credentials:
  banking: {{username: demo, secret: "file:{folder}/hmac", api_key: {{value: "file:{folder}/api-key", place: header}}}}
  ingopay: {{username: demo, secret: "file:{folder}/hmac", fields: {{/participant_id: 12345}}}}
upstreams:
  banking: {{url: "http://127.0.0.1:{upstream}/api/v4", breaker: {{failures: 1000}}, pace: none}}
  ingopay: {{url: "http://127.0.0.1:{upstream}", breaker: {{failures: 1000}}, pace: none}}
store: {{kind: sqlite, path: "{store}/keys.db", key: "file:{folder}/store-key", max_size: {max_size}}}
routes:
  - {{name: save, path: /users/bank-accounts/save, upstream: banking, credential: banking, kind: create,
     idempotency: {{key: /idempotent_key, on_unknown: resend, repeat_after: 0s}}}}
  - {{name: transfer, path: /book-transfer/routable-bank-account-to-routable-bank-account-transfer, upstream: banking,
     credential: banking, kind: push, idempotency: {{key: /idempotent_key, on_unknown: refuse}}}}
  - {{name: push, path: /gateway/process, upstream: ingopay, credential: ingopay, kind: push,
     idempotency: {{key: /participant_unique_id1, volatile: [/timestamp], on_unknown: resend, repeat_after: 0s,
                   code: /status, not_final: [104]}}}}
  - {{name: verify, path: /gateway/verify, upstream: ingopay, credential: ingopay, kind: tokenise,
     idempotency: {{key: /participant_unique_id1, volatile: [/timestamp], on_unknown: refuse}}}}
"""


def gateway(folder, state, store, port, upstream, max_size):
    """The gateway with four routes; `store` is the folder of its file."""
    values = {"hmac": "demo-secret-not-for-production", "api-key": "demo-api-key", "store-key": "k" * 40}
    for name, value in values.items():
        with open(os.path.join(state, name), "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(value + "\n")
    path = os.path.join(state, "countersign.yaml")
    with open(path, "w") as file:
        file.write(CONFIGURATION.format(port=port, upstream=upstream, folder=state, store=store, max_size=max_size))
    return Program([os.path.join(folder, "countersign"), "run", "--config", path], b'"message":"ready"')


class Counter:
    """Stands between gateway and sandbox and counts how often each key came by: it outlives both. While it is down,
    connections are refused, and those that were open are reset."""

    def __init__(self, port, target):
        self.port, self.target = port, target
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.pairs = set()
        self.listener = None

    def up(self):
        listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        self.listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def down(self):
        # A thread that waits in accept would hold the socket open.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            pairs, self.pairs = self.pairs, set()
        for pair in pairs:
            for end in pair:
                self._reset(end)

    @staticmethod
    def _reset(end):
        try:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # Readers wake up; the last reference then closes it.
            end.shutdown(socket.SHUT_RD)
            end.close()
        except OSError:
            pass

    def _accept(self, listener):
        while True:
            try:
                inner, _ = listener.accept()
            except OSError:
                return
            try:
                outer = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                outer.settimeout(None)
            except OSError:
                self._reset(inner)
                continue
            for end in (inner, outer):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = (inner, outer)
            with self.lock:
                self.pairs.add(pair)
            threading.Thread(target=self._copy, args=(inner, outer, True), daemon=True).start()
            threading.Thread(target=self._copy, args=(outer, inner, False), daemon=True).start()

    def _copy(self, source, target, counts):
        tail = b""
        try:
            while data := source.recv(65536):
                if counts:
                    tail = self._count(tail + data)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            self._reset(source)
            self._reset(target)

    def _count(self, data):
        end = 0
        with self.lock:
            for match in KEY.finditer(data):
                self.counts[match.group(1).decode()] += 1
                end = match.end()
        return data[max(end, len(data) - 100):]

    def count(self, key):
        with self.lock:
            return self.counts[key]
