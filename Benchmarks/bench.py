#!/usr/bin/env python3
"""What one warm request costs, in counts that no other work on the machine moves: user instructions in the gateway's own
code (callgrind), and allocations (allocations.c, preloaded). Compared with thresholds.json: more than 5 % above it fails.

Instructions of the C library and of OpenSSL are shown and not compared: they are others' code, and differ by processor.
32 connections ask at once, so that events come in batches as under load; everything was asked before, so that pools are
warm. The upstream and the callers are this process.

Relies on: Linux, valgrind, gcc, strip (binutils), a release build. Stops what it started, by its process id.
"""

import argparse
import base64
import json
import os
import re
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONNECTIONS = 32
WARM_ROUNDS, COUNTED_ROUNDS = 20, 40
TOLERANCE = 0.05
SECONDS_TO_START = 60
SECRET = base64.b64encode(bytes(range(48))).decode()

START = b'{"user_id":"user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef","amount":"125.00","currency":"USD","note":"'
BODY = START + b"n" * (215 - len(START) - 2) + b'"}'
ANSWER_BODY = b'{"status":"success","message":"ok","data":{"id":"ltra-' + b"a" * 346 + b'"}}'
ANSWER = (b"HTTP/1.1 200 OK\r\nServer: upstream/1.0\r\nDate: Fri, 20 Nov 2026 12:00:00 GMT\r\n"
          b"Content-Type: application/json\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n"
          % len(ANSWER_BODY)) + ANSWER_BODY

CONFIGURATION = """listeners:
  - {name: callers, bind: "127.0.0.1:@PORT@"}
workers: @WORKERS@
credentials:
  bench:
    username: bench
    secret: "file:@FOLDER@/secret"
    api_key: {value: "file:@FOLDER@/api_key", place: @PLACE@}
upstreams:
  u:
    url: "http://127.0.0.1:@UPSTREAM@"
    plain: false
    pace: none
    connections: {max: 64, max_waiting: 64, keep_alive: 10m}
routes:
  - {name: all, methods: [POST], prefix: /, upstream: u, credential: bench, product: @PRODUCT@}
hardening: {seccomp: false, landlock: false}
@MORE@
"""
LOG_OFF, LOG_FILE = "log: {requests: off}", "log: {path: @FOLDER@/access.log}"
QUOTA = "quotas:\n  - {name: each, per: [caller, route], rate: 1000000/s, burst: 1000000}\n"
# What is measured. Left out is what another thread has a part in, such as idempotency: its batches differ from run to run.
KINDS = {
    "bare": {"more": LOG_OFF},
    "body": {"place": "body", "more": LOG_OFF},
    "full": {"more": QUOTA + LOG_FILE},
    "ids": {"product": "banking", "more": LOG_FILE},
}


class Failure(Exception):
    """The run cannot go on; one sentence for the reader."""


