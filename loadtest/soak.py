#!/usr/bin/env python3
"""Runs the gateway for minutes between callers and an upstream that both misbehave at random (see scripts/soak).

Every request carries a number. The upstream keeps what it received, the callers keep what they were told, and at the end
the two accounts are compared: nothing doubled, nothing lost, nothing called unsent that was received, nothing broken
presented as whole. SIGHUP comes every 30 s. Descriptors, memory and threads must not grow.

Relies on: Linux, Python 3.11, the built commands. Refuses: to pass where a rule was broken; the status is then 1.
"""

import argparse
import asyncio
import gzip
import json
import multiprocessing
import os
import random
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FAULTS = ("reset", "close", "half-head", "half-body", "half-chunks", "garbage", "both-framings", "delay", "silent", "drip",
          "close-after", "until-close", "interim", "early-reset")
LEAVES = ("half-head", "half-body", "after-sending", "in-the-answer", "reset", "hostile")
# One in so many requests goes wrong, on each side.
UPSTREAM_FAULT_IN, CALLER_FAULT_IN = 12, 15
REPORT_SECONDS = 30


# --- The upstream, a process of its own

class Upstream:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.received = Counter()
        self.wrong = []
        self.connections = 0

    async def serve(self, reader, writer):
        self.connections += 1
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while await self.exchange(reader, writer, raw):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError):
            pass
        finally:
            writer.close()

    def reset(self, writer, raw):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return False

    async def exchange(self, reader, writer, raw):
        head = await reader.readuntil(b"\r\n\r\n")
        fault = self.random.choice(FAULTS) if self.random.randrange(UPSTREAM_FAULT_IN) == 0 else ""
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        fields = {name.lower(): value for name, value in fields.items()}
        if fault == "early-reset":
            return self.reset(writer, raw)
        body = await reader.readexactly(int(fields[b"content-length"]))
        call = json.loads(body)
        number = call["n"]
        self.received[number] += 1
        if zlib.crc32(call["pad"].encode()) != call["sum"]:
            self.wrong.append(f"request {number} is not what its caller sent")
        return await self.answer(fault, number, writer, raw)

    async def answer(self, fault, number, writer, raw):
        size = self.random.choice((0, 10, 200, 3_000, 60_000))
        text = json.dumps({"n": number, "pad": "a" * size}).encode()
        good = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text)
        chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(text), text)
        if fault == "reset":
            return self.reset(writer, raw)
        if fault == "close":
            return False
        if fault in ("half-head", "half-body", "half-chunks"):
            whole = chunks if fault == "half-chunks" else good
            at = 20 if fault == "half-head" else whole.index(b"\r\n\r\n") + 4 + len(text) // 2
            writer.write(whole[:at])
            await writer.drain()
            return self.reset(writer, raw) if self.random.random() < 0.5 else False
        if fault == "garbage":
            writer.write(self.random.randbytes(40))
            await writer.drain()
            return False
        if fault == "both-framings":
            writer.write(good.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n", 1))
            await writer.drain()
            return False
        if fault == "silent":
            await asyncio.sleep(3)
            return False
        if fault == "delay":
            await asyncio.sleep(self.random.random())
        if fault == "interim":
            writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n")
        if fault == "until-close":
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + text)
            await writer.drain()
            return False
        whole = good if self.random.random() < 0.7 else chunks
        if fault == "drip":
            for part in range(0, min(len(whole), 400), 40):
                writer.write(whole[part:part + 40])
                await writer.drain()
                await asyncio.sleep(0.01)
            whole = whole[min(len(whole), 400):]
        writer.write(whole)
        await writer.drain()
        return fault != "close-after"


def run_upstream(pipe, seed, certificates):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    upstream = Upstream(seed)

    async def main():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{certificates}/good.pem", f"{certificates}/good.key")
        plain = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, backlog=512, limit=1 << 20)
        tls = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, backlog=512, limit=1 << 20, ssl=context)
        pipe.send([server.sockets[0].getsockname()[1] for server in (plain, tls)])
        while not pipe.poll():
            await asyncio.sleep(0.2)

    asyncio.new_event_loop().run_until_complete(quiet(main()))
    pipe.send((upstream.received, upstream.wrong, upstream.connections))


async def quiet(task):
    # Connections that the other side resets are what this is about.
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    return await task


# --- The callers

class Broken(Exception):
    """An answer that was begun and visibly did not end."""