class Upstream(threading.Thread):
    """Answers every request with the same bytes, on as many connections as come."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]

    def run(self):
        ready = selectors.DefaultSelector()
        ready.register(self.listener, selectors.EVENT_READ)
        held = {}
        while True:
            for key, _ in ready.select():
                if key.fileobj is self.listener:
                    connection, _ = self.listener.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    ready.register(connection, selectors.EVENT_READ)
                    held[connection] = b""
                elif not self.answer(key.fileobj, held):
                    ready.unregister(key.fileobj)
                    key.fileobj.close()

    @staticmethod
    def answer(connection, held):
        try:
            data = connection.recv(65536)
        except OSError:
            return False
        held[connection] += data
        head, found, body = held[connection].partition(b"\r\n\r\n")
        if found:
            length = int(re.search(rb"(?i)\r\ncontent-length: (\d+)", head).group(1))
            if len(body) >= length:
                held[connection] = body[length:]
                connection.sendall(ANSWER)
        return bool(data)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Gateway:
    """A gateway that was started by `command`, and its warm callers."""

    def __init__(self, command, kind, upstream, folder, environment=None):
        port = free_port()
        self.log = open(folder / "gateway.log", "wb")
        values = {"MORE": KINDS[kind]["more"], "PLACE": KINDS[kind].get("place", "header"),
                  "WORKERS": KINDS[kind].get("workers", 1),
                  "PRODUCT": KINDS[kind].get("product", "problem"), "PORT": port, "UPSTREAM": upstream.port,
                  "FOLDER": folder}
        text = CONFIGURATION
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        (folder / "gateway.yaml").write_text(text, encoding="utf-8")
        self.process = subprocess.Popen(
            [*command, "run", "--config", folder / "gateway.yaml"], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, env={**os.environ, **(environment or {})})
        self.folder = folder
        try:
            self.callers = [self.connect(port) for _ in range(CONNECTIONS)]
            for _ in range(WARM_ROUNDS):
                self.round()
        except BaseException as reason:
            self.stop()
            if isinstance(reason, OSError):
                raise Failure("the gateway does not answer: " + self.said()) from None
            raise

    def said(self):
        return (self.folder / "gateway.log").read_text(errors="replace")[-600:]

    def connect(self, port):
        end = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), 30)
            except ConnectionRefusedError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def round(self):
        """One request on each connection: all are sent before the first answer is read."""
        request = (b"POST /banking/users/create HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
                   b"Accept: */*\r\nContent-Length: %d\r\n\r\n" % len(BODY)) + BODY
        for caller in self.callers:
            caller.sendall(request)
        for caller in self.callers:
            data = b""
            while not data.endswith(b'"}}'):
                part = caller.recv(65536)
                if not part:
                    raise Failure("the gateway closed a connection: " + self.said())
                data += part
            if not data.startswith(b"HTTP/1.1 200 "):
                raise Failure(f"not a success: {data[:200]!r}")

    def stop(self):
        for caller in getattr(self, "callers", []):
            caller.close()
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


REQUESTS = CONNECTIONS * COUNTED_ROUNDS


def allocations(program, kind, upstream, folder):
    """Allocations per request."""
    library, counter = folder / "allocations.so", folder / "allocations"
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library,
                    HERE / "allocations.c"], check=True)
    counter.write_bytes(bytes(8))
    gateway = Gateway([program], kind, upstream, folder,
                      {"LD_PRELOAD": str(library), "ALLOCATIONS_FILE": str(counter)})
    try:
        before = int.from_bytes(counter.read_bytes(), "little")
        for _ in range(COUNTED_ROUNDS):
            gateway.round()
        after = int.from_bytes(counter.read_bytes(), "little")
    finally:
        gateway.stop()
    if before == 0:
        raise Failure("no allocation was counted: the preloaded library is not in the gateway")
    return (after - before) / REQUESTS


def instructions(program, kind, upstream, folder):
    """User instructions per request, by the object that they are in."""
    # valgrind 3.19 cannot read the debugging data of lld's output.
    stripped = folder / "gateway"
    subprocess.run(["strip", "-o", stripped, program], check=True)
    out = folder / "callgrind.out"
    gateway = Gateway(["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}",
                       "--compress-strings=no", stripped], kind, upstream, folder)
    try:
        control(gateway, "on")
        for _ in range(COUNTED_ROUNDS):
            gateway.round()
        control(gateway, "off")
    finally:
        gateway.stop()
    return {Path(name).name: count / REQUESTS for name, count in by_object(out).items()}


def control(gateway, switch):
    done = subprocess.run(["callgrind_control", "-i", switch, str(gateway.process.pid)], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0 or "OK" not in done.stdout:
        raise Failure(f"callgrind_control: {done.stdout} {done.stderr}")


def by_object(path):
    """Sums a callgrind file's own costs by object; the line behind `calls=` is the callee's, and counted there."""
    totals, name, is_call = {}, "?", False
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("ob="):
                name = line[3:].strip()
            elif line.startswith("calls="):
                is_call = True
            elif line[:1] in "+-*" or line[:1].isdigit():
                if not is_call:
                    totals[name] = totals.get(name, 0) + int(line.split()[1])
                is_call = False
    return totals


def measure(program, kind, folder):
    upstream = Upstream()
    upstream.start()
    counted = instructions(program, kind, upstream, folder)
    # Valgrind knows an object by its section .text: code that lies apart, as it ran often or never, is nobody's to it.
    own = counted.pop("gateway", 0) + counted.pop("???", 0)
    if own == 0:
        raise Failure("no instruction of the gateway's was counted")
    others = ", ".join(f"{name} {count:,.0f}" for name, count in sorted(counted.items(), key=lambda one: -one[1])
                       if count >= 50)
    made = allocations(program, kind, upstream, folder)
    print(f"{kind}: {own:,.0f} instructions of its own per request ({others}), {made:.2f} allocations", flush=True)
    return {"instructions": own, "allocations": made}


def judge(kind, measured, thresholds):
    """What is wrong with a measurement, as sentences."""
    wrong = []
    for what, value in measured.items():
        limit = thresholds[kind][what]
        if value > limit * (1 + TOLERANCE):
            wrong.append(f"{kind}: {value:,.2f} {what} per request, {value / limit - 1:.0%} above {limit:,}")
        elif value < limit * (1 - TOLERANCE):
            print(f"{kind}: {what} are {1 - value / limit:.0%} below the threshold; lower it in thresholds.json")
    return wrong


def write_secrets(folder):
    """What a configuration refers to."""
    for name, text in (("secret", SECRET), ("api_key", "key-0123456789abcdef")):
        (folder / name).write_text(text, encoding="ascii")
        (folder / name).chmod(0o600)


def main():
    parser = argparse.ArgumentParser(description="Instructions and allocations per request, against thresholds.")
    parser.add_argument("--bin", required=True, help="the folder of a release build")
    parser.add_argument("--only", default=",".join(KINDS), help="comma-separated: " + ", ".join(KINDS))
    options = parser.parse_args()
    program = Path(options.bin) / "countersign"
    thresholds = json.loads((HERE / "thresholds.json").read_text(encoding="utf-8"))
    wrong = []
    for kind in options.only.split(","):
        if kind not in KINDS:
            parser.error(f"no kind {kind}")
        folder = Path(tempfile.mkdtemp(prefix="countersign-bench-"))
        try:
            write_secrets(folder)
            wrong += judge(kind, measure(program, kind, folder), thresholds)
        finally:
            shutil.rmtree(folder)
    if wrong:
        raise Failure("; ".join(wrong))


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"bench: {failure}")