class Callers:
    def __init__(self, address, seed):
        self.address = address
        self.random = random.Random(seed)
        self.next_number = 0
        self.done, self.unsent = set(), set()
        self.counts = Counter()
        self.violations = []
        self.stopping = False

    def complain(self, text):
        if len(self.violations) < 20:
            self.violations.append(text)
        self.counts["violations"] += 1

    async def call_on(self):
        reader = writer = None
        while not self.stopping:
            if writer is None or self.random.random() < 0.1:
                if writer:
                    writer.close()
                try:
                    reader, writer = await asyncio.open_connection(*self.address, limit=1 << 20)
                except OSError as error:
                    self.complain(f"a connection was refused: {error}")
                    await asyncio.sleep(0.1)
                    continue
            if not await self.call(reader, writer):
                writer.close()
                writer = None
            await asyncio.sleep(self.random.random() * 0.03)
        if writer:
            writer.close()

    def request(self, number):
        size = self.random.choice((0, 20, 20, 200, 200, 2_000, 20_000, 200_000, 900_000 if number % 50 == 0 else 100))
        pad = "x" * size
        body = json.dumps({"n": number, "pad": pad, "sum": zlib.crc32(pad.encode())}).encode()
        where = self.random.choice((b"/plain", b"/tls"))
        head = b"POST %b/x HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n" % where
        kind = self.random.random()
        if kind < 0.1:
            body = gzip.compress(body, 1)
            head += b"Content-Encoding: gzip\r\n"
        if kind > 0.8:
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:]) if part)
            return head + b"Transfer-Encoding: chunked\r\n\r\n", chunks + b"0\r\n\r\n"
        return head + b"Content-Length: %d\r\n\r\n" % len(body), body

    async def call(self, reader, writer):
        """True where the connection may be used again."""
        self.next_number += 1
        number = self.next_number
        head, body = self.request(number)
        leave = self.random.choice(LEAVES) if self.random.randrange(CALLER_FAULT_IN) == 0 else ""
        self.counts["requests"] += 1
        try:
            if leave:
                return await self.misbehave(leave, head, body, reader, writer)
            writer.write(head + body)
            await writer.drain()
        except OSError:
            # Refused while it was sent: the answer, if there is one, says so.
            pass
        try:
            return await asyncio.wait_for(self.answer(number, reader), 20)
        except Broken:
            self.counts["broken off"] += 1
        except asyncio.TimeoutError:
            self.complain(f"request {number} had no answer for 20 s")
        except (OSError, asyncio.IncompleteReadError) as error:
            self.complain(f"request {number} was lost without a word: {error!r}")
        return False

    async def misbehave(self, leave, head, body, reader, writer):
        self.counts["callers left"] += 1
        whole = head + body
        raw = writer.get_extra_info("socket")
        if leave == "half-head":
            writer.write(head[:len(head) // 2])
        elif leave == "half-body":
            writer.write(whole[:len(head) + len(body) // 2])
        elif leave == "hostile":
            writer.write(head.replace(b"\r\n\r\n", b"\r\nContent-Length: 3, 4\r\n\r\n") + body)
        else:
            writer.write(whole)
        await writer.drain()
        if leave == "in-the-answer":
            await asyncio.wait_for(reader.read(10), 20)
        if leave in ("reset", "half-body"):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        return False

    async def answer(self, number, reader):
        first = await reader.readexactly(1)
        try:
            head = first + await reader.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ")[1])
            fields = {line.split(": ")[0].lower(): line.split(": ", 1)[1] for line in lines[1:-2]}
            body = await self.body(fields, reader)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Broken from error
        self.counts[status] += 1
        if status == 200:
            self.done.add(number)
            try:
                if json.loads(body)["n"] != number:
                    self.complain(f"request {number} got the answer of another: {body[:60]!r}")
            except (ValueError, KeyError):
                self.complain(f"request {number} got a broken answer presented as whole: {body[:60]!r}")
        else:
            word = fields.get("proxy-status", "")
            self.counts[word.removeprefix("countersign; error=")] += 1
            if "sent=?0" in word:
                self.unsent.add(number)
        return fields.get("connection") != "close"

    async def body(self, fields, reader):
        if "content-length" in fields:
            return await reader.readexactly(int(fields["content-length"]))
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return body


# --- The gateway

CONFIGURATION = """\
listeners:
  - {{name: apps, bind: "127.0.0.1:0"}}
workers: 2
credentials:
  program: {{username: soak, secret: "file:{folder}/secret"}}
upstreams:
  plain:
    url: "http://127.0.0.1:{plain}"
    pace: none
    timeouts: {{connect: 3s, first_byte: 2s, idle: 2s, total: 6s}}
  tls:
    url: "https://127.0.0.1:{tls}"
    tls: {{ca_file: "{folder}/ca.pem"}}
    pace: none
    timeouts: {{connect: 3s, first_byte: 2s, idle: 2s, total: 6s}}
routes:
  - {{name: plain, prefix: /plain, upstream: plain, credential: program}}
  - {{name: tls, prefix: /tls, upstream: tls, credential: program}}
"""


def figures(pid):
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    try:
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        # The gateway is not dumpable: only root may look.
        descriptors = -1
    return int(status["VmRSS"].split()[0]), descriptors, int(status["Threads"])


async def soak(arguments, folder, ports, log):
    (folder / "secret").touch(0o600)
    (folder / "secret").write_text("soak-secret-not-for-production\n")
    (folder / "gateway.yaml").write_text(CONFIGURATION.format(folder=folder, plain=ports[0], tls=ports[1]))
    gateway = subprocess.Popen(
        [arguments.bin / "countersign", "run", "--config", folder / "gateway.yaml"], stdin=subprocess.DEVNULL, stderr=log)
    try:
        address = await wait_until_ready(gateway, folder)
        callers = Callers(address, arguments.seed + 1)
        tasks = [asyncio.create_task(callers.call_on()) for _ in range(arguments.callers)]
        history = await watch(arguments, gateway, callers)
        callers.stopping = True
        await asyncio.wait_for(asyncio.gather(*tasks), 60)
        gateway.send_signal(signal.SIGTERM)
        if gateway.wait(60) != 0:
            callers.complain(f"the gateway ended with status {gateway.returncode}")
        return callers, history
    finally:
        gateway.kill()
        gateway.wait()


async def wait_until_ready(gateway, folder):
    for _ in range(200):
        for line in (folder / "log").read_text().splitlines():
            entry = json.loads(line)
            if entry["message"] == "ready":
                host, port = entry["listeners"][0].split(":")
                return host, int(port)
        if gateway.poll() is not None:
            break
        await asyncio.sleep(0.05)
    raise SystemExit("the gateway did not start: " + (folder / "log").read_text())


async def watch(arguments, gateway, callers):
    begin = time.monotonic()
    history = []
    before = 0
    while (elapsed := time.monotonic() - begin) < arguments.minutes * 60:
        await asyncio.sleep(min(REPORT_SECONDS, arguments.minutes * 60 - elapsed + 0.1))
        if gateway.poll() is not None:
            callers.complain(f"the gateway ended on its own with status {gateway.returncode}")
            break
        rss, descriptors, threads = figures(gateway.pid)
        history.append((rss, descriptors, threads))
        counts = callers.counts
        rate = (counts["requests"] - before) / REPORT_SECONDS
        before = counts["requests"]
        print(f"{time.monotonic() - begin:6.0f} s  requests {before:8}  ({rate:5.0f}/s)  200: {counts[200]:8}  "
              f"RSS {rss:7} KiB  descriptors {descriptors:4}  threads {threads:3}  "
              f"violations {counts['violations']}", flush=True)
        gateway.send_signal(signal.SIGHUP)
    return history


def judge(arguments, callers, history, account, log):
    received, wrong, connections = account
    doubled = [number for number, count in received.items() if count > 1]
    lost = [number for number in callers.done if number not in received]
    lied = [number for number in callers.unsent if number in received]
    reloads = log.count('"message":"reloaded"')
    problems = list(callers.violations) + wrong[:20]
    if doubled:
        problems.append(f"{len(doubled)} requests were doubled: {doubled[:5]}")
    if lost:
        problems.append(f"{len(lost)} answers to requests that were not received: {lost[:5]}")
    if lied:
        problems.append(f"{len(lied)} requests were called unsent and were received: {lied[:5]}")
    if reloads < len(history):
        problems.append(f"{len(history)} reloads were asked for, {reloads} made")
    # Measured against the first fifth: pools and buffers have their size by then.
    settled = history[max(0, len(history) // 5 - 1)]
    last = history[-1]
    growth = [now - then for now, then in zip(last, settled)]
    if growth[0] > max(8_192, settled[0] // 4):
        problems.append(f"memory grew by {growth[0]} KiB")
    if growth[1] > 100:
        problems.append(f"descriptors grew by {growth[1]}")
    if growth[2] != 0:
        problems.append(f"threads changed by {growth[2]}")
    print("counts:", json.dumps({str(key): count for key, count in sorted(callers.counts.items(), key=str)}))
    print(f"upstream: {sum(received.values())} received, {connections} connections; reloads {reloads}; "
          f"doubled {len(doubled)}, lost {len(lost)}, called unsent but received {len(lied)}; growth: memory {growth[0]} KiB, "
          f"descriptors {growth[1]}, threads {growth[2]}; seed {arguments.seed}")
    for problem in problems:
        print("VIOLATION:", problem)
    return 1 if problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--callers", type=int, default=48)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--bin", type=Path, required=True, help="where the commands were built")
    arguments = parser.parse_args()
    print(f"soak: {arguments.minutes:g} min, {arguments.callers} callers, seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="cs-soak-") as name:
        folder = Path(name)
        subprocess.run([arguments.bin / "ingo-sandbox", "--make-test-certificates", folder], check=True,
                       stdout=subprocess.DEVNULL)
        pipe, theirs = multiprocessing.Pipe()
        upstream = multiprocessing.Process(target=run_upstream, args=(theirs, arguments.seed, folder), daemon=True)
        upstream.start()
        ports = pipe.recv()
        with open(folder / "log", "wb") as log:
            callers, history = asyncio.run(quiet(soak(arguments, folder, ports, log)))
        pipe.send("stop")
        account = pipe.recv()
        upstream.join()
        return judge(arguments, callers, history, account, (folder / "log").read_text())


if __name__ == "__main__":
    sys.exit(main())
